import { Command } from "commander";
import { fail, ok } from "../../core/index.ts";
import type { Result } from "../../core/index.ts";
import type { Answer, Edge } from "../command.ts";

interface Options {
  readonly repository?: string;
  readonly all?: boolean;
}

const REPOSITORY = "whose deployment it is; needed to meet one that an action made";

export function build(edge: Edge): Command {
  const deploy = new Command("deploy")
    .summary("put a version of a model to work in an environment")
    .description("Deploys on this machine, without telling GitHub: the deploy action does that.")
    .argument("<model>", "name, name@alias or name@version (churn@3, churn@v3); production when none is said")
    .argument("<environment>", "one of `environments` in model.yaml")
    .option("--repository <owner/name>", REPOSITORY)
    .action(async (model: string, environment: string, options: Options) =>
      edge.out.answer(await run(edge, model, environment, options)),
    );
  deploy
    .command("stop")
    .summary("end what runs on this machine")
    .description("Ends the deployments of this machine; each finishes its requests and writes its log first.")
    .argument("[model]", "name of the model")
    .argument("[environment]", "one of `environments` in model.yaml")
    .option("--repository <owner/name>", REPOSITORY)
    .option("--all", "every deployment of this machine, whosever it is")
    .action(async (model: string | undefined, environment: string | undefined, options: Options) =>
      edge.out.answer(await stop(edge, model, environment, options)),
    );
  return deploy;
}

async function run(edge: Edge, model: string, environment: string, options: Options): Promise<Result<Answer>> {
  const where = repositoryOf(options);
  if (!where.ok) return where;
  const { deploy } = await import("../../deploy/index.ts");
  const deployed = await deploy(edge.context(), undefined, { model, environment, commit: "", ...where.value });
  if (!deployed.ok) return deployed;
  const { version, changed, url, image } = deployed.value;
  const text =
    url === null
      ? `${image} is pushed; it is not run here`
      : `${deployed.value.model} version ${version} ${changed ? "answers" : "answers already"} at ${url}`;
  return ok({ json: deployed.value, text });
}

async function stop(
  edge: Edge,
  model: string | undefined,
  environment: string | undefined,
  options: Options,
): Promise<Result<Answer>> {
  const where = repositoryOf(options);
  if (!where.ok) return where;
  const { stopAllDeployments, stopDeployment } = await import("../../deploy/index.ts");
  if (options.all === true) {
    const stopped = await stopAllDeployments(edge.context());
    if (!stopped.ok) return stopped;
    return ok({ json: { stopped: stopped.value }, text: stopped.value.map((name) => `stopped ${name}`).join("\n") });
  }
  if (model === undefined || environment === undefined) {
    return fail({ code: "usage", message: "a model and an environment are needed, or --all" });
  }
  const stopped = await stopDeployment(edge.context(), { model, environment, ...where.value });
  if (!stopped.ok) return stopped;
  const name = `${model}/${environment}`;
  return ok({
    json: { stopped: stopped.value ? [name] : [] },
    text: stopped.value ? `stopped ${name}` : "nothing was running",
  });
}

function repositoryOf({ repository }: Options): Result<{ repository?: string }> {
  if (repository === undefined) return ok({});
  if (/^[A-Za-z0-9-]+\/[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(repository)) return ok({ repository });
  return fail({ code: "usage", message: `"${repository}" is not owner/name` });
}
