import { execFileSync } from "node:child_process";
import { lstatSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isDigest } from "../../src/core/index.ts";
import type { RelativePath } from "../../src/core/index.ts";
import { workingTree } from "../../src/git/index.ts";
import {
  blobKey,
  closure,
  contentDigests,
  layoutKey,
  localCache,
  snapshot,
  TREE_LIMITS,
} from "../../src/store/index.ts";
import { writeManifest } from "../../src/store/manifest.ts";
import type { Scan } from "../../src/store/scan.ts";
import { StatIndex } from "../../src/store/stat-index.ts";
import { contextIn, makeExecutable, repository, temporary, write } from "../git/repository.ts";
import { collect, must, name256, remove } from "./contract.ts";

const data = "data" as RelativePath;
const INDEX = ".lockstep/stat-index";

test("a folder is stored with its parts first, then where they lie, then its manifest", async () => {
  using folder = temporary();
  write(folder.path, { "data/a": "a", "data/b/c": "c", "data/b/same": "c" });
  const context = contextIn(folder.path);
  const cache = localCache(context);
  const taken = must(await snapshot(context, data, cache));
  expect(taken).toMatchObject({ kind: "tree", size: 3, files: 3 });
  const effects = context.events.filter(({ type }) => type === "effect");
  expect(effects.map((event) => ("name" in event ? event.name : ""))).toEqual([
    "blob stored",
    "layout stored",
    "blob stored",
    "tree stored",
  ]);
  const [pack] = must(await cache.layout(taken.digest))!.packs;
  const keys = [blobKey(pack!), layoutKey(taken.digest), blobKey(taken.digest)];
  expect(must(await closure(taken, cache))).toEqual(keys);
  expect((await collect(cache)).map(({ digest }) => digest)).toEqual([pack!, taken.digest].sort());
});

test("only hashing stores nothing", async () => {
  using folder = temporary();
  write(folder.path, { "data/a": "a" });
  const context = contextIn(folder.path);
  must(await snapshot(context, data));
  expect(await collect(localCache(context))).toEqual([]);
});

test("what is not there, links and special files are failures that name them", async () => {
  using folder = temporary();
  const context = contextIn(folder.path);
  expect(await snapshot(context, data)).toMatchObject({ failures: [{ code: "file-missing", path: "data" }] });
  write(folder.path, { "data/a": "a" });
  symlinkSync("a", join(folder.path, "data/link"));
  expect(await snapshot(context, data)).toMatchObject({
    failures: [{ code: "unsupported", what: "data/link: a symbolic link in data" }],
  });
  rmSync(join(folder.path, "data/link"));
  execFileSync("mkfifo", [join(folder.path, "data/pipe")]);
  expect(await snapshot(context, data)).toMatchObject({
    failures: [{ code: "unsupported", what: "data/pipe: a special file in data" }],
  });
  rmSync(join(folder.path, "data"), { recursive: true });
  symlinkSync("/etc", join(folder.path, "data"));
  expect(await snapshot(context, data)).toMatchObject({ failures: [{ what: "data: a symbolic link in data" }] });
});

test("the executable bit is part of a folder's content, other bits are not", async () => {
  using folder = temporary();
  write(folder.path, { "data/run.sh": "x" });
  const context = contextIn(folder.path);
  const before = must(await snapshot(context, data));
  execFileSync("chmod", ["0640", join(folder.path, "data/run.sh")]);
  expect(must(await snapshot(context, data))).toEqual(before);
  makeExecutable(join(folder.path, "data/run.sh"));
  expect(must(await snapshot(context, data)).digest).not.toBe(before.digest);
});

test("a lone file that did not change is not read again, in this process or the next", async () => {
  using folder = temporary();
  write(folder.path, { "data/a": "a" });
  age(folder.path, "data/a");
  await nextTick(folder.path);
  const file = "data/a" as RelativePath;
  expect(must(await snapshot(contextIn(folder.path), file)).digest).toBe(name256(Buffer.from("a")));
  // The index is believed, so a lie in it shows that the file was not read.
  const index = join(folder.path, INDEX);
  const lie = name256(Buffer.from("lie"));
  writeFileSync(index, readFileSync(index, "utf8").replace(name256(Buffer.from("a")), lie));
  expect(must(await snapshot(contextIn(folder.path), file)).digest).toBe(lie);
});

test("a change of content, size, time or inode is seen", async () => {
  using folder = temporary();
  const path = join(folder.path, "data/a");
  write(folder.path, { "data/a": "one" });
  age(folder.path, "data/a");
  await nextTick(folder.path);
  const digest = async (): Promise<string> =>
    must(await snapshot(contextIn(folder.path), "data/a" as RelativePath)).digest;
  expect(await digest()).toBe(name256(Buffer.from("one")));
  expect(readFileSync(join(folder.path, INDEX), "utf8")).toContain(" data/a\n");
  const { atime, mtime } = statSync(path);
  writeFileSync(path, "two");
  utimesSync(path, atime, mtime); // a time set back does not hide it
  expect(await digest()).toBe(name256(Buffer.from("two")));
  rmSync(path);
  write(folder.path, { "data/a": "six" });
  utimesSync(path, atime, mtime);
  expect(await digest()).toBe(name256(Buffer.from("six")));
});

test("a file whose time is not before the mark is not believed: a later write could carry the same time", async () => {
  using folder = temporary();
  const path = join(folder.path, "a");
  writeFileSync(path, "one");
  const seen = lstatSync(path, { bigint: true });
  const digest = name256(Buffer.from("one"));
  const index = await StatIndex.load(contextIn(folder.path), "stat-index", isDigest);
  index.remember("a", seen, digest, seen.ctimeNs + 1n);
  expect(index.lookUp("a", seen)).toBe(digest);
  index.remember("a", seen, digest, seen.ctimeNs); // the file was written in the very tick of the mark
  expect(index.lookUp("a", seen)).toBeUndefined();
});

test("a mark is made by the clock of the files: it is never after a file written later", async () => {
  using folder = temporary();
  const index = await StatIndex.load(contextIn(folder.path), "stat-index", isDigest);
  for (let round = 0; round < 50; round++) {
    const mark = await index.mark();
    writeFileSync(join(folder.path, "a"), "later");
    expect(lstatSync(join(folder.path, "a"), { bigint: true }).mtimeNs >= mark, `${round}`).toBe(true);
  }
});

test("a damaged stat index counts as empty", async () => {
  using folder = temporary();
  write(folder.path, { "data/a": "a", "data/b": "b" });
  age(folder.path, "data/a", "data/b");
  await nextTick(folder.path);
  const look = async (): Promise<string[]> =>
    Promise.all(
      ["data/a", "data/b"].map(
        async (path) => must(await snapshot(contextIn(folder.path), path as RelativePath)).digest,
      ),
    );
  const whole = await look();
  const index = join(folder.path, INDEX);
  const text = readFileSync(index, "utf8");
  const damages = ["", "garbage", text.slice(0, -20), text.replace("sha256:", "sha512:"), text.replace("/1", "/9")];
  for (const broken of damages) {
    writeFileSync(index, broken);
    expect(await look()).toEqual(whole);
  }
});

test("a digest the index knows is stored when the store does not have it", async () => {
  using folder = temporary();
  write(folder.path, { "data/a": "a" });
  const context = contextIn(folder.path);
  const cache = localCache(context);
  const taken = must(await snapshot(context, data, cache));
  for (const { digest } of await collect(cache)) await remove(cache, digest);
  expect(must(await snapshot(context, data, cache))).toEqual(taken);
  expect(await collect(cache)).toHaveLength(2);
});

test("state is ignored by git and no part of the working tree's content", async () => {
  using folder = temporary();
  repository(folder.path);
  write(folder.path, { "data/a": "a" });
  const context = contextIn(folder.path);
  const before = must((await contentDigests(context, workingTree(context), [{ path: "", apart: [] }]))[0]!);
  must(await snapshot(context, data, localCache(context)));
  expect(readFileSync(join(folder.path, ".lockstep/.gitignore"), "utf8")).toBe("*\n");
  expect(must((await contentDigests(context, workingTree(context), [{ path: "", apart: [] }]))[0]!)).toEqual(before);
});

test("an interrupted snapshot says so", async () => {
  using folder = temporary();
  write(folder.path, { "data/a": "a" });
  const context = { ...contextIn(folder.path), signal: AbortSignal.abort() };
  expect(await snapshot(context, data)).toMatchObject({ failures: [{ code: "interrupted" }] });
});

test("a folder with no files is a tree of nothing", async () => {
  using folder = temporary();
  mkdirSync(join(folder.path, "data/empty/deeper"), { recursive: true });
  const taken = must(await snapshot(contextIn(folder.path), data));
  expect(taken).toMatchObject({ kind: "tree", files: 0, size: 0 });
});

test("a folder with more files than a tree may have is refused when it is taken, not when it is read", async () => {
  using folder = temporary();
  const context = contextIn(folder.path);
  const scanOf = (count: number): Scan => ({
    root: "data",
    clean: false,
    folders: new Map([
      [
        "data",
        {
          names: Array.from({ length: count }, (_, at) => String(at).padStart(7, "0")).join("\0"),
          count,
          stats: new Float64Array(4 * count),
          executable: new Uint8Array(count),
          digests: Buffer.alloc(32 * count),
        },
      ],
    ]),
  });
  const { driver } = localCache(context);
  expect(await writeManifest(scanOf(TREE_LIMITS.entries + 1), driver)).toMatchObject({
    failures: [{ code: "tree-invalid", tree: "data", problem: expect.stringContaining("1000001 files") }],
  });
  expect(await collect(localCache(context))).toEqual([]);
});

function age(folder: string, ...paths: string[]): void {
  for (const path of paths) utimesSync(join(folder, path), 1_000_000_000, 1_000_000_000);
}

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
