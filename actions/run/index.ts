import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { failedIfAny, ok } from "../../src/core/index.ts";
import { experiment } from "../../src/pipeline/index.ts";
import { restoreBlobs, saveBlobs } from "../lib/cache.ts";
import { flag, names, secret } from "../lib/inputs.ts";
import { start } from "../lib/start.ts";
import { runSummary } from "../lib/summary.ts";

/** Name of the artifact and of the one file in it; the report action expects both. */
const RESULT = "lockstep-result";

await start(async (action) => {
  const inputs = action.inputs({ pipelines: names, force: flag, cache: flag, upload: flag, "github-token": secret });
  if (!inputs.ok) return inputs;
  const forGit = await action.withGit(inputs.value["github-token"]);
  if (!forGit.ok) return forGit;
  const { context } = action;

  const restored = inputs.value.cache ? await restoreBlobs(context) : undefined;
  const outcome = await experiment(context, {
    forGit: forGit.value,
    force: inputs.value.force,
    ...(inputs.value.pipelines === undefined ? {} : { pipelines: inputs.value.pipelines }),
  });
  if (!outcome.ok) return outcome;
  const { document, ran, failures } = outcome.value;

  const file = join(action.temp, `${RESULT}.json`);
  await writeFile(file, JSON.stringify(document));
  action.output("result", file);
  action.output("changed", String(ran.length > 0));
  action.output("metrics", JSON.stringify(Object.fromEntries(document.runs.map((run) => [run.pipeline, run.metrics]))));
  await action.summary(runSummary(document));
  if (inputs.value.upload) {
    const { DefaultArtifactClient } = await import("@actions/artifact");
    await new DefaultArtifactClient().uploadArtifact(RESULT, [file], action.temp);
  }
  if (restored !== undefined && ran.length > 0) await saveBlobs(context, restored);
  return failedIfAny(failures) ?? ok();
});
