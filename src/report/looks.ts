import type { Looks, RunRecord } from "../config/index.ts";
import { ok } from "../core/index.ts";
import type { Result } from "../core/index.ts";
import { testSetOf } from "../metrics/index.ts";
import type { Look, Records } from "../records/index.ts";
import type { ModelInput } from "./model-report.ts";
import { count, shortDigest } from "./format.ts";
import type { ModelReport, Report } from "./schema.ts";

type Shown = NonNullable<ModelReport["looks"]>;

interface ModelLook extends Look {
  readonly model: string;
  readonly run: RunRecord;
}

/** What judging these models looks at. `runs`: those of the heads, by pipeline. */
export function looksAt(models: readonly ModelInput[], runs: ReadonlyMap<string, RunRecord>): ModelLook[] {
  return models.flatMap(({ name: model, pipeline, head: { predictions } }) => {
    const run = runs.get(pipeline);
    if (predictions === null || run === undefined) return [];
    return [{ model, testSet: testSetOf(predictions), predictions: predictions.digest, run }];
  });
}

/** A report that says how often the test sets of its heads have been looked at. */
export function withLooks(report: Report, looks: readonly ModelLook[], counters: readonly Looks[]): Report {
  const known = new Map(counters.map((one) => [one.testSet, one]));
  const models = report.models.map((model) => {
    const look = looks.find((one) => one.model === model.name);
    const counter = look && known.get(look.testSet);
    if (look === undefined || counter === undefined) return model;
    const told = shown(counter, look.run);
    return { ...model, looks: told, notes: [...model.notes, looksSentence(told)] };
  });
  return { ...report, models };
}

/** The same without a look of one's own: counters as the records have them. */
export async function withKnownLooks(
  report: Report,
  looks: readonly ModelLook[],
  records: Records,
): Promise<Result<Report>> {
  const counters: Looks[] = [];
  for (const testSet of new Set(looks.map((look) => look.testSet))) {
    // oxlint-disable-next-line no-await-in-loop -- one for each model
    const one = await records.looks(testSet);
    if (!one.ok) return one;
    if (one.value !== undefined) counters.push(one.value);
  }
  return ok(withLooks(report, looks, counters));
}

function shown({ testSet, count: looks, first, data: counted }: Looks, { data }: RunRecord): Shown {
  const datasets = Object.entries(data).map(([name, version]) => {
    return { name, version, count: Object.hasOwn(counted ?? {}, name) ? (counted?.[name]?.[version] ?? 0) : 0 };
  });
  return { testSet, count: looks, since: first, datasets };
}

/** Datasets that are named; a pipeline of more is told without. */
const NAMED = 3;

/**
 * What so many looks mean. A report is wrong about a change without effect at most once in twenty (Holm over its
 * metrics), and nothing corrects one report for the others, so that is what is said; Bonferroni's bound would.
 */
export function looksSentence({ count: looks, since, datasets }: Omit<Shown, "testSet">): string {
  const date = since.slice(0, 10);
  if (looks === 1) return `This is the first look at this test set.`;
  const versions = datasets.map(
    ({ name, version, count: some }) => `${some} of them with ${name} as it is here (${shortDigest(version)})`,
  );
  const named = versions.length > NAMED ? [] : versions;
  const told = `This test set has been looked at ${[`${count(looks, "time")} since ${date}`, ...named].join(", ")}.`;
  if (looks < 10) return told;
  const expected = (looks * 0.05).toFixed(1);
  const bound = (0.05 / looks).toPrecision(2);
  return `${told} After many looks the best of them is partly luck: a verdict is not corrected for other pull requests, so of ${looks} changes without any effect up to ${expected} are expected to be called better or worse. Only a p below ${bound} stands against all of them together.`;
}
