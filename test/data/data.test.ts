import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Tracked } from "../../src/data/index.ts";
import { describe as print } from "../../src/core/index.ts";
import { addData, datasetAt, loadDataLock, pullData, pushData, statusData, verifyData } from "../../src/data/index.ts";
import { atRevision, workingTree } from "../../src/git/index.ts";
import { localCache, openStore } from "../../src/store/index.ts";
import type { Store } from "../../src/store/index.ts";
import { contextIn, repository, sh, temporary, write } from "../git/repository.ts";
import { collect, must, name256, remove } from "../store/contract.ts";

type Rig = Disposable & { path: string; context: ReturnType<typeof contextIn>; team: Store; lock: () => string };

function rig(): Rig {
  const folder = temporary();
  const path = repository(join(folder.path, "repository"));
  const context = contextIn(path);
  return {
    path,
    context,
    team: must(openStore(context, "file:../team")),
    lock: () => readFileSync(join(path, "data.lock.json"), "utf8"),
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

describe("add", () => {
  test("writes the lockfile in its one spelling, stores the bytes and ignores the path", async () => {
    using at = rig();
    write(at.path, { "data/b.csv": "id,y\n1,2\n", "data/folder/x": "x", "data/folder/y": "y" });
    expect(must(await addData(at.context, { path: "data/folder/", name: "zeta" }))).toMatchObject({
      name: "zeta",
      changed: true,
      ignored: true,
    });
    expect(must(await addData(at.context, { path: "./data/b.csv" })).name).toBe("b");
    expect(at.lock()).toBe(`{
  "datasets": {
    "b": {
      "digest": "sha256:3a2be4cfde7dba7ababd196a58341572ffb0011e1beb18d922fd4bbcd886863d",
      "files": 1,
      "kind": "file",
      "path": "data/b.csv",
      "size": 9
    },
    "zeta": {
      "digest": "sha256:465aeec6fac2b1e154b1c2bd11e93310fed948d282fd4f914a14a20e57233fb5",
      "files": 2,
      "kind": "tree",
      "path": "data/folder",
      "size": 2
    }
  },
  "lockfileVersion": 1
}
`);
    expect(readFileSync(join(at.path, ".gitignore"), "utf8")).toBe("/data/folder\n/data/b.csv\n");
    expect(sh(at.path, "status", "--porcelain", "--untracked-files=all").split("\n")).toEqual([
      "?? .gitignore",
      "?? data.lock.json",
    ]);
    expect(await collect(localCache(at.context))).toHaveLength(3); // the file, and the folder's pack and manifest
  });

  test("again changes nothing when nothing changed, and one entry when one file did", async () => {
    using at = rig();
    write(at.path, { "data/a": "a", "data/b": "b" });
    must(await addData(at.context, { path: "data/a" }));
    must(await addData(at.context, { path: "data/b" }));
    const before = at.lock();
    expect(must(await addData(at.context, { path: "data/a" }))).toMatchObject({ changed: false, ignored: false });
    expect(at.lock()).toBe(before);
    appendFileSync(join(at.path, "data/a"), "more");
    expect(must(await addData(at.context, { path: "data/a" }))).toMatchObject({ name: "a", changed: true });
    const differing = at
      .lock()
      .split("\n")
      .filter((line, index) => line !== before.split("\n")[index]);
    expect(differing).toHaveLength(2); // digest and size
  });

  test("a new name moves the entry", async () => {
    using at = rig();
    write(at.path, { "data/a": "a" });
    must(await addData(at.context, { path: "data/a" }));
    expect(must(await addData(at.context, { path: "data/a", name: "b" })).changed).toBe(true);
    expect(Object.keys(must(await loadDataLock(workingTree(at.context))).datasets)).toEqual(["b"]);
  });

  test("leaves .gitignore alone for what git tracks or ignores already", async () => {
    using at = rig();
    write(at.path, { ".gitignore": "*.bin\n", "data/digits.csv": "1", "weights.bin": "w" });
    sh(at.path, "add", "--all");
    expect(must(await addData(at.context, { path: "data" })).ignored).toBe(false);
    expect(must(await addData(at.context, { path: "weights.bin" })).ignored).toBe(false);
    expect(readFileSync(join(at.path, ".gitignore"), "utf8")).toBe("*.bin\n");
  });

  test("an odd name is ignored by itself alone, after a last line without its end", async () => {
    using at = rig();
    write(at.path, { ".gitignore": "x", "d[1]*/a": "a", "d1x/a": "a" });
    must(await addData(at.context, { path: "d[1]*", name: "odd" }));
    expect(readFileSync(join(at.path, ".gitignore"), "utf8").startsWith("x\n/d")).toBe(true);
    expect(sh(at.path, "status", "--porcelain", "--untracked-files=all")).not.toContain("d[1]");
    expect(sh(at.path, "status", "--porcelain", "--untracked-files=all")).toContain("d1x/a");
  });

  test.each([
    ["../outside", {}, "usage"],
    ["/etc", {}, "usage"],
    [".", {}, "usage"],
    [".git/config", {}, "usage"],
    [".lockstep/cache", {}, "usage"],
    ["data/absent", {}, "file-missing"],
    ["data/new", { name: "no/slash" }, "usage"],
    ["data/new", { name: "known" }, "usage"],
    ["data", {}, "usage"],
    ["data/known/part", {}, "usage"],
  ])("refuses %s with %o: %s", async (path, options, code) => {
    using at = rig();
    write(at.path, { "data/known/part": "1", "data/new": "2" });
    must(await addData(at.context, { path: "data/known" }));
    const before = at.lock();
    expect(await addData(at.context, { path, ...options })).toMatchObject({ ok: false, failures: [{ code }] });
    expect(at.lock()).toBe(before);
  });
});

describe("the lockfile", () => {
  test("no file is an empty lock; at a revision it is that revision's", async () => {
    using at = rig();
    expect(must(await loadDataLock(workingTree(at.context)))).toEqual({ lockfileVersion: 1, datasets: {} });
    write(at.path, { "data/a": "a" });
    must(await addData(at.context, { path: "data/a" }));
    sh(at.path, "add", "data.lock.json");
    sh(at.path, "commit", "--quiet", "--message=lock");
    rmSync(join(at.path, "data.lock.json"));
    const revision = must(await atRevision(at.context, "HEAD"));
    expect(Object.keys(must(await loadDataLock(revision)).datasets)).toEqual(["a"]);
  });

  test("an unfinished merge is told with its place", async () => {
    using at = rig();
    write(at.path, { "data/a": "1" });
    must(await addData(at.context, { path: "data/a" }));
    sh(at.path, "add", "--all");
    sh(at.path, "commit", "--quiet", "--message=one");
    sh(at.path, "checkout", "--quiet", "-b", "other");
    write(at.path, { "data/a": "2" });
    must(await addData(at.context, { path: "data/a" }));
    sh(at.path, "commit", "--quiet", "--all", "--message=two");
    sh(at.path, "checkout", "--quiet", "main");
    write(at.path, { "data/a": "3" });
    must(await addData(at.context, { path: "data/a" }));
    sh(at.path, "commit", "--quiet", "--all", "--message=three");
    expect(() => sh(at.path, "merge", "other")).toThrow();
    const conflict = {
      ok: false,
      failures: [{ code: "merge-conflict", at: { file: "data.lock.json", line: 4, column: 1 } }],
    };
    const loaded = await loadDataLock(workingTree(at.context));
    expect(loaded).toMatchObject(conflict);
    expect(await statusData(at.context)).toMatchObject(conflict);
    expect(await addData(at.context, { path: "data/a" })).toMatchObject(conflict);
    expect(loaded.ok ? "" : print(loaded.failures[0])).toContain("finish the merge");
  });

  test("two branches that add datasets apart merge without a conflict", async () => {
    using at = rig();
    const names = ["a", "b", "c", "d", "e", "f"];
    write(at.path, Object.fromEntries([...names, "aa", "ee"].map((name) => [`data/${name}`, name])));
    const commit = async (name: string): Promise<void> => {
      must(await addData(at.context, { path: `data/${name}` }));
      sh(at.path, "add", "--all");
      sh(at.path, "commit", "--quiet", `--message=${name}`);
    };
    write(at.path, { ".gitignore": "/data/\n" });
    for (const name of names) await commit(name);
    sh(at.path, "checkout", "--quiet", "-b", "other");
    await commit("aa");
    sh(at.path, "checkout", "--quiet", "main");
    await commit("ee");
    sh(at.path, "merge", "--quiet", "--no-edit", "other");
    expect(Object.keys(must(await loadDataLock(workingTree(at.context))).datasets)).toEqual(
      [...names, "aa", "ee"].sort(),
    );
  });

  test("every problem at once, each with its place", async () => {
    using at = rig();
    const lock = `{"lockfileVersion": 1, "datasets": {
      "a": {"path": "../up", "kind": "file", "digest": "sha256:1", "size": -1, "files": 1},
      "b": {"path": "x", "kind": "pipe", "digest": "sha256:${"0".repeat(64)}", "size": 1, "files": 1, "extra": 1}}}`;
    writeFileSync(join(at.path, "data.lock.json"), lock);
    const loaded = await loadDataLock(workingTree(at.context));
    const failures = loaded.ok ? [] : loaded.failures;
    const lines = failures.map((failure) => (failure.code === "file-invalid" ? failure.at.line : 0));
    expect(lines.sort((a, b) => a - b)).toEqual([2, 2, 2, 3, 3]);
  });

  test("datasetAt finds the dataset a path is, lies in or contains", () => {
    const dataset = (path: string): object => ({ path, kind: "tree", digest: "", size: 0, files: 0 });
    const places = { images: "data/images", table: "data/table.csv", deep: "x/y/z" };
    const all = Object.entries(places).map(([name, path]) => ({
      name,
      dataset: dataset(path),
    })) as unknown as Tracked[];
    const nameAt = (path: string): string | undefined => datasetAt(all, path)?.name;
    expect(nameAt("data/images")).toBe("images");
    expect(nameAt("data/images/cats/1.png")).toBe("images");
    expect(nameAt("x/y")).toBe("deep");
    expect(nameAt("data/images2")).toBeUndefined();
    expect(nameAt("data/table.csv.bak")).toBeUndefined();
    expect(nameAt("dat")).toBeUndefined();
  });
});

describe("push and pull", () => {
  test("another clone gets the bytes that were pushed", async () => {
    using at = rig();
    write(at.path, { "data/f/a": "a", "data/f/b": "b", "data/t.csv": "t" });
    must(await addData(at.context, { path: "data/f" }));
    must(await addData(at.context, { path: "data/t.csv" }));
    expect(must(await pushData(at.context, { to: at.team }))).toEqual([
      { name: "f", blobs: 2, bytes: expect.any(Number) }, // a pack, the manifest
      { name: "t", blobs: 1, bytes: 1 },
    ]);
    expect(must(await pushData(at.context, { to: at.team })).map(({ blobs }) => blobs)).toEqual([0, 0]);
    sh(at.path, "add", "--all");
    sh(at.path, "commit", "--quiet", "--message=data");
    sh(at.path, "clone", "--quiet", at.path, "../other");
    const other = contextIn(join(at.path, "../other"));
    expect(must(await statusData(other)).map(({ state }) => state)).toEqual(["missing", "missing"]);
    must(await pullData(other, { names: ["f"], stores: [at.team] }));
    expect(must(await statusData(other)).map(({ state }) => state)).toEqual(["unchanged", "missing"]);
    must(await pullData(other, { stores: [at.team] }));
    expect(readFileSync(join(other.cwd, "data/f/b"), "utf8")).toBe("b");
    expect(must(await pullData(other, { stores: [at.team] })).map(({ changed }) => changed)).toEqual([false, false]);
    expect(sh(other.cwd, "status", "--porcelain")).toBe("");
  });

  test("push makes a deleted cache again, and says when it cannot", async () => {
    using at = rig();
    write(at.path, { "data/a": "a" });
    must(await addData(at.context, { path: "data/a" }));
    rmSync(join(at.path, ".lockstep"), { recursive: true });
    must(await pushData(at.context, { to: at.team }));
    expect(await collect(at.team)).toHaveLength(1);
    rmSync(join(at.path, ".lockstep"), { recursive: true });
    rmSync(join(at.path, "data"), { recursive: true });
    expect(must(await pushData(at.context, { to: at.team }))).toMatchObject([{ blobs: 0 }]);
    const empty = must(openStore(at.context, "file:../empty"));
    expect(await pushData(at.context, { to: empty })).toMatchObject({ failures: [{ code: "blob-missing" }] });
    write(at.path, { "data/a": "edited" });
    expect(await pushData(at.context, { to: empty })).toMatchObject({ failures: [{ code: "data-changed" }] });
    expect(await collect(empty)).toEqual([]);
  });

  test("pull keeps an edit that no store has, and replaces it when told", async () => {
    using at = rig();
    write(at.path, { "data/f/a": "one" });
    must(await addData(at.context, { path: "data/f" }));
    must(await pushData(at.context, { to: at.team }));
    const stores = [localCache(at.context), at.team];
    write(at.path, { "data/f/a": "edited" });
    expect(await pullData(at.context, { stores })).toMatchObject({
      failures: [{ code: "data-changed", dataset: "f" }],
    });
    expect(readFileSync(join(at.path, "data/f/a"), "utf8")).toBe("edited");
    must(await pullData(at.context, { stores, overwrite: true }));
    expect(readFileSync(join(at.path, "data/f/a"), "utf8")).toBe("one");
  });

  test("pull replaces another version that is kept: going back in history loses nothing", async () => {
    using at = rig();
    write(at.path, { "data/f/a": "one" });
    must(await addData(at.context, { path: "data/f" }));
    const old = at.lock();
    write(at.path, { "data/f/a": "two" });
    must(await addData(at.context, { path: "data/f" }));
    writeFileSync(join(at.path, "data.lock.json"), old);
    expect(must(await pullData(at.context, { stores: [localCache(at.context)] }))).toMatchObject([{ changed: true }]);
    expect(readFileSync(join(at.path, "data/f/a"), "utf8")).toBe("one");
  });

  test("an unknown name is told with the known ones, before anything is done", async () => {
    using at = rig();
    write(at.path, { "data/a": "a" });
    must(await addData(at.context, { path: "data/a" }));
    const unknown = { failures: [{ code: "unknown-name", name: "b", known: ["a"] }] };
    expect(await pushData(at.context, { names: ["a", "b"], to: at.team })).toMatchObject(unknown);
    expect(await pullData(at.context, { names: ["b"], stores: [] })).toMatchObject(unknown);
    expect(await verifyData(at.context, { names: ["b", "toString"], store: at.team })).toMatchObject({
      failures: [{ name: "b" }, { name: "toString" }],
    });
    expect(await collect(at.team)).toEqual([]);
  });

  test("verify finds every missing and every damaged blob", async () => {
    using at = rig();
    write(at.path, { "data/f/a": "a", "data/f/b": "b", "data/f/c": "c", "data/t": "t" });
    must(await addData(at.context, { path: "data/f" }));
    must(await addData(at.context, { path: "data/t" }));
    must(await pushData(at.context, { to: at.team }));
    expect(must(await verifyData(at.context, { store: at.team }))).toEqual([
      { name: "f", blobs: 2 },
      { name: "t", blobs: 1 },
    ]);
    const t = name256(Buffer.from("t"));
    const { f } = must(await loadDataLock(workingTree(at.context))).datasets;
    const pack = must(await at.team.layout(f!.digest))!.packs[0]!;
    await remove(at.team, t);
    const path = join(at.path, "../team/v1/blobs/sha256", pack.slice(7, 9), pack.slice(9));
    rmSync(path);
    writeFileSync(path, "x");
    expect(await verifyData(at.context, { store: at.team })).toMatchObject({
      failures: [
        { code: "blob-corrupt", digest: pack },
        { code: "blob-missing", digest: t, neededBy: 'dataset "t"' },
      ],
    });
    expect(existsSync(join(at.path, "data/f/a"))).toBe(true);
  });
});
