import { attempt, fail } from "../core/index.ts";
import type { Digest, Result } from "../core/index.ts";
import { readContent } from "../store/index.ts";
import type { Store } from "../store/index.ts";
import { MOST_BYTES } from "../tables/index.ts";
import type { Evaluation } from "./evaluation.ts";
import type { Predictions } from "./predictions.ts";
import { readPredictions } from "./read.ts";

/** What of a folder is put together in memory: a file of its own may be larger. */
const PACKED = 2 ** 30;

/** Predictions that a run left in a store. */
export interface Recorded {
  readonly digest: Digest;
  /** The folder that they lie in, and their bytes there; absent: they are a blob of their own. */
  readonly folder?: { readonly root: Digest; readonly size: number } | undefined;
  /** Name to show, where it is not that of the evaluation. */
  readonly file?: string;
  /** Whose run made them, so that a failure can say how to have them again; null: no commit's. */
  readonly commit: string | null;
  /** That was chosen for them. */
  readonly threshold?: number | undefined;
}

/**
 * Reads recorded predictions from the first store that has them: from a file, row by row, so that their bytes are never
 * in memory as a whole unless they are parts of a folder. Bytes that are not those of the digest are refused.
 */
export async function readRecorded(
  stores: readonly Store[],
  { digest, folder, file, commit, threshold }: Recorded,
  evaluation: Evaluation,
): Promise<Result<Predictions>> {
  const name = file ?? evaluation.predictions;
  for (const store of stores) {
    // oxlint-disable-next-line no-await-in-loop -- the nearest store that has it
    const there = await store.has(digest);
    if (!there.ok) return there;
    if (!there.value) continue;
    // oxlint-disable-next-line no-await-in-loop
    const held = await store.hold(digest, { maxBytes: MOST_BYTES });
    if (!held.ok) return held;
    await using bytes = held.value;
    // oxlint-disable-next-line no-await-in-loop
    const read = await attempt(name, async () => readPredictions({ file: name, bytes, evaluation, threshold }));
    return read.ok ? read.value : read;
  }
  if (folder !== undefined) {
    const packed = await readContent(stores, folder.root, { digest, size: folder.size, label: name, maxBytes: PACKED });
    if (packed.ok) return readPredictions({ file: name, bytes: packed.value, evaluation, threshold });
    if (packed.failures[0].code !== "blob-missing") return packed;
  }
  const store = stores.map(({ url }) => url).join(", ");
  const again = commit === null ? "`lockstep run --force`" : `\`lockstep repro ${commit.slice(0, 12)}\``;
  const hint = `${again} makes it again here; \`lockstep runs push\` sends it from the machine that has it`;
  return fail({ code: "blob-missing", digest, neededBy: name, store, hint });
}
