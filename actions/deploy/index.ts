import { failedIfAny, ok } from "../../src/core/index.ts";
import type { Failure } from "../../src/core/index.ts";
import { deploy } from "../../src/deploy/index.ts";
import type { Deployed } from "../../src/deploy/index.ts";
import { resolveCommit, workingTree } from "../../src/git/index.ts";
import { liveModels } from "../../src/registry/index.ts";
import { names, secret, text } from "../lib/inputs.ts";
import { start } from "../lib/start.ts";

await start(async (action) => {
  const inputs = action.inputs({ models: names, environment: text, "github-token": secret, "bot-login": text });
  if (!inputs.ok) return inputs;
  const { context, repository, runUrl } = action;
  const github = action.github(inputs.value["github-token"], inputs.value["bot-login"]);
  const commit = await resolveCommit(context, "HEAD");
  if (!commit.ok) return commit;
  const models = await liveModels(workingTree(context), inputs.value.models);
  if (!models.ok) return models;

  const deployed: Deployed[] = [];
  const failures: Failure[] = [];
  for (const { model } of models.value) {
    const known = Object.keys(model.config.value.environments ?? {});
    const wanted = inputs.value.environment === "" ? known : [inputs.value.environment];
    for (const environment of wanted) {
      const options = { model: model.name, environment, commit: commit.value, repository, logUrl: runUrl };
      const result = await deploy(context, github, options);
      if (result.ok) deployed.push(result.value);
      else failures.push(...result.failures);
      // An environment stands for trying out in the one before it.
      if (!result.ok) break;
    }
  }
  const last = deployed.at(-1);
  action.output("image", last?.image ?? "");
  action.output("url", last?.url ?? "");
  action.output("deployments", JSON.stringify(deployed));
  for (const { model, environment, version, changed, url } of deployed) {
    const said = `${model} v${version} in ${environment} ${changed ? "answers" : "answers already"}`;
    context.emit({ type: "note", message: url === null ? said : `${said} at ${url}` });
  }
  return failedIfAny(failures) ?? ok();
});
