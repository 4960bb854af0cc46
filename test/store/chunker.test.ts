import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CHUNK, CHUNKED_FILE, Chunker } from "../../src/store/chunker.ts";
import golden from "./golden/chunks.json" with { type: "json" };

const MiB = 1024 * 1024;

/** Bytes that look random and are the same everywhere. */
function stream(seed: string, size: number): Buffer {
  return createHash("shake128", { outputLength: size }).update(seed).digest();
}

/** Where chunks end that do not end with the stream, when it comes in pieces of these sizes in turn. */
function cutsOf(bytes: Buffer, pieces: readonly number[] = [bytes.length]): number[] {
  const chunker = new Chunker();
  const cuts: number[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const end = Math.min(bytes.length, at + pieces[turn % pieces.length]!);
    for (const cut of chunker.cut(bytes.subarray(at, end))) cuts.push(at + cut);
    at = end;
  }
  return cuts.filter((cut) => cut < bytes.length);
}

describe("golden cuts", () => {
  test.each(golden)("%o", ({ shake128, byte, size, cuts }) => {
    const bytes = shake128 === undefined ? Buffer.alloc(size, byte) : stream(shake128, size);
    expect(cutsOf(bytes)).toEqual(cuts);
  });
});

test("cuts do not depend on the pieces in which a stream comes", () => {
  const bytes = stream("pieces", 14 * MiB);
  const whole = cutsOf(bytes);
  expect(whole.length).toBeGreaterThan(1);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 5 * MiB }), { minLength: 1, maxLength: 6 }), (pieces) => {
      // Tiny pieces only beside large ones, so that the number of pieces stays within reason.
      expect(cutsOf(bytes, [...pieces, 2 * MiB])).toEqual(whole);
    }),
    { numRuns: 12 },
  );
  expect(cutsOf(bytes.subarray(0, 5 * MiB), [997])).toEqual(cutsOf(bytes.subarray(0, 5 * MiB)));
});

test("chunks lie between the smallest and the largest size, and are 4 MiB on average", () => {
  const bytes = stream("sizes", 48 * MiB);
  const cuts = cutsOf(bytes);
  const sizes = cuts.map((cut, at) => cut - (cuts[at - 1] ?? 0));
  expect(Math.min(...sizes)).toBeGreaterThan(CHUNK.min);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(CHUNK.max);
  const average = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
  expect(average).toBeGreaterThan(3.4 * MiB);
  expect(average).toBeLessThan(4.8 * MiB);
  expect(CHUNKED_FILE).toBe(CHUNK.max); // what is not cut is no larger than a chunk may be
});

test.each([
  [
    "replaced",
    (bytes: Buffer, at: number, edit: Buffer) =>
      Buffer.concat([bytes.subarray(0, at), edit, bytes.subarray(at + edit.length)]),
  ],
  [
    "inserted",
    (bytes: Buffer, at: number, edit: Buffer) => Buffer.concat([bytes.subarray(0, at), edit, bytes.subarray(at)]),
  ],
  [
    "deleted",
    (bytes: Buffer, at: number, edit: Buffer) =>
      Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + edit.length)]),
  ],
])("1 MB that is %s in the middle changes the chunks around it and no others", (_, change) => {
  const bytes = stream("edit", 40 * MiB);
  const edit = stream("other", 1_000_000);
  const digests = (all: Buffer): string[] =>
    [...cutsOf(all), all.length].map((cut, at, cuts) =>
      createHash("sha256")
        .update(all.subarray(cuts[at - 1] ?? 0, cut))
        .digest("hex"),
    );
  const before = digests(bytes);
  const known = new Set(before);
  const fresh = digests(change(bytes, 12 * MiB, edit)).filter((digest) => !known.has(digest));
  expect(fresh.length).toBeGreaterThan(0);
  expect(fresh.length).toBeLessThanOrEqual(6); // 24 MiB
});

test("a stream without a cut in it is cut at the largest size; one up to the smallest never", () => {
  expect(cutsOf(Buffer.alloc(2 * CHUNK.max + 5))).toEqual([CHUNK.max, 2 * CHUNK.max]);
  expect(cutsOf(stream("small", CHUNK.min))).toEqual([]);
  expect(new Chunker().cut(Buffer.alloc(0))).toEqual([]);
});
