import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Digest } from "../../src/core/index.ts";
import { digestBytes } from "../../src/store/digest-table.ts";
import { FolderIndex } from "../../src/store/folder-index.ts";
import { entriesAt, localCache, snapshot } from "../../src/store/index.ts";
import { contextIn, temporary, write } from "../git/repository.ts";
import { must, name256 } from "./contract.ts";
import { DATA } from "./rig.ts";

const INDEX = ".lockstep/folder-index";
const files = { "data/keep": "keep", "data/a": "a", "data/b/c": "c", "data/b/d": "d", "data/e/f/g": "g" };

/** A folder that was taken once, with times long ago, so that every file of it is relied on. */
async function known(): Promise<{ path: string; digest: Digest } & Disposable> {
  const folder = temporary();
  write(folder.path, files);
  for (const path of Object.keys(files)) utimesSync(join(folder.path, path), 1_000_000_000, 1_000_000_000);
  await nextTick(folder.path);
  const { digest } = must(await snapshot(contextIn(folder.path), DATA));
  return { path: folder.path, digest, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

/** The digest that a process of its own sees. */
async function look(path: string): Promise<Digest> {
  return must(await snapshot(contextIn(path), DATA)).digest;
}

/** The digest of the same files where nothing is known of them. */
async function fresh(path: string): Promise<Digest> {
  rmSync(join(path, ".lockstep"), { recursive: true });
  return must(await snapshot(contextIn(path), DATA)).digest;
}

/** Makes the index lie on a file, and gives what it says then: whoever believes it did not read the file. */
function lie(path: string, text: string): Digest {
  const bytes = readFileSync(join(path, INDEX));
  const at = bytes.indexOf(digestBytes(name256(Buffer.from(text))));
  expect(at).toBeGreaterThan(0);
  const lied = name256(Buffer.from("lie"));
  digestBytes(lied).copy(bytes, at);
  writeFileSync(join(path, INDEX), bytes);
  return lied;
}

async function digestsOf(path: string): Promise<Record<string, Digest>> {
  const there = must(await entriesAt(contextIn(path), DATA))!;
  return Object.fromEntries(there.entries.map((entry) => [entry.path, entry.digest]));
}

describe("nothing moved", () => {
  test("no file is read, in a process of its own", async () => {
    using at = await known();
    const lied = lie(at.path, "c");
    expect(await look(at.path)).toBe(at.digest);
    expect((await digestsOf(at.path))["b/c"]).toBe(lied);
  });

  test("the index is not written again", async () => {
    using at = await known();
    const before = statSync(join(at.path, INDEX), { bigint: true });
    await look(at.path);
    expect(statSync(join(at.path, INDEX), { bigint: true }).ino).toBe(before.ino);
  });

  test("what is stored elsewhere is read again where the cache does not have it", async () => {
    using at = await known();
    const context = contextIn(at.path);
    expect(must(await snapshot(context, DATA, localCache(context))).digest).toBe(at.digest);
    expect(must(await localCache(context).has(at.digest))).toBe(true);
  });
});

describe("something moved", () => {
  const changes: Record<string, (path: string) => void> = {
    "a file with other bytes": (path) => writeFileSync(join(path, "data/b/c"), "x"),
    "a file with other bytes and its former time": (path) => {
      const { atime, mtime } = statSync(join(path, "data/b/c"));
      writeFileSync(join(path, "data/b/c"), "x");
      utimesSync(join(path, "data/b/c"), atime, mtime);
    },
    "another file moved into its place, of the same size and time": (path) => {
      write(path, { other: "x" });
      utimesSync(join(path, "other"), 1_000_000_000, 1_000_000_000);
      renameSync(join(path, "other"), join(path, "data/b/c"));
    },
    "a file more": (path) => write(path, { "data/b/a": "a" }),
    "a file less": (path) => rmSync(join(path, "data/b/c")),
    "a folder more": (path) => write(path, { "data/b/n/m": "m" }),
    "a folder less": (path) => rmSync(join(path, "data/b"), { recursive: true }),
    "a file that became a folder": (path) => {
      rmSync(join(path, "data/a"));
      write(path, { "data/a/b": "b" });
    },
    "a folder renamed": (path) => renameSync(join(path, "data/e"), join(path, "data/z")),
    "a file renamed": (path) => renameSync(join(path, "data/b/c"), join(path, "data/b/z")),
    "two files exchanged": (path) => {
      renameSync(join(path, "data/b/c"), join(path, "x"));
      renameSync(join(path, "data/b/d"), join(path, "data/b/c"));
      renameSync(join(path, "x"), join(path, "data/b/d"));
    },
    "a file that became executable": (path) => chmodSync(join(path, "data/b/c"), 0o755),
  };

  test.each(Object.entries(changes))("%s is seen, and no other file is read", async (_, change) => {
    using at = await known();
    change(at.path);
    const seen = await look(at.path);
    expect(seen).not.toBe(at.digest);
    expect(await fresh(at.path)).toBe(seen);
    using other = await known();
    const lied = lie(other.path, "keep");
    change(other.path);
    expect((await digestsOf(other.path))["keep"]).toBe(lied);
  });

  test("a mode that is not content, and an empty folder, change nothing", async () => {
    using at = await known();
    chmodSync(join(at.path, "data/b/c"), 0o640);
    mkdirSync(join(at.path, "data/empty"));
    expect(await look(at.path)).toBe(at.digest);
  });
});

test("a file that is written again in the tick in which it was read is read again", async () => {
  using folder = temporary();
  for (let round = 0; round < 60; round++) {
    const context = contextIn(folder.path);
    write(folder.path, { "data/a": "one" });
    const first = must(await snapshot(context, DATA)).digest;
    write(folder.path, { "data/a": "two" }); // the same size and, often, the same time
    expect(must(await snapshot(contextIn(folder.path), DATA)).digest, `${round}`).not.toBe(first);
  }
});

test("a file whose time is not before the mark is not relied on", async () => {
  using folder = temporary();
  write(folder.path, { "data/a": "a" });
  const ahead = lstatSync(join(folder.path, "data/a")).mtimeMs / 1000 + 3600;
  utimesSync(join(folder.path, "data/a"), ahead, ahead);
  await look(folder.path);
  lie(folder.path, "a");
  expect(await digestsOf(folder.path)).toEqual({ a: name256(Buffer.from("a")) });
});

test("a damaged index counts as empty", async () => {
  using at = await known();
  const index = join(at.path, INDEX);
  const bytes = readFileSync(index);
  const end = bytes.indexOf(0x0a, bytes.indexOf(0x0a) + 1);
  const damages: Buffer[] = [
    Buffer.alloc(0),
    Buffer.from("garbage"),
    bytes.subarray(0, -1),
    bytes.subarray(0, end),
    bytes.subarray(0, end + 7),
    Buffer.concat([bytes, Buffer.from("x")]),
    Buffer.from(bytes.toString("latin1").replace("index/1", "index/9"), "latin1"),
    Buffer.from(bytes.toString("latin1").replace("sha256:", "sha512:"), "latin1"),
    Buffer.from(bytes.toString("latin1").replace('[["data",', "[[null,"), "latin1"),
    Buffer.concat([bytes.subarray(0, end + 1), Buffer.alloc(12, 0xff)]),
  ];
  for (const [number, broken] of damages.entries()) {
    writeFileSync(index, broken);
    expect(await look(at.path), `${number}`).toBe(at.digest);
  }
});

test("an index that cannot be written is a warning", async () => {
  using folder = temporary();
  write(folder.path, files);
  mkdirSync(join(folder.path, INDEX, "in the way"), { recursive: true });
  const context = contextIn(folder.path);
  must(await snapshot(context, DATA));
  expect(context.events).toContainEqual({ type: "warning", message: expect.stringContaining("folder index") });
  expect(existsSync(join(folder.path, INDEX, "in the way"))).toBe(true);
});

test("roots inside one another do not speak for each other", async () => {
  using at = await known();
  const context = contextIn(at.path);
  const inner = must(await snapshot(context, "data/b" as typeof DATA)).digest;
  writeFileSync(join(at.path, "data/b/c"), "changed");
  expect(await look(at.path)).not.toBe(at.digest);
  const index = await FolderIndex.load(contextIn(at.path));
  expect(index.root("data/b")).toBeUndefined();
  expect(must(await snapshot(contextIn(at.path), "data/b" as typeof DATA)).digest).not.toBe(inner);
});

/** Returns when the clock of the file system has moved on from the times that files were given so far. */
async function nextTick(folder: string): Promise<void> {
  const probe = join(folder, "probe");
  const time = (): bigint => {
    writeFileSync(probe, "x");
    return statSync(probe, { bigint: true }).mtimeNs;
  };
  const start = time();
  while (time() === start) await new Promise(setImmediate);
  rmSync(probe);
}
