import { looksSchema } from "../config/index.ts";
import type { Looks } from "../config/index.ts";
import { fileJson, ok } from "../core/index.ts";
import type { Context, Digest, Result } from "../core/index.ts";
import type { Branch } from "./branch.ts";
import { checked, warnOfDamaged } from "./parse.ts";

/** Predictions that a counter names; of more the oldest are forgotten, and would count again. */
export const LOOKS_KEPT = 1_000;

/** Predictions on a test set that a report judged. */
export interface Look {
  readonly testSet: Digest;
  readonly predictions: Digest;
  /** When the run that made them started: ISO 8601, UTC. */
  readonly at: string;
}

function looksPath(testSet: Digest): string {
  return `looks/${testSet.replace("sha256:", "")}.json`;
}

/** A counter with one look more; the same where it was counted before. */
export function withLook(before: Looks | undefined, { testSet, predictions, at }: Look): Looks {
  if (before === undefined)
    return { looksVersion: 1, testSet, count: 1, first: at, last: at, predictions: [predictions] };
  if (before.predictions.includes(predictions)) return before;
  const order = (a: string, b: string): number => Date.parse(a) - Date.parse(b);
  const [first = at] = [before.first, at].sort(order);
  const [, last = at] = [before.last, at].sort(order);
  const known = [...before.predictions, predictions].slice(-LOOKS_KEPT);
  return { ...before, count: before.count + 1, first, last, predictions: known };
}

export async function readLooks(
  context: Context,
  branch: Pick<Branch, "read">,
  testSet: Digest,
): Promise<Result<Looks | undefined>> {
  const path = looksPath(testSet);
  const bytes = await branch.read(path);
  if (!bytes.ok || bytes.value === undefined) return bytes as Result<undefined>;
  const looks = checked(looksSchema, bytes.value);
  if (looks?.testSet === testSet) return ok(looks);
  warnOfDamaged(context, path);
  return ok(undefined);
}

/** Counts looks in one commit, or none where all of them are counted; concurrent writers lose nothing. */
export async function countLooks(
  context: Context,
  branch: Branch,
  looks: readonly Look[],
): Promise<Result<readonly Looks[]>> {
  const counted = new Map<Digest, Looks>();
  const swapped = await branch.swap(async (current) => {
    counted.clear();
    const files = new Map<string, Buffer>();
    for (const look of looks) {
      // oxlint-disable-next-line no-await-in-loop -- one for each model of a report
      const known = current === undefined ? ok(undefined) : await readLooks(context, current, look.testSet);
      if (!known.ok) return known;
      const before = counted.get(look.testSet) ?? known.value;
      const after = withLook(before, look);
      counted.set(look.testSet, after);
      if (after !== known.value) files.set(looksPath(look.testSet), Buffer.from(fileJson(after)));
    }
    return ok(files.size === 0 ? undefined : { message: `Looks at ${files.size} test sets\n`, files });
  });
  if (!swapped.ok) return swapped;
  return ok(looks.flatMap(({ testSet }) => counted.get(testSet) ?? []));
}
