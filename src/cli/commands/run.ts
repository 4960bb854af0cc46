import { Command, InvalidArgumentError, Option } from "commander";
import { all, fail, ok } from "../../core/index.ts";
import type { Context, Result } from "../../core/index.ts";
import { headIfClean, parseSetting, run, setParams } from "../../pipeline/index.ts";
import type { Pipeline, RunOutcome } from "../../pipeline/index.ts";
import type { Answer, Edge } from "../command.ts";
import { failureJson, worst } from "../output.ts";
import { choosePipelines } from "../pipelines.ts";
import { duration, table } from "../text.ts";

interface Options {
  readonly stage?: string;
  readonly jobs?: number;
  readonly resources?: Readonly<Record<string, number>>;
  readonly force?: boolean;
  readonly set?: readonly string[];
  readonly keepGoing?: boolean;
  readonly strict?: boolean;
  readonly explain?: boolean;
}

export function build(edge: Edge): Command {
  return new Command("run")
    .summary("run what changed")
    .description(
      "Runs the stages of one pipeline, or of all, whose inputs changed; brings back the outputs of the others.",
    )
    .argument("[pipeline]", "name of the pipeline; all of them when absent")
    .option("--stage <name>", "only this stage and what it needs")
    .option("--jobs <n>", "stages at once; as many as there are processors when absent", positive)
    .option("--resources <name=n,...>", "what this machine has of what stages name, as in gpu=2,licence=1", amounts)
    .option("--force", "run whether or not anything changed")
    .option("--set <[file:]key=value>", "write a parameter into its file first; may be given again", more)
    .option("--keep-going", "go on with what does not depend on a failed stage")
    .option("--strict", "hide from a stage every file that it does not declare (needs bubblewrap)")
    .addOption(new Option("--explain", "list the undeclared files that stages read (needs strace)").conflicts("strict"))
    .action(async (pipeline: string | undefined, options: Options) => {
      edge.out.answer(await runPipelines(edge.context(), pipeline, options));
    });
}

async function runPipelines(context: Context, name: string | undefined, options: Options): Promise<Result<Answer>> {
  const { set = [], strict: confine, explain, ...rest } = options;
  const strict = explain ? "explain" : confine ? "confine" : undefined;
  const settings = all(set.map(parseSetting));
  if (!settings.ok) return settings;
  const chosen = await choosePipelines(context, name);
  if (!chosen.ok) return chosen;
  const { workspace, source } = chosen.value;
  const pipelines = withStage(chosen.value.pipelines, options.stage);
  if (pipelines.length !== 1 && options.stage !== undefined) {
    return fail({ code: "usage", message: `say which pipeline's stage "${options.stage}" is meant` });
  }
  const written = await setParams(context, source, settings.value);
  if (!written.ok) return written;
  const outcomes: RunOutcome[] = [];
  for (const pipeline of pipelines) {
    const { store, lastingStore, records } = workspace;
    const commit = (): Promise<string | null> => headIfClean(context);
    const where = { source, records, store, lastingStore };
    const outcome = await run(context, {
      ...rest,
      ...(strict && { strict }),
      ...where,
      pipeline,
      commit,
      restore: "all",
    });
    if (!outcome.ok) return outcome;
    outcomes.push(outcome.value);
    if (outcome.value.failures.length > 0 && options.keepGoing !== true) break;
  }
  return ok(answer(outcomes));
}

/** Where no pipeline was named, the stage's name tells which is meant. */
function withStage(pipelines: readonly Pipeline[], name: string | undefined): readonly Pipeline[] {
  if (name === undefined || pipelines.length === 1) return pipelines;
  return pipelines.filter(({ stages }) => stages.some((stage) => stage.name === name));
}

function answer(outcomes: readonly RunOutcome[]): Answer {
  const failures = outcomes.flatMap((outcome) => outcome.failures);
  const [first, ...others] = failures;
  const pipelines = outcomes.map((outcome) => {
    const { recordVersion: _, provenance: __, ...record } = outcome.run;
    return record;
  });
  return {
    json: { ok: first === undefined, pipelines, failures: failures.map(failureJson) },
    text: outcomes.map(summary).join("\n"),
    failures,
    exitCode: first === undefined ? 0 : worst(fail(first, ...others)),
  };
}

function summary({ run: { pipeline, stages, metrics, ms } }: RunOutcome): string {
  const ran = stages.filter(({ status }) => status === "run").length;
  const cached = stages.filter(({ status }) => status === "cached").length;
  const failed = stages.length - ran - cached;
  const counts = [`${ran} run`, `${cached} cached`, ...(failed === 0 ? [] : [`${failed} failed or skipped`])];
  const head = `${pipeline}: ${counts.join(", ")} (${duration(ms)})`;
  const rows = Object.entries(metrics).flatMap(([path, values]) =>
    Object.entries(values).map(([metric, value]) => [`  ${path}`, metric, String(value)]),
  );
  return ran === 0 || rows.length === 0 ? head : `${head}\n${table(rows)}`;
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("it is a whole number from 1");
  return value;
}

function amounts(text: string): Record<string, number> {
  const pairs = text.split(",").map((pair) => /^([A-Za-z0-9][A-Za-z0-9_.-]*)=(\d+)$/.exec(pair));
  if (pairs.includes(null)) throw new InvalidArgumentError("it is NAME=NUMBER, more of them after commas");
  return Object.fromEntries(pairs.map((pair) => [pair![1]!, Number(pair![2])]));
}

function more(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}
