import { Document, isNode, isSeq } from "yaml";
import type { Settings } from "../../config/index.ts";
import { all, failedIfAny, ok } from "../../core/index.ts";
import type { Result } from "../../core/index.ts";
import type { Pipeline } from "../stage.ts";
import { literal } from "./expression.ts";
import { graphDigest, jobsOf, PLAN, RESULT } from "./jobs.ts";
import type { StageJob } from "./jobs.ts";
import { containerOf, defaultRunner, minutesOf, runnerOf } from "./runner.ts";
import { EXPERIMENT, setupWhere, shortSetup } from "./template.ts";
import type { Template } from "./template.ts";
import { unfit } from "./unfit.ts";

type Block = Record<string, unknown>;

/** How the file of every compiled workflow begins. */
export const MADE_BY = "# Made by `lockstep compile ";

/** Minutes of the first and the last job: they run no stage. */
const SHORT = 30;

const ON_ONE_LINE = 8;

/** The text of a pipeline's workflow. Fails where jobs cannot do what the pipeline says, or no runner is named for it. */
export function workflowText(
  pipeline: Pipeline,
  { template, runners }: { readonly template: Template; readonly runners: Settings["runners"] },
): Result<string> {
  const refused = failedIfAny(unfit(pipeline));
  if (refused) return refused;
  const jobs = jobsOf(pipeline);
  const run = (inputs: Block, rest: Block = {}): Block => ({
    ...rest,
    ...template.run,
    ...rest,
    with: { ...(template.run["with"] as Block | undefined), pipelines: pipeline.name, ...inputs },
  });
  const shared = {
    permissions: Object.fromEntries(template.permissions.map(({ right, level }) => [right, level])),
    ...(template.jobEnv === undefined ? {} : { env: template.jobEnv }),
  };
  const stages = all(
    jobs.map((job): Result<[string, Block]> => {
      const runsOn = runnerOf(job.stages[0], runners);
      if (!runsOn.ok) return runsOn;
      const steps = { ...shared, steps: [...template.setup, run(stageInput(job))] };
      return ok([job.id, stageJob(job, runsOn.value, steps)]);
    }),
  );
  if (!stages.ok) return stages;
  const short = { "runs-on": defaultRunner(runners), "timeout-minutes": SHORT, ...shared };
  const file = {
    name: template.name,
    on: { pull_request: null, workflow_dispatch: null },
    permissions: {},
    concurrency: {
      group: `lockstep-${pipeline.name}-\${{ github.event.pull_request.number || github.ref }}`,
      "cancel-in-progress": true,
    },
    env: template.env,
    jobs: {
      [PLAN]: {
        name: "plan",
        ...short,
        outputs: { jobs: "${{ steps.plan.outputs.jobs }}", measures: "${{ steps.plan.outputs.measures }}" },
        steps: [...shortSetup(template), run({ part: "plan", graph: graphDigest(jobs) }, { id: "plan" })],
      },
      ...Object.fromEntries(stages.value),
      [RESULT]: {
        name: "result",
        needs: [PLAN, ...jobs.map(({ id }) => id)],
        if: "always()",
        ...short,
        // ONNX Runtime is among what is installed; only where a model is measured is that worth its time.
        steps: [...setupWhere(template, `needs.${PLAN}.outputs.measures == 'true'`), run({ part: "result" })],
      },
    },
  };
  return ok(written(pipeline, file, [PLAN, ...jobs.map(({ id }) => id), RESULT], template));
}

/** A job runs when none before it failed and something of it is to be run; those before it may have been skipped. */
function stageJob(job: StageJob, runsOn: string, rest: Block): Block {
  const { id, stages } = job;
  const [first] = stages;
  const container = containerOf(first);
  const here = `fromJSON(needs.${PLAN}.outputs.jobs)['${id}']`;
  const names = stages.map(({ name }) => literal(name));
  return {
    name: stages.length === 1 ? names[0] : "${{ matrix.stage }}",
    needs: [PLAN, ...job.needs],
    if: `\${{ !failure() && !cancelled() && ${here} }}`,
    ...(stages.length === 1
      ? {}
      : { strategy: { "fail-fast": false, matrix: { stage: names, exclude: `\${{ ${here} }}` } } }),
    "runs-on": runsOn,
    ...(container === undefined ? {} : { container }),
    "timeout-minutes": minutesOf(first),
    ...rest,
  };
}

function stageInput({ stages }: StageJob): Block {
  return { part: "stage", stage: stages.length === 1 ? literal(stages[0].name) : "${{ matrix.stage }}" };
}

function written(pipeline: Pipeline, file: Block, jobs: readonly string[], { permissions }: Template): string {
  const document = new Document(file, { aliasDuplicateObjects: false });
  const explain = (path: readonly string[], why: string): void => {
    const node = document.getIn(path, true);
    if (isNode(node)) node.comment = why;
  };
  for (const job of jobs) {
    for (const { right, reason } of permissions) explain(["jobs", job, "permissions", right], reason);
    explain(["jobs", job, "strategy", "fail-fast"], " what ends well is recorded all the same");
  }
  explain(["concurrency", "cancel-in-progress"], " a new push makes the run of the one before it pointless");
  for (const job of jobs) {
    const needs = document.getIn(["jobs", job, "needs"], true);
    if (isSeq(needs)) needs.flow = needs.items.length <= ON_ONE_LINE;
  }
  const head = [
    `${MADE_BY}${pipeline.name}\`: one job a stage. It is not for editing: the steps before each stage are`,
    `# those of ${EXPERIMENT}, runners are named in the stages and in`,
    "# .github/lockstep.yml. `lockstep compile --check` says whether it is up to date.",
  ];
  return `${head.join("\n")}\n${document.toString({ lineWidth: 0, nullStr: "", flowCollectionPadding: false })}`;
}
