import { appendFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BIN } from "../helpers/cli.ts";
import type { DataLock, Dataset } from "../../src/config/index.ts";
import { fileJson } from "../../src/core/index.ts";
import type { Result } from "../../src/core/index.ts";
import { addData, mergeData, mergeDriver, pullData, pushData } from "../../src/data/index.ts";
import { planLockMerge } from "../../src/data/merge-lock.ts";
import { localCache, openStore } from "../../src/store/index.ts";
import type { Store } from "../../src/store/index.ts";
import { contextIn, repository, sh, temporary, write } from "../git/repository.ts";
import { must } from "../store/contract.ts";

type Files = Readonly<Record<string, string>>;

interface Rig extends Disposable {
  readonly path: string;
  readonly context: ReturnType<typeof contextIn>;
  readonly team: Store;
  readonly lock: () => string;
  /** Puts the dataset's folder to these files and commits the lockfile. */
  readonly version: (files: Files, path?: string, name?: string) => Promise<void>;
  /** `git merge other`, which is expected to stop. */
  readonly conflict: () => void;
  readonly merge: (prefer?: "ours" | "theirs") => ReturnType<typeof mergeData>;
}

/** A repository with a dataset on main and on a branch `other`, checked out on main. */
async function rig(base: Files, ours: Files, theirs: Files): Promise<Rig> {
  const folder = temporary();
  const path = repository(join(folder.path, "r"), { ".gitignore": "/data/\n/.lockstep/\n" });
  const context = contextIn(path);
  const team = must(openStore(context, "file:../team"));
  const version: Rig["version"] = async (files, at = "data/f", name = "f") => {
    rmSync(join(path, at), { recursive: true, force: true });
    write(path, Object.fromEntries(Object.entries(files).map(([file, text]) => [`${at}/${file}`, text])));
    must(await addData(context, { path: at, name }));
    sh(path, "add", "--all");
    sh(path, "commit", "--quiet", "--allow-empty", "--message=version");
  };
  if (Object.keys(base).length > 0) await version(base);
  must(await pushData(context, { to: team })); // as everything on a default branch is
  sh(path, "checkout", "--quiet", "-b", "other");
  await version(theirs);
  sh(path, "checkout", "--quiet", "main");
  await version(ours);
  return {
    path,
    context,
    team,
    version,
    lock: () => readFileSync(join(path, "data.lock.json"), "utf8"),
    conflict: () => expect(() => sh(path, "merge", "--quiet", "other")).toThrow(),
    merge: async (prefer) =>
      mergeData(context, {
        stores: { cache: localCache(context), team },
        ...(prefer === undefined ? {} : { prefer }),
      }),
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

const files = (at: Rig, name: string): string => readFileSync(join(at.path, "data/f", name), "utf8");
const pull = async (at: Rig): Promise<unknown> => pullData(at.context, { stores: [localCache(at.context), at.team] });

describe("a conflict in git's index", () => {
  test("files that both branches added are all there afterwards, and can be pushed and pulled", async () => {
    using at = await rig({ a: "1" }, { a: "1", b: "ours" }, { a: "changed", c: "theirs" });
    at.conflict();
    expect(must(await at.merge())).toMatchObject({ merged: ["f"], lock: { datasets: { f: { files: 3, size: 17 } } } });
    expect(sh(at.path, "status", "--porcelain", "data.lock.json")).toBe("M  data.lock.json");
    sh(at.path, "commit", "--quiet", "--no-edit");
    expect(await pull(at)).toMatchObject({ ok: true, value: [{ changed: true }] });
    expect([files(at, "a"), files(at, "b"), files(at, "c")]).toEqual(["changed", "ours", "theirs"]);
    must(await pushData(at.context, { to: at.team }));
    rmSync(join(at.path, ".lockstep"), { recursive: true });
    rmSync(join(at.path, "data"), { recursive: true });
    expect(await pull(at)).toMatchObject({ ok: true });
    expect(files(at, "c")).toBe("theirs");
    expect(must(await at.merge())).toBeNull(); // and again, there is nothing to do
  });

  test("true conflicts are told by file, all at once, and nothing is written", async () => {
    using at = await rig({ a: "1", b: "1", c: "1" }, { a: "2", b: "2", c: "1" }, { a: "3", c: "1" });
    at.conflict();
    const before = at.lock();
    expect(await at.merge()).toMatchObject({
      failures: [
        { code: "data-conflict", dataset: "f", path: "data/f/a", problem: "was changed on both sides" },
        { code: "data-conflict", path: "data/f/b", problem: "was deleted on one side and changed on the other" },
      ],
    });
    expect(at.lock()).toBe(before);
    expect(sh(at.path, "status", "--porcelain", "data.lock.json")).toBe("UU data.lock.json");
    expect(must(await at.merge("theirs"))).toMatchObject({ lock: { datasets: { f: { files: 2 } } } });
    expect(await pull(at)).toMatchObject({ ok: true });
    expect([files(at, "a"), files(at, "c")]).toEqual(["3", "1"]);
  });

  test("two branches that both begin a dataset", async () => {
    using at = await rig({}, { a: "1", same: "s" }, { b: "2", same: "s" });
    at.conflict();
    expect(must(await at.merge())).toMatchObject({ lock: { datasets: { f: { files: 3 } } } });
  });

  test("bytes that only the team's store has stay there: only the manifest is written", async () => {
    using at = await rig({ a: "1" }, { a: "1", b: "ours" }, { a: "1", c: "theirs" });
    must(await pushData(at.context, { to: at.team }));
    sh(at.path, "checkout", "--quiet", "other");
    must(await pushData(at.context, { to: at.team }));
    sh(at.path, "checkout", "--quiet", "main");
    rmSync(join(at.path, ".lockstep"), { recursive: true });
    at.conflict();
    const digest = must(await at.merge())!.lock.datasets["f"]!.digest;
    expect(must(await at.team.has(digest))).toBe(true);
    expect(must(await localCache(at.context).has(digest))).toBe(false);
    rmSync(join(at.path, "data"), { recursive: true });
    expect(await pull(at)).toMatchObject({ ok: true });
    expect([files(at, "b"), files(at, "c")]).toEqual(["ours", "theirs"]);
  });

  test("with one side here and the other in the team's store, what is missing is fetched", async () => {
    using at = await rig({ a: "1" }, { a: "1", b: "ours" }, { a: "1", c: "theirs" });
    sh(at.path, "checkout", "--quiet", "other");
    must(await pushData(at.context, { to: at.team }));
    sh(at.path, "checkout", "--quiet", "main");
    rmSync(join(at.path, ".lockstep"), { recursive: true });
    must(await addData(at.context, { path: "data/f" })); // ours, never pushed
    at.conflict();
    const digest = must(await at.merge())!.lock.datasets["f"]!.digest;
    expect(must(await localCache(at.context).has(digest))).toBe(true);
    must(await pushData(at.context, { to: at.team }));
    rmSync(join(at.path, ".lockstep"), { recursive: true });
    rmSync(join(at.path, "data"), { recursive: true });
    expect(await pull(at)).toMatchObject({ ok: true });
    expect([files(at, "a"), files(at, "b"), files(at, "c")]).toEqual(["1", "ours", "theirs"]);
  });

  test("a manifest that no store has is told, and the lockfile stays as it is", async () => {
    using at = await rig({ a: "1" }, { a: "1", b: "2" }, { a: "1", c: "3" });
    at.conflict();
    rmSync(join(at.path, ".lockstep"), { recursive: true });
    const before = at.lock();
    const missing = { code: "blob-missing", neededBy: 'merging dataset "f"' };
    expect(await at.merge()).toMatchObject({ failures: [missing, missing] });
    expect(at.lock()).toBe(before);
  });

  test("without the version that both began with, only one side as a whole can be taken", async () => {
    using at = await rig({ a: "1" }, { b: "2" }, { a: "1", c: "3" });
    at.conflict();
    const base = (JSON.parse(sh(at.path, "show", ":1:data.lock.json")) as DataLock).datasets["f"]!.digest;
    const key = `blobs/${base.slice("sha256:".length)}` as const;
    for (const store of [at.team, localCache(at.context)]) must(await store.driver.delete(key));
    expect(await at.merge()).toMatchObject({
      failures: [{ code: "blob-missing", digest: base, hint: expect.stringContaining("--ours") }],
    });
    expect(must(await at.merge("ours"))).toMatchObject({ lock: { datasets: { f: { files: 1 } } } });
  });

  test("a lockfile that was edited by hand is not lost", async () => {
    using at = await rig({ a: "1" }, { a: "1", b: "2" }, { a: "1", c: "3" });
    at.conflict();
    writeFileSync(join(at.path, "data.lock.json"), fileJson({ lockfileVersion: 1, datasets: {} }));
    expect(await at.merge()).toMatchObject({ failures: [{ code: "usage", hint: expect.stringContaining("git add") }] });
    sh(at.path, "checkout", "--merge", "data.lock.json");
    expect(await at.merge()).toMatchObject({ ok: true });
  });

  test("killed after the lockfile was written, the same command finishes", async () => {
    using at = await rig({ a: "1" }, { a: "1", b: "2" }, { a: "1", c: "3" });
    at.conflict();
    const emit = at.context.emit;
    const killed = {
      ...at.context,
      emit: (event: Parameters<typeof emit>[0]) => {
        if (event.type === "effect" && event.name === "data lock written") throw new Error("killed");
      },
    };
    const stores = { cache: localCache(at.context), team: at.team };
    await expect(mergeData(killed, { stores })).rejects.toThrow("killed");
    expect(sh(at.path, "status", "--porcelain", "data.lock.json")).toBe("UU data.lock.json");
    expect(must(await at.merge())).toMatchObject({ merged: ["f"] });
    expect(sh(at.path, "status", "--porcelain", "data.lock.json")).toBe("M  data.lock.json");
  });

  test("a lockfile of the future on one side is told with its side", async () => {
    using at = await rig({ a: "1" }, { a: "1", b: "2" }, { a: "1", c: "3" });
    sh(at.path, "checkout", "--quiet", "other");
    writeFileSync(join(at.path, "data.lock.json"), '{"lockfileVersion": 9,\n "datasets": {}}\n');
    sh(at.path, "commit", "--quiet", "--all", "--message=future");
    sh(at.path, "checkout", "--quiet", "main");
    at.conflict();
    expect(await at.merge()).toMatchObject({
      failures: [{ code: "file-invalid", at: { file: "data.lock.json (theirs)" } }],
    });
  });
});

describe("as git's merge driver", () => {
  const driver = async (at: Rig): Promise<Result<unknown>> => {
    for (const [stage, file] of [
      [1, "O"],
      [2, "A"],
      [3, "B"],
    ] as const) {
      writeFileSync(join(at.path, file), `${sh(at.path, "show", `:${stage}:data.lock.json`)}\n`);
    }
    const stores = { cache: localCache(at.context), team: at.team };
    return mergeDriver(at.context, { base: "O", ours: "A", theirs: "B" }, { stores });
  };

  test("the second file becomes the merged lockfile", async () => {
    using at = await rig({ a: "1" }, { a: "1", b: "2" }, { a: "1", c: "3" });
    at.conflict();
    must(await driver(at));
    const merged = readFileSync(join(at.path, "A"), "utf8");
    must(await at.merge());
    expect(merged).toBe(at.lock());
  });

  test("on a conflict it gets markers, from which the index is merged later", async () => {
    using at = await rig({ a: "1" }, { a: "2" }, { a: "3" });
    at.conflict();
    expect(await driver(at)).toMatchObject({ failures: [{ code: "data-conflict", path: "data/f/a" }] });
    const marked = readFileSync(join(at.path, "A"), "utf8");
    expect(marked).toMatch(/^<<<<<<< ours\n[\s\S]*^=======\n[\s\S]*^>>>>>>> theirs\n/m);
    writeFileSync(join(at.path, "data.lock.json"), marked);
    expect(must(await at.merge("ours"))).toMatchObject({ lock: { datasets: { f: { files: 1 } } } });
  });
});

describe("the lockfiles alone", () => {
  const dataset = (path: string, digit: string, extra: Partial<Dataset> = {}): Dataset =>
    ({ path, kind: "tree", digest: `sha256:${digit.repeat(64)}`, size: 1, files: 1, ...extra }) as Dataset;
  const lock = (datasets: DataLock["datasets"]): DataLock => ({ lockfileVersion: 1, datasets });
  const plan = (
    base: DataLock["datasets"],
    ours: DataLock["datasets"],
    theirs: DataLock["datasets"],
    prefer?: "ours" | "theirs",
  ) => planLockMerge({ base: lock(base), ours: lock(ours), theirs: lock(theirs) }, prefer);

  test("what one side touched is taken; one side may move what the other one changes", () => {
    const base = { a: dataset("a", "1"), b: dataset("b", "1"), gone: dataset("c", "1") };
    const found = plan(base, { ...base, a: dataset("moved", "1") }, { a: dataset("a", "2"), b: dataset("b", "3") });
    expect(found.conflicts).toEqual([]);
    expect(Object.fromEntries(found.taken)).toEqual({ a: dataset("moved", "2"), b: dataset("b", "3") });
  });

  test.each<[string, DataLock["datasets"], DataLock["datasets"], DataLock["datasets"], string]>([
    [
      "files as one",
      { a: dataset("a", "1", { kind: "file" }) },
      { a: dataset("a", "2", { kind: "file" }) },
      { a: dataset("a", "3", { kind: "file" }) },
      "was changed on both sides",
    ],
    ["removed and changed", { a: dataset("a", "1") }, {}, { a: dataset("a", "2") }, "was removed on one side"],
    ["two places", { a: dataset("a", "1") }, { a: dataset("b", "1") }, { a: dataset("c", "1") }, "has another place"],
    ["one place, two names", {}, { x: dataset("a", "1") }, { y: dataset("a", "2") }, "cannot both be there"],
    ["one in the other", {}, { x: dataset("a", "1") }, { y: dataset("a/b", "2") }, "cannot both be there"],
    [
      "places that only case tells apart",
      {},
      { x: dataset("a", "1") },
      { y: dataset("A", "2") },
      "cannot both be there",
    ],
  ])("%s are a conflict, which a preference settles", (_, base, ours, theirs, problem) => {
    expect(plan(base, ours, theirs).conflicts).toMatchObject([
      { code: "data-conflict", problem: expect.stringContaining(problem) },
    ]);
    for (const prefer of ["ours", "theirs"] as const) {
      const found = plan(base, ours, theirs, prefer);
      expect(found.conflicts).toEqual([]);
      expect(Object.fromEntries(found.taken)).toEqual(prefer === "ours" ? ours : theirs);
    }
  });

  test("a source stays with the content that came from it", () => {
    const source = { url: "https://example.org/a" };
    const base = { a: dataset("a", "1", { source }) };
    const pinned = { ...source, etag: '"2"' };
    expect(plan(base, base, { a: dataset("a", "2", { source: pinned }) }).taken.get("a")?.source).toEqual(pinned);
    expect(
      plan(base, { a: dataset("a", "2") }, { a: dataset("a", "1", { source: pinned }) }).taken.get("a")?.source,
    ).toBeUndefined();
  });

  test("the sides can be swapped", () => {
    const name = fc.constantFrom("x", "y", "z");
    const one = fc.record({
      path: fc.constantFrom("a", "a/b", "A", "c"),
      digit: fc.constantFrom("1", "2", "3"),
      file: fc.boolean(),
    });
    const side = fc.dictionary(
      name,
      one.map(({ path, digit, file }) => dataset(path, digit, { kind: file ? "file" : "tree" })),
    );
    const normal = ({ taken, trees, conflicts }: ReturnType<typeof planLockMerge>): unknown => ({
      taken: [...taken].sort(([a], [b]) => (a < b ? -1 : 1)),
      trees: trees.map((tree) => tree.name),
      conflicts: conflicts.length,
    });
    fc.assert(
      fc.property(side, side, side, (b, o, t) => {
        expect(normal(plan(b, o, t))).toEqual(normal(plan(b, t, o)));
      }),
    );
  });
});

test("git itself calls the driver, and two branches merge without a hand", async () => {
  using at = await rig({ a: "1" }, { a: "1", b: "2" }, { a: "1", c: "3" });
  appendFileSync(join(at.path, ".git/info/attributes"), "data.lock.json merge=lockstep\n");
  sh(at.path, "config", "merge.lockstep.driver", `"${process.execPath}" "${BIN}" data merge --driver %O %A %B`);
  sh(at.path, "merge", "--quiet", "--no-edit", "other");
  expect(JSON.parse(at.lock())).toMatchObject({ datasets: { f: { files: 3 } } });
  expect(sh(at.path, "status", "--porcelain")).toBe("");
});
