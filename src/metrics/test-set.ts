import { hash } from "node:crypto";
import type { Digest } from "../core/index.ts";
import { labelOf } from "./predictions.ts";
import type { Predictions } from "./predictions.ts";

/** Frame of what is hashed, so that a change to it cannot be taken for a change of a test set. */
const FRAME = "lockstep-test-set-1";

const known = new WeakMap<Predictions, Digest>();

/**
 * A test set's name: the digest of its ids and labels, whatever the order of its rows. Rows are hashed one by one and
 * the hashes added up, word by word, so that nothing of the size of the file is held or sorted.
 */
export function testSetOf(predictions: Predictions): Digest {
  const before = known.get(predictions);
  if (before !== undefined) return before;
  const sum = new Uint32Array(8);
  const { length } = predictions.ids;
  for (let row = 0; row < length; row++) {
    const one = hash("sha256", JSON.stringify([predictions.ids.at(row), labelOf(predictions, row)]), "buffer");
    for (let word = 0; word < sum.length; word++) sum[word] = (sum[word] ?? 0) + one.readUInt32LE(word * 4);
  }
  const name = `sha256:${hash("sha256", `${FRAME} ${length} ${sum.join(" ")}`)}` as Digest;
  known.set(predictions, name);
  return name;
}
