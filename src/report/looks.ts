import type { Looks, RunRecord } from "../config/index.ts";
import { ok } from "../core/index.ts";
import type { Result } from "../core/index.ts";
import { testSetOf } from "../metrics/index.ts";
import type { Records } from "../records/index.ts";
import type { ModelInput } from "./build.ts";
import { count, shortDigest } from "./format.ts";
import type { ModelReport } from "./schema.ts";

type Shown = NonNullable<ModelReport["looks"]>;

/**
 * Models with how often the test sets of their heads have been looked at. `runs`: those of the heads, by pipeline;
 * `counts`: each is a look itself, which is written down. Else nothing is.
 */
export async function withLooks(
  models: readonly ModelInput[],
  records: Records,
  { runs, counts }: { readonly runs: ReadonlyMap<string, RunRecord>; readonly counts: boolean },
): Promise<Result<ModelInput[]>> {
  const looks = models.flatMap(({ name, pipeline, head: { predictions } }) => {
    const run = runs.get(pipeline);
    if (predictions === null || run === undefined) return [];
    return [{ name, testSet: testSetOf(predictions), predictions: predictions.digest, run }];
  });
  const known = new Map<string, Shown>();
  if (counts && looks.length > 0) {
    const counted = await records.countLooks(looks.map(({ name: _name, ...look }) => look));
    if (!counted.ok) return counted;
    for (const [index, { name, run }] of looks.entries()) {
      const one = counted.value[index];
      if (one !== undefined) known.set(name, shown(one, run));
    }
  } else {
    for (const { name, testSet, run } of looks) {
      // oxlint-disable-next-line no-await-in-loop -- one for each model
      const one = await records.looks(testSet);
      if (!one.ok) return one;
      if (one.value !== undefined) known.set(name, shown(one.value, run));
    }
  }
  return ok(models.map((model) => ({ ...model, looks: known.get(model.name) ?? null })));
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
