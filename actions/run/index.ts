import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { failedIfAny, ok } from "../../src/core/index.ts";
import type { Context, Result } from "../../src/core/index.ts";
import { experiment } from "../../src/pipeline/index.ts";
import type { Experiment } from "../../src/pipeline/index.ts";
import { restoreBlobs, saveBlobs } from "../lib/cache.ts";
import { flag, names, refreshes, secret, text } from "../lib/inputs.ts";
import { artifacts } from "../lib/parcels.ts";
import { start } from "../lib/start.ts";
import type { Action } from "../lib/start.ts";
import { runSummary } from "../lib/summary.ts";
import { runPart } from "./part.ts";
import { tellingProgress } from "./progress.ts";

/** Name of the artifact and of the one file in it; the report action expects both. */
const RESULT = "lockstep-result";
const part = z.enum(["", "plan", "stage", "result"], "has to be plan, stage or result, or empty");

await start(async (action) => {
  const kinds = {
    pipelines: names,
    force: flag,
    cache: flag,
    upload: flag,
    part,
    stage: text,
    graph: text,
    progress: refreshes,
  };
  const inputs = action.inputs({ ...kinds, "github-token": secret });
  if (!inputs.ok) return inputs;
  const forGit = await action.withGit(inputs.value["github-token"]);
  if (!forGit.ok) return forGit;
  const { part: job, pipelines, force, cache, upload, progress } = inputs.value;
  if (job !== "") {
    const done = await runPart(action, forGit.value, { ...inputs.value, part: job });
    return done.ok && done.value !== undefined ? leave(action, forGit.value, done.value, upload) : done;
  }
  const restored = cache ? await restoreBlobs(action.context) : undefined;
  const options = { forGit: forGit.value, force, leaveCompiled: true };
  const outcome = await tellingProgress(action, upload ? progress : null, async (context) =>
    experiment(context, pipelines === undefined ? options : { ...options, pipelines }),
  );
  if (!outcome.ok) return outcome;
  const left = await leave(action, forGit.value, outcome.value, upload);
  if (restored !== undefined && outcome.value.ran.length > 0) await saveBlobs(action.context, restored);
  return left;
});

/** Measures the models whose gates ask, then leaves outputs, summary and artifact of an experiment; what failed in it fails the step. */
async function leave(
  action: Action,
  forGit: Context,
  { document: made, ran, failures }: Experiment,
  upload: boolean,
): Promise<Result<unknown>> {
  const { measureModels } = await import("../../src/report/index.ts");
  const performance = failures.length > 0 ? [] : await measureModels(forGit, made);
  const document = performance.length === 0 ? made : { ...made, performance };
  const folder = join(action.temp, RESULT);
  const file = join(folder, `${RESULT}.json`);
  await mkdir(folder, { recursive: true });
  await writeFile(file, JSON.stringify(document));
  action.output("result", file);
  action.output("changed", String(ran.length > 0));
  action.output("metrics", JSON.stringify(Object.fromEntries(document.runs.map((run) => [run.pipeline, run.metrics]))));
  await action.summary(runSummary(document));
  const sent = upload ? await artifacts.send(RESULT, folder) : ok();
  return failedIfAny(failures) ?? sent;
}
