import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addData, diffData, pullData } from "../../src/data/index.ts";
import type { DataDiff } from "../../src/data/index.ts";
import { diffTrees } from "../../src/data/diff-trees.ts";
import { digestOf, localCache } from "../../src/store/index.ts";
import type { TreeEntry } from "../../src/store/index.ts";
import { compareCodeUnits } from "../../src/core/index.ts";
import { contextIn, makeExecutable, repository, sh, temporary, write } from "../git/repository.ts";
import { must } from "../store/contract.ts";

function entry(path: string, content: string, mode: TreeEntry["mode"] = "644"): TreeEntry {
  return { path, mode, size: content.length, digest: digestOf(Buffer.from(content)) };
}

function tree(...entries: TreeEntry[]): TreeEntry[] {
  return entries.sort((a, b) => compareCodeUnits(a.path, b.path));
}

describe("two lists of files", () => {
  test("added, removed, changed, renamed and modes are told apart", () => {
    const before = tree(entry("a", "1"), entry("b", "2"), entry("c", "3"), entry("old", "4"), entry("run", "5"));
    const after = tree(
      entry("a", "1"),
      entry("b", "two"),
      entry("d", "6"),
      entry("new", "4"),
      entry("run", "5", "755"),
    );
    const found = diffTrees(before, after);
    expect(found.added.map(({ path }) => path)).toEqual(["d"]);
    expect(found.removed.map(({ path }) => path)).toEqual(["c"]);
    expect(found.changed).toEqual([{ before: entry("b", "2"), after: entry("b", "two") }]);
    expect(found.renamed).toEqual([{ before: entry("old", "4"), after: entry("new", "4") }]);
    expect(found.modes).toEqual([{ before: entry("run", "5"), after: entry("run", "5", "755") }]);
  });

  test("of files with the same bytes, those that keep their name are paired first", () => {
    const before = tree(entry("x/1.png", "same"), entry("x/2.png", "same"), entry("x/3.png", "same"));
    const after = tree(entry("y/0.png", "same"), entry("y/2.png", "same"));
    const pairs = diffTrees(before, after).renamed.map((file) => [file.before.path, file.after.path]);
    expect(pairs).toEqual([
      ["x/1.png", "y/0.png"],
      ["x/2.png", "y/2.png"],
    ]);
    expect(diffTrees(before, after).removed.map(({ path }) => path)).toEqual(["x/3.png"]);
  });

  test("applied to the first, the difference gives the second; backwards, it is mirrored", () => {
    const files = fc.dictionary(
      fc.constantFrom("a", "a/b", "b", "c/d", "c/e", "é", "z"),
      fc.constantFrom("1", "2", "3"),
    );
    fc.assert(
      fc.property(files, files, (one, two) => {
        const [before, after] = [one, two].map((side) =>
          tree(...Object.entries(side).map(([path, text]) => entry(path, text))),
        );
        const there = diffTrees(before!, after!);
        const result = new Map(before!.map((file) => [file.path, file]));
        for (const { path } of there.removed) result.delete(path);
        for (const pair of there.renamed) result.delete(pair.before.path);
        for (const file of there.added) result.set(file.path, file);
        for (const pair of [...there.changed, ...there.modes, ...there.renamed])
          result.set(pair.after.path, pair.after);
        expect(tree(...result.values())).toEqual(after);
        const back = diffTrees(after!, before!);
        expect(back.added.map(({ digest }) => digest).sort()).toEqual(there.removed.map(({ digest }) => digest).sort());
        expect(back.renamed).toHaveLength(there.renamed.length);
      }),
    );
  });

  test("100,000 files on both sides, a tenth of them renamed", () => {
    const before = tree(...Array.from({ length: 100_000 }, (_, at) => entry(`f/${at % 100}/${at}`, `${at}`)));
    const after = before.map((file, at) => (at % 10 === 0 ? { ...file, path: `${file.path}.moved` } : file));
    expect(diffTrees(before, tree(...after)).renamed).toHaveLength(10_000);
  });
});

interface Rig extends Disposable {
  readonly path: string;
  readonly context: ReturnType<typeof contextIn>;
  readonly commit: (message: string) => void;
  readonly diff: (from?: string, to?: string) => Promise<DataDiff>;
}

function rig(): Rig {
  const folder = temporary();
  const path = repository(join(folder.path, "r"));
  const context = contextIn(path);
  return {
    path,
    context,
    commit: (message) => void (sh(path, "add", "--all"), sh(path, "commit", "--quiet", `--message=${message}`)),
    diff: async (from = "HEAD", to) =>
      must(await diffData(context, { from, ...(to === undefined ? {} : { to }), stores: [localCache(context)] })),
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

describe("datasets", () => {
  test("the working tree against HEAD: what stands there counts, added or not", async () => {
    using at = rig();
    write(at.path, { "data/f/a": "a", "data/f/b": "b", "data/t.csv": "1", "data/same/x": "x" });
    for (const path of ["data/f", "data/t.csv", "data/same"]) must(await addData(at.context, { path }));
    at.commit("data");
    expect((await at.diff()).datasets).toEqual([]);
    renameSync(join(at.path, "data/f/b"), join(at.path, "data/f/c"));
    write(at.path, { "data/f/new": "new", "data/t.csv": "12" });
    makeExecutable(join(at.path, "data/f/a"));
    const found = await at.diff();
    expect(found).toMatchObject({ from: { label: "HEAD" }, to: { label: "the working tree", commit: null } });
    expect(found.datasets).toMatchObject([
      {
        name: "f",
        change: "changed",
        before: { size: 2, files: 2 },
        after: { size: 5, files: 3, present: true },
        files: {
          added: [{ path: "new" }],
          removed: [],
          changed: [],
          renamed: [{ before: { path: "b" }, after: { path: "c" } }],
          modes: [{ before: { path: "a", mode: "644" }, after: { mode: "755" } }],
        },
      },
      { name: "t", files: { changed: [{ before: { path: "t.csv", size: 1 }, after: { size: 2 } }] } },
    ]);
  });

  test("between two revisions: datasets come, go, and move as a whole", async () => {
    using at = rig();
    write(at.path, { "data/f/a": "a", "data/gone": "1" });
    must(await addData(at.context, { path: "data/f", name: "f" }));
    must(await addData(at.context, { path: "data/gone" }));
    at.commit("one");
    renameSync(join(at.path, "data/f"), join(at.path, "data/moved"));
    write(at.path, { "data/come": "22" });
    rmSync(join(at.path, "data.lock.json"));
    must(await addData(at.context, { path: "data/moved", name: "f" }));
    must(await addData(at.context, { path: "data/come" }));
    at.commit("two");
    expect((await at.diff("HEAD~1", "HEAD")).datasets).toMatchObject([
      { name: "come", change: "added", before: null, after: { size: 2 }, files: { added: [{ path: "come" }] } },
      { name: "f", change: "changed", before: { path: "data/f" }, after: { path: "data/moved" }, files: { added: [] } },
      { name: "gone", change: "removed", after: null, files: { removed: [{ path: "gone", size: 1 }] } },
    ]);
  });

  test("data that is not here, or only in part, counts as what the lockfile says", async () => {
    using at = rig();
    write(at.path, { "data/f/a": "a", "data/f/b": "b" });
    must(await addData(at.context, { path: "data/f" }));
    at.commit("one");
    rmSync(join(at.path, "data"), { recursive: true });
    expect((await at.diff()).datasets).toEqual([]);
    must(await pullData(at.context, { paths: ["data/f/a"], stores: [localCache(at.context)] }));
    expect((await at.diff()).datasets).toEqual([]);
    write(at.path, { "data/f/a": "edited" });
    expect((await at.diff()).datasets).toMatchObject([{ files: { changed: [{ after: { path: "a" } }], removed: [] } }]);
  });

  test("an old version that no store has hides its files, not the other datasets", async () => {
    using at = rig();
    write(at.path, { "data/f/a": "a", "data/g/a": "a" });
    must(await addData(at.context, { path: "data/f" }));
    must(await addData(at.context, { path: "data/g", name: "g" }));
    at.commit("one");
    rmSync(join(at.path, ".lockstep"), { recursive: true });
    write(at.path, { "data/f/a": "1", "data/g/a": "2" });
    const found = await at.diff();
    expect(found.datasets).toMatchObject([
      { name: "f", change: "changed", files: null },
      { name: "g", files: null },
    ]);
    expect(at.context.events.filter(({ type }) => type === "warning")).toHaveLength(2);
  });

  test("a revision that there is not, and a lockfile of the future, are told", async () => {
    using at = rig();
    const stores = [localCache(at.context)];
    expect(await diffData(at.context, { from: "nope", stores })).toMatchObject({
      failures: [{ code: "unknown-name", what: "revision", name: "nope" }],
    });
    writeFileSync(join(at.path, "data.lock.json"), '{"lockfileVersion": 2, "datasets": {}}');
    expect(await diffData(at.context, { from: "HEAD", stores })).toMatchObject({
      failures: [{ code: "file-invalid", problem: expect.stringContaining("reads version 1") }],
    });
  });
});
