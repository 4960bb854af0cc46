import { expect, test } from "vitest";
import { message } from "../../src/core/index.ts";
import { ARTIFACT, readResult } from "../../src/report/artifact.ts";
import { resultZip } from "./rig.ts";
import { zip } from "./zip.ts";

const NAME = ARTIFACT.file;
const EMPTY = { resultVersion: 1, commit: "a".repeat(40), runs: [], stages: [], failures: [] };
const json = (text: string): Buffer => zip([{ name: NAME, bytes: text }]);
const good = JSON.stringify(EMPTY);

test("one entry with a sound document is read", async () => {
  expect(await readResult(resultZip(EMPTY))).toEqual({ ok: true, value: EMPTY });
});

const record = {
  recordVersion: 1,
  pipeline: "p",
  commit: "a".repeat(40),
  startedAt: "2026-01-02T03:04:05.000Z",
  ms: 1,
  ok: true,
  stages: [],
  params: {},
  metrics: {},
  data: {},
  provenance: null,
};
const run = (changes: object): Buffer => resultZip({ ...EMPTY, runs: [{ ...record, ...changes }] });

/** What is wrong with each, and what the refusal has to say. */
const HOSTILE: readonly (readonly [string, () => Buffer, RegExp])[] = [
  ["not a zip", () => Buffer.from("hello"), /cannot be read/],
  ["nothing", () => Buffer.alloc(0), /cannot be read/],
  ["a zip cut in half", () => resultZip(EMPTY).subarray(0, 60), /cannot be read/],
  ["a zip with a byte changed", () => corrupt(resultZip({ ...EMPTY, failures: ["x".repeat(500)] })), /refused/],
  ["an empty archive", () => zip([]), /0 files/],
  [
    "two entries",
    () =>
      zip([
        { name: NAME, bytes: good },
        { name: "more.json", bytes: "{}" },
      ]),
    /2 files/,
  ],
  [
    "the entry twice",
    () =>
      zip([
        { name: NAME, bytes: good },
        { name: NAME, bytes: "{}" },
      ]),
    /2 files/,
  ],
  ["another name", () => zip([{ name: "result.json", bytes: good }]), /holds "result\.json"/],
  ["a folder", () => zip([{ name: `sub/${NAME}`, bytes: good }]), /holds "sub/],
  ["a way out", () => zip([{ name: `../${NAME}`, bytes: good }]), /\.\./],
  ["an absolute path", () => zip([{ name: `/tmp/${NAME}`, bytes: good }]), /absolute path/],
  ["backslashes", () => zip([{ name: `..\\${NAME}`, bytes: good }]), /refused/],
  ["too large an archive", () => Buffer.alloc(ARTIFACT.zipBytes + 1), /larger than/],
  ["a bomb", () => zip([{ name: NAME, bytes: Buffer.alloc(ARTIFACT.bytes + 1) }]), /larger than/],
  [
    "a bomb that lies about its size",
    () => zip([{ name: NAME, bytes: Buffer.alloc(ARTIFACT.bytes + 1), claimedSize: 10 }]),
    /refused/,
  ],
  ["no JSON", () => json("hello"), /not JSON/],
  ["NaN", () => json(good.replace('"resultVersion":1', '"resultVersion":NaN')), /not JSON/],
  ["bytes that are not UTF-8", () => zip([{ name: NAME, bytes: Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d) }]), /not JSON/],
  ["nesting", () => json("[".repeat(100_000)), /nested deeper/],
  ["nesting that is sound", () => json(`${"[".repeat(100)}${"]".repeat(100)}`), /nested deeper/],
  ["another version", () => resultZip({ ...EMPTY, resultVersion: 2 }), /resultVersion/],
  ["an unknown key", () => resultZip({ ...EMPTY, pullRequest: 12 }), /pullRequest/],
  ["a commit that is a ref", () => resultZip({ ...EMPTY, commit: "main" }), /commit/],
  ["a path that leaves", () => run({ metrics: { "../m.json": { a: 1 } } }), /Invalid key/],
  ["a name with markup", () => run({ pipeline: "<b>p</b>" }), /name is letters/],
  ["a negative time", () => run({ ms: -1 }), /ms/],
  ["ten thousand runs", () => resultZip({ ...EMPTY, runs: Array.from({ length: 10_000 }, () => record) }), /runs/],
  ["a failure of megabytes", () => resultZip({ ...EMPTY, failures: ["x".repeat(1_000_000)] }), /failures/],
];

function corrupt(archive: Buffer): Buffer {
  const at = archive.indexOf(NAME) + NAME.length + 4;
  archive[at] = (archive[at] ?? 0) ^ 0xff;
  return archive;
}

test.each(HOSTILE)("%s is refused", async (_, archive, said) => {
  const read = await readResult(archive());
  expect(read.ok).toBe(false);
  if (read.ok) return;
  expect(read.failures).toHaveLength(1);
  expect(read.failures[0].code).toBe("result-refused");
  expect(message(read.failures[0])).toMatch(said);
  expect(message(read.failures[0]).length).toBeLessThan(2_000);
});

test("a number too large for a double is refused, not taken for infinity", async () => {
  const text = JSON.stringify({ ...EMPTY, runs: [{ ...record, metrics: { "m.json": { a: 123 } } }] }).replace(
    ":123",
    ":1e999",
  );
  const read = await readResult(json(text));
  expect(read.ok ? "read" : message(read.failures[0])).toMatch(/metrics\.m\.json\.a/);
});

test("a member named __proto__ changes no prototype", async () => {
  const text = JSON.stringify({ ...EMPTY, runs: [{ ...record, params: { "p.yaml": {} } }] }).replace(
    '"params":{',
    '"params":{"__proto__":{"polluted":1},',
  );
  await readResult(json(text));
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
});
