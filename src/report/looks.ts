import { hash } from "node:crypto";
import type { Looks } from "../config/index.ts";
import { ok } from "../core/index.ts";
import type { Digest, Result } from "../core/index.ts";
import { labelOf } from "../metrics/index.ts";
import type { Predictions } from "../metrics/index.ts";
import type { Records } from "../records/index.ts";
import type { ModelInput } from "./build.ts";
import { count } from "./format.ts";

/** Frame of what is hashed, so that a change to it cannot be taken for a change of a test set. */
const FRAME = "lockstep-test-set-1";

/**
 * A test set's name: the digest of its ids and labels, whatever the order of its rows. Rows are hashed one by one and
 * the hashes added up, word by word, so that nothing of the size of the file is held or sorted.
 */
export function testSetOf(predictions: Predictions): Digest {
  const sum = new Uint32Array(8);
  const { length } = predictions.ids;
  for (let row = 0; row < length; row++) {
    const one = hash("sha256", JSON.stringify([predictions.ids.at(row), labelOf(predictions, row)]), "buffer");
    for (let word = 0; word < sum.length; word++) sum[word] = (sum[word] ?? 0) + one.readUInt32LE(word * 4);
  }
  return `sha256:${hash("sha256", `${FRAME} ${length} ${sum.join(" ")}`)}` as Digest;
}

/**
 * Models with how often their test sets have been looked at. `startedAt`: of the run whose report this is, by pipeline,
 * which then counts as a look itself; absent: nothing is counted.
 */
export async function withLooks(
  models: readonly ModelInput[],
  records: Records,
  startedAt?: ReadonlyMap<string, string>,
): Promise<Result<ModelInput[]>> {
  const looks = models.flatMap(({ name, pipeline, head: { predictions } }) => {
    const at = startedAt?.get(pipeline) ?? "";
    return predictions === null ? [] : [{ name, testSet: testSetOf(predictions), predictions: predictions.digest, at }];
  });
  const known = new Map<string, Looks>();
  if (startedAt !== undefined && looks.length > 0) {
    const counted = await records.countLooks(looks.map(({ name: _name, ...look }) => look));
    if (!counted.ok) return counted;
    for (const [index, one] of counted.value.entries()) known.set(looks[index]?.name ?? "", one);
  } else {
    for (const { name, testSet } of looks) {
      // oxlint-disable-next-line no-await-in-loop -- one for each model
      const one = await records.looks(testSet);
      if (!one.ok) return one;
      if (one.value !== undefined) known.set(name, one.value);
    }
  }
  return ok(
    models.map((model) => {
      const one = known.get(model.name);
      return one === undefined
        ? model
        : { ...model, looks: { testSet: one.testSet, count: one.count, since: one.first } };
    }),
  );
}

/**
 * What so many looks mean. A report is wrong about a change without effect at most once in twenty (Holm over its
 * metrics), and nothing corrects one report for the others, so that is what is said; Bonferroni's bound would.
 */
export function looksSentence({ count: looks, since }: { readonly count: number; readonly since: string }): string {
  const date = since.slice(0, 10);
  if (looks === 1) return `This is the first look at this test set.`;
  const told = `This test set has been looked at ${count(looks, "time")} since ${date}.`;
  if (looks < 10) return told;
  const expected = (looks * 0.05).toFixed(1);
  const bound = (0.05 / looks).toPrecision(2);
  return `${told} After many looks the best of them is partly luck: a verdict is not corrected for other pull requests, so of ${looks} changes without any effect up to ${expected} are expected to be called better or worse. Only a p below ${bound} stands against all of them together.`;
}
