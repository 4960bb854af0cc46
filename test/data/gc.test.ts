import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import type { StageRecord } from "../../src/config/index.ts";
import { fileJson } from "../../src/core/index.ts";
import type { RelativePath, StageKey } from "../../src/core/index.ts";
import { collectGarbage } from "../../src/data/index.ts";
import { loggedBlobs, openLogs } from "../../src/monitor/index.ts";
import { bodyOf } from "../../src/store/driver.ts";
import type { Key } from "../../src/store/driver.ts";
import { condemned, readCondemned } from "../../src/store/gc-condemned.ts";
import { deleteCheckpoint, localCache, writeCheckpoint } from "../../src/store/index.ts";
import { contextIn, sh, write } from "../git/repository.ts";
import { must, name256 } from "../store/contract.ts";
import { age, commitLock, DAY, DEFAULTS, gcRig, keyOf, keysIn, lockOf, looseTree, packedTree } from "./gc-rig.ts";
import type { Named } from "./gc-rig.ts";

/** The message of a failed result, hint included. */
function said(result: { readonly ok: boolean }): string {
  return JSON.stringify(result);
}

describe("what keeps data", () => {
  test("history of branches and tags, here and on the remote; stash, index, files and HEAD of every working tree", async () => {
    using rig = gcRig();
    const { store, path } = rig;
    const trees = await Promise.all(
      Array.from({ length: 12 }, async (_, at) => packedTree(store, { a: `content ${at}`, b: `other ${at}` })),
    );
    const [old, tip, side, tagged, remote, elsewhere, stashed, staged, onDisk, detached, inOtherTree, garbage] = trees;
    commitLock(path, { a: old! });
    commitLock(path, { a: tip! });
    sh(path, "switch", "--quiet", "--create", "side", "HEAD~1");
    commitLock(path, { a: side! });
    sh(path, "switch", "--quiet", "--detach");
    commitLock(path, { a: tagged! });
    sh(path, "tag", "--annotate", "--message=v1", "v1");
    // On a branch of the remote that this clone has fetched, and on one that it has never heard of.
    sh(path, "switch", "--quiet", "--create", "gone", "main");
    commitLock(path, { a: remote! });
    sh(path, "push", "--quiet", "origin", "gone");
    sh(path, "switch", "--quiet", "main");
    sh(path, "branch", "--quiet", "-D", "gone");
    sh(rig.folder, "clone", "--quiet", `file://${rig.folder}/origin.git`, "colleague");
    commitLock(join(rig.folder, "colleague"), { a: elsewhere! });
    sh(join(rig.folder, "colleague"), "push", "--quiet", "origin", "HEAD:theirs");
    write(path, { "data.lock.json": lockOf({ a: stashed! }) });
    sh(path, "stash", "--quiet");
    sh(path, "worktree", "add", "--quiet", "--detach", join(rig.folder, "second"));
    commitLock(join(rig.folder, "second"), { a: detached! });
    write(join(rig.folder, "second"), { "data.lock.json": lockOf({ a: inOtherTree! }) });
    write(path, { "data.lock.json": lockOf({ a: staged! }) });
    sh(path, "add", "data.lock.json");
    write(path, { "data.lock.json": lockOf({ a: onDisk! }) });

    const report = must(await rig.gc());
    expect(report.marks).toEqual({ "branches and tags": 8, "working trees": 4 });
    expect(new Set(report.due.map(({ key }) => key))).toEqual(new Set(garbage!.keys));
    expect(await keysIn(store)).toEqual(new Set(trees.slice(0, -1).flatMap(({ keys }) => keys)));
    // No ref was left behind, and none of the clone's own moved.
    expect(sh(path, "for-each-ref", "--format=%(refname)")).not.toMatch(/theirs|refs\/lockstep/);
  });

  test("both sides of a merge, also what a merge alone brought, and a conflict that is being solved", async () => {
    using rig = gcRig();
    const { store, path } = rig;
    const [ours, theirs, merged, late] = await Promise.all(
      ["o", "t", "m", "l"].map(async (text) => looseTree(store, { a: text })),
    );
    commitLock(path, { a: ours! });
    sh(path, "switch", "--quiet", "--create", "side", "HEAD~1");
    commitLock(path, { a: theirs! });
    sh(path, "switch", "--quiet", "main");
    sh(path, "merge", "--quiet", "--no-commit", "--strategy=ours", "side");
    commitLock(path, { a: merged! });
    commitLock(path, {});
    sh(path, "branch", "--quiet", "-D", "side");
    sh(path, "switch", "--quiet", "--create", "conflict");
    commitLock(path, { a: late! });
    sh(path, "switch", "--quiet", "main");
    commitLock(path, { a: ours! });
    expect(() => sh(path, "merge", "--quiet", "conflict")).toThrow("merge");
    // The file holds markers: what is needed cannot be said for sure.
    expect(said(await rig.gc())).toContain("unfinished merge");
    sh(path, "checkout", "--quiet", "--ours", "data.lock.json");
    expect(must(await rig.gc()).due).toEqual([]);
    expect((await keysIn(store)).size).toBe(8);
  });

  test("with tips alone, what older commits name goes; a version of a model keeps its files and its data", async () => {
    using rig = gcRig();
    const { store, path } = rig;
    const old = await packedTree(store, { a: "old" });
    const trained = await packedTree(store, { a: "trained on this" });
    const tip = await packedTree(store, { a: "tip" });
    const [model, predictions] = await Promise.all([
      store.put(Buffer.from("weights")),
      store.put(Buffer.from("id,p\n")),
    ]);
    commitLock(path, { a: old });
    commitLock(path, { a: trained });
    commitLock(path, { a: tip });
    const version = {
      version: 1,
      digest: must(model),
      size: 7,
      files: { "model.onnx": must(model) },
      key: "0".repeat(64),
      predictions: must(predictions),
      commit: "c".repeat(40),
      data: { a: trained.digest },
      params: {},
      metrics: {},
      verdict: "first",
      pullRequest: null,
      createdAt: "2026-01-02T03:04:05Z",
      run: "",
      release: "",
    };
    const lock = { lockfileVersion: 1, model: "churn", versions: [version], aliases: { production: 1 } };
    write(path, { "models/churn/lock.json": JSON.stringify(lock) });
    sh(path, "add", "--all");
    sh(path, "commit", "--quiet", "--message=promoted");
    expect(must(await rig.gc()).due).toEqual([]);
    sh(path, "push", "--quiet", "origin", "main");
    const gone = must(await rig.gc({ tipsOnly: true })).due.map(({ key }) => key);
    expect(new Set(gone)).toEqual(new Set(old.keys));
  });

  test("a window of time keeps what was committed in it and every tip, whatever the order of clocks", async () => {
    using rig = gcRig();
    const { store, path } = rig;
    const trees = await Promise.all(["0", "1", "2", "3"].map(async (text) => looseTree(store, { a: text })));
    for (const [at, year] of ["2020", "2025", "2019", "2018"].entries()) {
      commitLock(path, { a: trees[at]! });
      const env = { PATH: process.env["PATH"], HOME: "/nonexistent", GIT_COMMITTER_DATE: `${year}-12-01T00:00:00Z` };
      const amend = ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--amend", "--no-edit"];
      execFileSync("git", amend, { cwd: path, env });
    }
    const gone = must(await rig.gc({ since: new Date("2025-06-01") })).due.map(({ key }) => key);
    expect(new Set(gone)).toEqual(new Set([...trees[0]!.keys, ...trees[2]!.keys]));
  });
});

describe("the grace period", () => {
  const graceMs = DAY;

  test("a dry run writes nothing; what is unneeded goes a day after it was found, and a day after it was written", async () => {
    using rig = gcRig();
    const { store } = rig;
    const dead = await packedTree(store, { a: "dead" });
    expect(must(await rig.gc({ graceMs, remove: false })).waiting.map(({ since }) => since)).toEqual([
      null,
      null,
      null,
    ]);
    expect(existsSync(join(rig.folder, "team/v1/gc"))).toBe(false);

    // Old, but found today only.
    age(join(rig.folder, "team"), 3 * DAY);
    expect(must(await rig.gc({ graceMs }))).toMatchObject({ due: [], waiting: { length: 3 } });
    age(join(rig.folder, "team"), DAY - 60_000);
    expect(must(await rig.gc({ graceMs }))).toMatchObject({ due: [], waiting: { length: 3 } });
    age(join(rig.folder, "team"), 120_000);
    // A push that builds on one of them writes it again.
    const [pack] = dead.keys;
    const bytes = readFileSync(blobFile(rig.folder, pack!));
    must(await store.driver.put(pack!, bodyOf(bytes, name256(bytes)), { replace: true }));
    const report = must(await rig.gc({ graceMs }));
    expect(report.due.map(({ kind }) => kind).toSorted()).toEqual(["layouts", "trees"]);
    expect(await keysIn(store)).toEqual(new Set([pack]));
    expect([...must(await readCondemned(store.driver)).keys()]).toEqual([pack]);
    age(join(rig.folder, "team"), 2 * DAY);
    must(await rig.gc({ graceMs }));
    expect((await keysIn(store)).size).toBe(0);
    expect(must(await readCondemned(store.driver)).size).toBe(0);
  });

  test("what is needed again is condemned no more, and its time starts anew", async () => {
    using rig = gcRig();
    const tree = await looseTree(rig.store, { a: "a" });
    must(await rig.gc({ graceMs }));
    expect(must(await condemned(rig.store))).toEqual(new Set(tree.keys));
    commitLock(rig.path, { a: tree });
    age(join(rig.folder, "team"), 3 * DAY);
    expect(must(await rig.gc({ graceMs }))).toMatchObject({ due: [], waiting: [] });
    expect(must(await condemned(rig.store))).toEqual(new Set());
    sh(rig.path, "reset", "--quiet", "--hard", "HEAD~1");
    expect(must(await rig.gc({ graceMs }))).toMatchObject({ due: [], waiting: { length: 2 } });
  });

  test("this machine's clock decides nothing", async () => {
    using rig = gcRig();
    await looseTree(rig.store, { a: "a" });
    for (const now of ["1990-01-01", "2100-01-01"]) {
      const context = { ...rig.context, now: () => new Date(now) };
      const options = { ...DEFAULTS, store: rig.store, graceMs };
      expect(must(await collectGarbage(context, options)), now).toMatchObject({ due: [], waiting: { length: 2 } });
    }
    age(join(rig.folder, "team"), 2 * DAY);
    const context = { ...rig.context, now: () => new Date("1990-01-01") };
    expect(must(await collectGarbage(context, { ...DEFAULTS, store: rig.store, graceMs })).due).toHaveLength(2);
  });

  test("what was condemned is forgotten when the document is damaged, and not read when it is of a newer version", async () => {
    using rig = gcRig();
    await looseTree(rig.store, { a: "a" });
    must(await rig.gc({ graceMs }));
    age(join(rig.folder, "team"), 2 * DAY);
    const put = async (text: string): Promise<unknown> => {
      const bytes = Buffer.from(text);
      return must(await rig.store.driver.put("gc/condemned", bodyOf(bytes, name256(bytes)), { replace: true }));
    };
    for (const text of ["", "{", "[]", "null", '{"condemnedVersion":1}', '{"condemnedVersion":1,"objects":{"x":1}}']) {
      await put(text);
      expect(must(await condemned(rig.store)), text).toEqual(new Set());
      expect(must(await rig.gc({ graceMs })), text).toMatchObject({ due: [], waiting: { length: 2 } });
    }
    await put('{"condemnedVersion":2}');
    expect(await rig.gc({ graceMs })).toMatchObject({ ok: false, failures: [{ code: "unsupported" }] });
    expect(await condemned(rig.store)).toMatchObject({ ok: false, failures: [{ code: "unsupported" }] });
  });
});

describe("nothing is deleted", () => {
  test("in a shallow clone", async () => {
    using rig = gcRig();
    await looseTree(rig.store, { a: "a" });
    commitLock(rig.path, {});
    sh(rig.path, "push", "--quiet", "origin", "main");
    sh(rig.folder, "clone", "--quiet", "--depth=1", `file://${rig.folder}/origin.git`, "shallow");
    const context = contextIn(join(rig.folder, "shallow"));
    const options = { ...DEFAULTS, store: rig.store };
    expect(said(await collectGarbage(context, options))).toMatch(/shallow.*fetch --unshallow/);
    expect((await keysIn(rig.store)).size).toBe(2);
    // A dry run goes on and says so; what a cache holds can be fetched again.
    expect(must(await collectGarbage(context, { ...options, remove: false })).doubts).toHaveLength(1);
    must(await collectGarbage(context, { ...options, team: false }));
    expect((await keysIn(rig.store)).size).toBe(0);
  });

  test("when the remote does not answer", async () => {
    using rig = gcRig();
    await looseTree(rig.store, { a: "a" });
    sh(rig.path, "remote", "set-url", "origin", "file:///nonexistent");
    expect(said(await rig.gc())).toContain("could not be fetched");
    expect((await keysIn(rig.store)).size).toBe(2);
  });

  test("on account of a lockfile in history that cannot be read, which is named; told to go on, what it spells is kept", async () => {
    using rig = gcRig();
    const { store, path } = rig;
    const [kept, gone] = [await packedTree(store, { a: "kept" }), await looseTree(store, { a: "gone" })];
    const text = lockOf({ a: kept });
    write(path, { "data.lock.json": `<<<<<<< ours\n${text}=======\n{}\n>>>>>>> theirs\n` });
    sh(path, "add", "--all");
    sh(path, "commit", "--quiet", "--message=oops");
    const commit = sh(path, "rev-parse", "HEAD");
    commitLock(path, {});
    const refused = await rig.gc();
    expect(said(refused)).toContain(`data.lock.json:1 at ${commit.slice(0, 12)}`);
    expect(said(refused)).toContain("--unreadable-ok");
    expect((await keysIn(store)).size).toBe(5);
    must(await rig.gc({ unreadableOk: true }));
    expect(await keysIn(store)).toEqual(new Set(kept.keys));
    expect(gone.keys).toHaveLength(2);
  });

  test("where the store lacks what a commit names, until that is said to be right", async () => {
    using rig = gcRig();
    const { store, path } = rig;
    const lost = await packedTree(store, { a: "lost" });
    const half = await packedTree(store, { a: "half", b: "of it" });
    await looseTree(store, { a: "garbage" });
    const commit = commitLock(path, { lost, half });
    for (const key of lost.keys) must(await store.driver.delete(key));
    // Without its layout, nobody knows any more in which pack the parts of this one are.
    must(await store.driver.delete(half.keys[1]!));
    const report = must(await rig.gc({ remove: false }));
    expect(report.missing).toMatchObject([
      { why: `dataset "lost" at ${commit.slice(0, 12)}`, digest: lost.digest, problem: "is not in the store" },
      { why: `dataset "half" at ${commit.slice(0, 12)}`, digest: half.digest },
    ]);
    const refused = await rig.gc();
    expect(said(refused)).toContain("--missing-ok");
    expect((await keysIn(store)).size).toBe(4);
    must(await rig.gc({ missingOk: true }));
    expect(await keysIn(store)).toEqual(new Set([half.keys[2]]));
  });

  test.each(["manifest", "layout"])("where the %s of something needed is damaged", async (what) => {
    using rig = gcRig();
    const tree = await packedTree(rig.store, { a: "a" });
    await looseTree(rig.store, { a: "garbage" });
    commitLock(rig.path, { a: tree });
    const key = what === "layout" ? tree.keys[1]! : tree.keys[2]!;
    const bytes = Buffer.from("not what it was, by far and away");
    must(await rig.store.driver.delete(key));
    mkdirSync(dirname(blobFile(rig.folder, key)), { recursive: true });
    writeFileSync(blobFile(rig.folder, key), bytes);
    expect(said(await rig.gc())).toContain("is not whole");
    expect((await keysIn(rig.store)).size).toBe(5);
    // Its pack stays as long as the layout says where it is.
    must(await rig.gc({ missingOk: true }));
    expect((await keysIn(rig.store)).has(tree.keys[0]!)).toBe(what === "manifest");
  });

  test("what was not pushed yet, and what only a working tree, a record or a stranger names, is no reason", async () => {
    using rig = gcRig();
    const absent = { kind: "tree", digest: name256(Buffer.from("nowhere")) } as const;
    write(rig.path, { "data.lock.json": lockOf({ absent }) });
    expect(must(await rig.gc())).toMatchObject({ missing: [], doubts: [] });
  });
});

function blobFile(folder: string, key: Key): string {
  const [kind, hex = ""] = key.split("/");
  return join(folder, "team/v1", kind!, "sha256", hex.slice(0, 2), hex.slice(2));
}

describe("records", () => {
  const stage = (at: number, outs: StageRecord["outs"], startedAt: string, more: Partial<StageRecord> = {}): string =>
    fileJson({
      recordVersion: 1,
      key: at.toString(16).padStart(64, "0"),
      pipeline: "churn",
      stage: "train",
      outs,
      metrics: {},
      profile: null,
      startedAt,
      ms: 1,
      commit: null,
      provenance: null,
      ...more,
    });
  const out = ({ kind, digest }: Named): StageRecord["outs"] => [
    { path: "build/out" as RelativePath, kind, digest, size: 1 },
  ];

  test("trusted, untrusted and this machine's keep their outputs and profiles, the damaged what they spell", async () => {
    using rig = gcRig();
    const { store, path } = rig;
    const trees = await Promise.all(
      ["0", "1", "2", "3", "4", "5"].map(async (text) => packedTree(store, { a: text, b: `b${text}` })),
    );
    const profile = must(await store.put(Buffer.from("profile")));
    const model = must(await store.put(Buffer.from("a model, which a stranger calls a tree")));
    const [young, old, strange, damaged, local] = trees;
    sh(path, "switch", "--quiet", "--orphan", "lockstep-records");
    write(path, {
      "stages/00/a.json": stage(1, out(young!), "2026-01-01T00:00:00Z", { profile }),
      "stages/00/b.json": stage(2, out(old!), "2020-01-01T00:00:00Z"),
      "untrusted/stages/00/c.json": stage(
        3,
        [...out(strange!), ...out({ kind: "tree", digest: model, keys: [] })],
        "2026-01-01T00:00:00Z",
      ),
      "stages/00/d.json": stage(4, out(damaged!), "2026-01-01T00:00:00Z").slice(0, -3),
    });
    sh(path, "add", "--all");
    sh(path, "commit", "--quiet", "--message=records");
    sh(path, "push", "--quiet", "origin", "lockstep-records");
    sh(path, "switch", "--quiet", "main");
    sh(path, "branch", "--quiet", "-D", "lockstep-records");
    sh(path, "update-ref", "-d", "refs/remotes/origin/lockstep-records");
    write(path, { ".lockstep/records/stages/00/e.json": stage(5, out(local!), "2026-01-01T00:00:00Z") });

    const report = must(await rig.gc());
    expect(report).toMatchObject({ missing: [], doubts: [] });
    expect(report.marks).toEqual({ records: 4, "untrusted records": 2, "records of this machine": 1 });
    expect(await keysIn(store)).toEqual(
      new Set([...trees.slice(0, -1).flatMap(({ keys }) => keys), keyOf(profile), keyOf(model)]),
    );
    must(await rig.gc({ since: new Date("2025-06-01") }));
    const left = await keysIn(store);
    expect(old!.keys.filter((key) => left.has(key))).toEqual([]);
    expect(left.size).toBe(4 * 3 + 2);
  });
});

describe("beside the objects", () => {
  test("segments of the prediction log are kept, and found by the log itself", async () => {
    using rig = gcRig();
    const logs = must(openLogs(rig.context, "file:../team"));
    const segment = { model: "churn", kind: "predictions", from: 1, to: 2, rows: 3 } as const;
    const { digest } = must(await logs.append(segment, Buffer.from("rows")));
    const logged = must(await loggedBlobs(rig.context, "file:../team"));
    expect(logged).toEqual([digest]);
    expect(must(await rig.gc({ logged }))).toMatchObject({ due: [], marks: { "prediction log": 1 } });
    expect(must(await loggedBlobs(rig.context, "file:../nowhere"))).toEqual([]);
    expect(must(await loggedBlobs(rig.context, "s3://bucket"))).toEqual([]);
  });

  test("what killed processes left goes when it is old, and stays while one may be at work", async () => {
    using rig = gcRig();
    write(rig.folder, { "team/v1/tmp/x": "12345" });
    write(rig.path, { ".lockstep/tmp/restore/new/a": "123" });
    expect(must(await rig.gc({ graceMs: DAY })).leftovers).toEqual([]);
    // Without a grace too: another process may be writing it this minute.
    expect(must(await rig.gc()).leftovers).toEqual([]);
    age(join(rig.folder, "team"), 2 * DAY);
    expect(must(await rig.gc({ remove: false })).leftovers).toMatchObject([{ bytes: 5 }]);
    expect(must(await rig.gc({ graceMs: DAY })).leftovers).toHaveLength(1);
    expect(readdirSync(join(rig.folder, "team/v1/tmp"))).toEqual([]);
    const cache = localCache(rig.context);
    age(join(rig.path, ".lockstep/tmp"), 2 * DAY);
    expect(must(await rig.gc({ store: cache, team: false })).leftovers).toMatchObject([{ bytes: 3 }]);
    expect(existsSync(join(rig.path, ".lockstep/tmp/restore"))).toBe(false);
  });

  test("a pack that is kept for a little of it is told with its waste", async () => {
    using rig = gcRig();
    const pack = { little: "x".repeat(100), much: "y".repeat(900) };
    const live = await packedTree(rig.store, { little: pack.little }, pack);
    await packedTree(rig.store, { much: pack.much }, pack);
    commitLock(rig.path, { live });
    const report = must(await rig.gc());
    expect(report.due.map(({ kind }) => kind).toSorted()).toEqual(["layouts", "trees"]);
    expect(report.waste).toMatchObject([{ key: live.keys[0], live: 100 }]);
    expect(await keysIn(rig.store)).toEqual(new Set(live.keys));
  });
});

test("checkpoints keep what they name for as long as somebody may come back for them", async () => {
  using rig = gcRig();
  const [live, stale, done] = ["11", "22", "33"].map((digits) => digits.repeat(32) as StageKey);
  const trees = new Map<StageKey, Named>();
  for (const key of [live!, stale!, done!]) {
    const tree = await packedTree(rig.store, { state: key });
    trees.set(key, tree);
    must(await writeCheckpoint(rig.store, key, { tree: tree.digest, count: 1 }));
  }
  must(await deleteCheckpoint(rig.store, done!));
  must(
    await rig.store.driver.put(`checkpoints/${"44".repeat(32)}`, bodyOf(Buffer.from("{"), name256(Buffer.from("{")))),
  );
  age(join(rig.folder, "team/v1/checkpoints/sha256/22"), 15 * DAY);
  const { keys } = trees.get(live!)!;

  const first = must(await rig.gc({ graceMs: DAY }));
  expect(first.marks).toEqual({ checkpoints: 1 });
  expect(first.due).toEqual([]);
  expect(new Set(first.waiting.map(({ key }) => key))).toEqual(
    new Set([`checkpoints/${stale!}`, ...trees.get(stale!)!.keys, ...trees.get(done!)!.keys]),
  );
  // Somebody comes back for it after all, and writes it anew.
  must(await writeCheckpoint(rig.store, stale!, { tree: trees.get(stale!)!.digest, count: 2 }));
  const second = must(await rig.gc());
  expect(new Set(second.due.map(({ key }) => key))).toEqual(new Set(trees.get(done!)!.keys));

  age(join(rig.folder, "team/v1/checkpoints/sha256/22"), 15 * DAY);
  must(await rig.gc());
  expect(await keysIn(rig.store)).toEqual(new Set(keys));
  const left: string[] = [];
  for await (const { key } of rig.store.driver.list("checkpoints")) left.push(key);
  expect(left).toEqual([`checkpoints/${live!}`, `checkpoints/${"44".repeat(32)}`]);
});
