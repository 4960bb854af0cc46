import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import { expect, test } from "vitest";
import { readPredictions, readRecorded } from "../../src/metrics/index.ts";
import { blobStore } from "../../src/store/blob-store.ts";
import { folderStore } from "../../src/store/index.ts";
import type { Driver, LocalStore, Store } from "../../src/store/index.ts";
import { contextIn, temporary } from "../git/repository.ts";
import { must } from "../store/contract.ts";
import { damage } from "../store/rig.ts";
import { BINARY, listed } from "./helpers.ts";

const TEXT = "id,label,prediction,score\na,1,1,0.9\nb,0,0,0.2\n";

/** A store in a folder, and the same as a remote whose objects are no files of this machine. */
function stores(path: string): { local: LocalStore; remote: Store; left: () => string[]; folder: string } {
  const folder = join(path, "store");
  const local = folderStore(contextIn(path), folder);
  const driver = Object.fromEntries(Object.entries(local.driver).filter(([name]) => name !== "pathOf"));
  const held = join(path, ".lockstep", "tmp");
  const left = (): string[] => (existsSync(held) ? readdirSync(held) : []);
  return { local, remote: blobStore(contextIn(path), driver as unknown as Driver), left, folder };
}

test("recorded predictions are read from a file that is there as long as it is read", async () => {
  using place = temporary();
  const { local, remote, left } = stores(place.path);
  const digest = must(await local.put(Buffer.from(TEXT)));
  for (const store of [local, remote]) {
    const read = must(await readRecorded([store], { digest, commit: null }, BINARY));
    expect([read.digest, read.ids.length, read.ids.at(1)]).toEqual([digest, 2, "b"]);
    const held = must(await store.hold(digest));
    expect(existsSync(held.path)).toBe(true);
    expect(left()).toHaveLength(store === remote ? 1 : 0);
    await held[Symbol.asyncDispose]();
    expect(left()).toEqual([]);
  }
  expect(must(await local.has(digest))).toBe(true);
});

test("every format is read from a file as it is from its bytes", async () => {
  using place = temporary();
  const { remote, left } = stores(place.path);
  const [id, label, score] = [
    ["a", "b"],
    [1, 0],
    [0.9, 0.2],
  ];
  const columnData = Object.entries({ id, label, prediction: label, score }).map(([name, data]) => ({ name, data }));
  const files = {
    csv: TEXT,
    tsv: TEXT.replaceAll(",", "\t"),
    jsonl: '{"id":"a","label":1,"prediction":1,"score":0.9}\n{"id":"b","label":0,"prediction":0,"score":0.2}\n',
    parquet: new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize: 1 })),
  };
  for (const [format, bytes] of Object.entries(files)) {
    const evaluation = { ...BINARY, predictions: `p.${format}` as (typeof BINARY)["predictions"] };
    const digest = must(await remote.put(Buffer.from(bytes)));
    const recorded = must(await readRecorded([remote], { digest, commit: null }, evaluation));
    const read = must(await readPredictions({ file: "p", bytes: Buffer.from(bytes), evaluation }));
    expect({ ...recorded, ids: listed(recorded.ids) }, format).toEqual({ ...read, ids: ["a", "b"] });
  }
  expect(left()).toEqual([]);
});

test("what cannot be read leaves no file either", async () => {
  using place = temporary();
  const { local, remote, left } = stores(place.path);
  const digest = must(await local.put(Buffer.from(`${TEXT}a,1,1,0.9\n`)));
  for (const store of [local, remote]) {
    const read = await readRecorded([store], { digest, file: "p.csv", commit: null }, BINARY);
    const problem = 'the id "a" is already on line 2';
    expect(read).toMatchObject({ ok: false, failures: [{ code: "predictions-invalid", at: { line: 4 }, problem }] });
    expect(left()).toEqual([]);
  }
});

test("bytes that changed in the store are refused, also those that could be read", async () => {
  using place = temporary();
  const { local, remote, left, folder } = stores(place.path);
  const digest = must(await local.put(Buffer.from(TEXT)));
  damage(folder, digest, () => Buffer.from(TEXT.replace("0.9", "0.8")));
  for (const store of [local, remote]) {
    const read = await readRecorded([store], { digest, commit: null }, BINARY);
    expect(read).toMatchObject({ ok: false, failures: [{ code: "blob-corrupt", digest }] });
    expect(left()).toEqual([]);
  }
});

test("the first store that has them is read, and none that has says what would make them", async () => {
  using place = temporary();
  const [near, far] = [stores(join(place.path, "near")), stores(join(place.path, "far"))];
  const digest = must(await far.local.put(Buffer.from(TEXT)));
  must(await readRecorded([near.local, far.local], { digest, commit: null }, BINARY));
  const read = await readRecorded([near.local], { digest, commit: "c".repeat(40) }, BINARY);
  const hint = expect.stringContaining("`lockstep repro cccccccccccc`");
  expect(read).toMatchObject({
    ok: false,
    failures: [{ code: "blob-missing", digest, neededBy: BINARY.predictions, hint }],
  });
});

test("a file that is there but cannot be opened is a failure, not a crash", async () => {
  using place = temporary();
  writeFileSync(join(place.path, ".lockstep"), "in the way");
  const { local, remote } = stores(place.path);
  const digest = must(await local.put(Buffer.from(TEXT)));
  expect(await readRecorded([remote], { digest, commit: null }, BINARY)).toMatchObject({
    ok: false,
    failures: [{ code: "external", what: "a temporary file" }],
  });
});
