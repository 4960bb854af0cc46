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

const stage = { stage: "s", key: null, status: "run", ms: 1, reason: "", needs: [] };
const numbers = (count: number): Record<string, number> =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`m${at}`, 0]));

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
  [
    "a bomb of bombs",
    () => zip([{ name: NAME, bytes: zip([{ name: NAME, bytes: Buffer.alloc(2 ** 20) }]) }]),
    /not JSON/,
  ],
  [
    "a bomb that says it is small in the directory, and is one of a thousandth",
    () => zip([{ name: NAME, bytes: Buffer.alloc(ARTIFACT.bytes, 0x20), claimedSize: good.length }]),
    /refused/,
  ],
  ["sixty thousand entries", () => zip([{ name: NAME, bytes: good }], 60_000), /60000 files/],
  [
    "entries that share their bytes",
    () =>
      zip([
        { name: NAME, bytes: good },
        { name: "again.json", bytes: good, at: 0 },
      ]),
    /2 files/,
  ],
  [
    "more entries than it counts, ours not the first",
    () =>
      zip(
        [
          { name: "x", bytes: good },
          { name: NAME, bytes: good },
        ],
        1,
      ),
    /holds "x"/,
  ],
  ["fewer entries than it counts", () => zip([{ name: NAME, bytes: good }], 2), /2 files/],
  ["an entry whose bytes lie past the end", () => zip([{ name: NAME, bytes: good, at: 1_000_000 }]), /cannot be read/],
  ["a symbolic link", () => zip([{ name: NAME, bytes: "/etc/passwd", mode: 0o120777 }]), /not JSON/],
  ["a name that goes out and comes in again", () => zip([{ name: `x/../${NAME}`, bytes: good }]), /refused/],
  ["a drive", () => zip([{ name: `C:/${NAME}`, bytes: good }]), /absolute path/],
  ["a name with a NUL", () => zip([{ name: `${NAME}\u0000.txt`, bytes: good }]), /holds "/],
  [
    "a name of sixty thousand characters",
    () => zip([{ name: `../${"n".repeat(60_000)}`, bytes: good }]),
    /cannot be read/,
  ],
  ["an encrypted entry", () => zip([{ name: NAME, bytes: good, encrypted: true }]), /cannot be read/],
  ["a compression nobody knows", () => zip([{ name: NAME, bytes: good, method: 99 }]), /cannot be read/],
  ["no JSON", () => json("hello"), /not JSON/],
  ["NaN", () => json(good.replace('"resultVersion":1', '"resultVersion":NaN')), /not JSON/],
  ["bytes that are not UTF-8", () => zip([{ name: NAME, bytes: Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d) }]), /not JSON/],
  ["nesting", () => json("[".repeat(100_000)), /nested deeper/],
  ["nesting that is sound", () => json(`${"[".repeat(100)}${"]".repeat(100)}`), /nested deeper/],
  ["infinity", () => json(good.replace('"resultVersion":1', '"resultVersion":Infinity')), /not JSON/],
  ["two documents", () => json(`${good}\n${good}`), /not JSON/],
  ["another version", () => resultZip({ ...EMPTY, resultVersion: 2 }), /resultVersion/],
  ["an unknown key", () => resultZip({ ...EMPTY, pullRequest: 12 }), /pullRequest/],
  ["a commit that is a ref", () => resultZip({ ...EMPTY, commit: "main" }), /commit/],
  ["a path that leaves", () => run({ metrics: { "../m.json": { a: 1 } } }), /Invalid key/],
  ["a name with markup", () => run({ pipeline: "<b>p</b>" }), /name is letters/],
  ["a record of a later version", () => run({ recordVersion: 2 }), /recordVersion/],
  ["a stage key that is none", () => run({ stages: [{ ...stage, key: "../../x" }] }), /stage key/],
  ["a text where a number belongs", () => run({ metrics: { "m.json": { a: "0.99" } } }), /metrics\.m\.json\.a/],
  ["NaN as text", () => run({ metrics: { "m.json": { a: "NaN" } } }), /metrics\.m\.json\.a/],
  ["a time before time", () => run({ startedAt: "yesterday" }), /startedAt/],
  ["a million metrics", () => run({ metrics: { "m.json": numbers(1_000_000) } }), /more than 20000 members/],
  [
    "100 MB of metric names",
    () =>
      run({
        metrics: {
          "m.json": Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`${at}${"n".repeat(2 ** 20)}`, 1])),
        },
      }),
    /larger than/,
  ],
  ["a metric name of a megabyte", () => run({ metrics: { "m.json": { ["n".repeat(2 ** 20)]: 1 } } }), /a name of more/],
  ["a reason of a megabyte", () => run({ stages: [{ ...stage, reason: "r".repeat(2 ** 20) }] }), /a text of more/],
  [
    "a schema's message that quotes a megabyte",
    () => resultZip({ ...EMPTY, ["k".repeat(900)]: 1, ["l".repeat(900)]: 1 }),
    /schema/,
  ],
  ["a negative time", () => run({ ms: -1 }), /ms/],
  ["ten thousand runs", () => resultZip({ ...EMPTY, runs: Array.from({ length: 10_000 }, () => record) }), /runs/],
  ["a failure of many pages", () => resultZip({ ...EMPTY, failures: ["x".repeat(50_000)] }), /failures/],
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

test("of a member that is there twice one value counts, for whoever reads it", async () => {
  const other = "b".repeat(40);
  const read = await readResult(json(good.replace('"commit"', `"commit":"${other}","commit"`)));
  expect(read).toEqual({ ok: true, value: EMPTY });
});

test("bytes around and behind an entry are nobody's", async () => {
  const [sound, hidden] = [resultZip(EMPTY), resultZip({ ...EMPTY, failures: ["hidden"] })];
  const read = await readResult(Buffer.concat([hidden, sound]));
  expect(read.ok ? read.value : message(read.failures[0])).not.toMatchObject({ failures: ["hidden"] });
});
