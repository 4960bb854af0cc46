import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { RunRecord } from "../../src/config/index.ts";
import { ok } from "../../src/core/index.ts";
import type { Digest } from "../../src/core/index.ts";
import { swapBranch, workingTree } from "../../src/git/index.ts";
import { openRecords, recordsOptions, stagePath } from "../../src/records/index.ts";
import type { Look, Records } from "../../src/records/index.ts";
import { contextIn, origin, repository, sh, temporary, write } from "../git/repository.ts";
import { must } from "../store/contract.ts";
import { contract } from "./contract.ts";
import { BRANCH, COMMIT, key, run, stage } from "./fixture.ts";
import { byPush } from "./rigs.ts";

interface Rig extends Disposable {
  readonly path: string;
  readonly bare: string;
  /** Another clone, and its records. */
  readonly clone: (name: string, ...options: string[]) => { path: string; context: Context; records: Records };
}
type Context = ReturnType<typeof contextIn>;

function rig(): Rig {
  const folder = temporary();
  const bare = origin(folder.path);
  return {
    path: folder.path,
    bare,
    clone(name, ...options) {
      sh(folder.path, "clone", "--quiet", ...options, `file://${bare}`, name);
      const path = join(folder.path, name);
      const context = contextIn(path);
      return { path, context, records: openRecords(context, { branch: BRANCH, remote: "origin" }) };
    },
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

describe("lookup", () => {
  test("nothing is there before anything was recorded, branch or no branch", async () => {
    using at = rig();
    const { records } = at.clone("a");
    expect(must(await records.stage(key(1)))).toBeUndefined();
    expect(must(await records.trustedStage(key(1)))).toBeUndefined();
    expect(must(await records.run(COMMIT, "churn"))).toBeUndefined();
    expect(must(await records.list())).toEqual([]);
    must(await records.refresh());
    expect(must(await records.list())).toEqual([]);
  });

  test("what is saved here is found here, and is nothing that others may rely on", async () => {
    using at = rig();
    const { records, context } = at.clone("a");
    must(await records.saveLocal({ stages: [stage(1, null)], runs: [run(null)] }));
    expect(must(await records.stage(key(1)))).toEqual(stage(1, null));
    expect(must(await records.trustedStage(key(1)))).toBeUndefined();
    expect(must(await records.run(COMMIT, "churn"))).toEqual(run(null));
    expect(context.events).toContainEqual({ type: "effect", name: "records saved" });
    expect(sh(context.cwd, "status", "--porcelain")).toBe("");
  });

  test("what is published is found in another clone after a refresh, shallow or not", async () => {
    using at = rig();
    must(await at.clone("a").records.publish({ stages: [stage(1, true)], runs: [run(true)] }));
    for (const options of [[], ["--depth=1", "--branch=main"]]) {
      const { records, path } = at.clone(`b${options.length}`, ...options, "--single-branch");
      expect(must(await records.stage(key(1)))).toBeUndefined();
      must(await records.refresh());
      expect(must(await records.stage(key(1)))).toEqual(stage(1, true));
      expect(must(await records.trustedStage(key(1)))).toEqual(stage(1, true));
      expect(must(await records.list())).toMatchObject([{ commit: COMMIT, standing: "trusted" }]);
      expect(sh(path, "rev-parse", "--is-shallow-repository")).toBe(String(options.length > 0));
    }
  });

  test("the publisher knows what it published without a refresh", async () => {
    using at = rig();
    const { records, context } = at.clone("a");
    const published = must(await records.publish({ stages: [stage(1, true)], runs: [] }));
    expect(published).toEqual({ commit: sh(at.bare, "rev-parse", BRANCH), changed: true, kept: [], looks: [] });
    expect(must(await records.trustedStage(key(1)))).toEqual(stage(1, true));
    expect(context.events).toContainEqual({ type: "effect", name: "records pushed" });
    expect(sh(at.bare, "ls-tree", "-r", "--name-only", BRANCH)).toBe(stagePath(key(1)));
  });

  test("a branch that was deleted is empty after a refresh", async () => {
    using at = rig();
    const { records } = at.clone("a");
    must(await records.publish({ stages: [stage(1, true)], runs: [] }));
    sh(at.bare, "branch", "-D", BRANCH);
    must(await records.refresh());
    expect(must(await records.stage(key(1)))).toBeUndefined();
  });

  test("a remote that does not answer is a failure of refresh, and lookups go on", async () => {
    using at = rig();
    const { records } = at.clone("a");
    must(await records.publish({ stages: [stage(1, true)], runs: [] }));
    rmSync(at.bare, { recursive: true });
    expect(await records.refresh()).toMatchObject({ ok: false, failures: [{ code: "git" }] });
    expect(must(await records.stage(key(1)))).toEqual(stage(1, true));
  });

  test("runs are listed newest first, those of no commit included", async () => {
    using at = rig();
    const { records } = at.clone("a");
    const day = (date: number): string => `2026-01-0${date}T00:00:00Z`;
    const runs = [
      run(null, { commit: null, startedAt: day(2) }),
      run(null, { pipeline: "digits", startedAt: day(3) }),
      run(null, { startedAt: day(1) }),
    ];
    must(await records.saveLocal({ stages: [], runs }));
    must(await records.publish({ stages: [], runs: [run(true, { commit: "d".repeat(40), startedAt: day(4) })] }));
    expect(must(await records.list()).map(({ startedAt }) => startedAt)).toEqual([day(4), day(3), day(2), day(1)]);
  });

  test("a name that is no name finds nothing", async () => {
    using at = rig();
    const { records } = at.clone("a");
    expect(must(await records.run("../../x", "churn"))).toBeUndefined();
    expect(must(await records.run(COMMIT, "x\ny"))).toBeUndefined();
  });
});

describe("a corrupt record is a warning and a miss", () => {
  const broken = [
    "",
    "{",
    "null",
    JSON.stringify({ ...stage(1, true), key: key(2) }),
    JSON.stringify({ recordVersion: 9 }),
  ];

  test.each(broken)("here: %s", async (text) => {
    using at = rig();
    const { records, path, context } = at.clone("a");
    must(await records.publish({ stages: [stage(1, true)], runs: [] }));
    write(path, { [`.lockstep/records/${stagePath(key(1))}`]: text });
    expect(must(await records.stage(key(1)))).toEqual(stage(1, true)); // the branch has a good one
    expect(context.events).toContainEqual({ type: "warning", message: expect.stringContaining(stagePath(key(1))) });
  });
});

contract("by push", byPush, { writers: 6 });

describe("a counter of looks is a sum of what the runs say", () => {
  const testSet = `sha256:${"e".repeat(64)}` as Digest;
  const looks = [1, 2, 3].map((n): Look => {
    const made = run(true, { commit: String(n).repeat(40), startedAt: `2026-03-0${n}T00:00:00.000Z` });
    return { testSet, predictions: `sha256:${String(n).repeat(64)}` as Digest, run: made };
  });

  test("deleted or damaged: it is counted again, by whoever looks next", async () => {
    using at = rig();
    const one = at.clone("one");
    // What a run that nobody vouches for says of itself is counted nowhere.
    const forged = { testSet, predictions: `sha256:${"9".repeat(64)}` as Digest };
    const untrusted = run(false, { commit: "9".repeat(40), looks: [forged] });
    must(await one.records.publish({ stages: [], runs: [...looks.map((look) => look.run as RunRecord), untrusted] }));
    const known = must(await one.records.publish({ stages: [], runs: [], looks: looks })).looks;
    const path = `looks/${"e".repeat(64)}.json`;
    for (const bytes of [null, Buffer.from("{")]) {
      const swapped = await swapBranch(one.context, {
        remote: "origin",
        branch: BRANCH,
        author: { name: "Ada", email: "ada@example.com" },
        change: async () => ok({ message: "lost", files: new Map([[path, bytes]]) }),
      });
      must(swapped);
      must(await one.records.refresh());
      expect(must(await one.records.looks(testSet))).toBeUndefined();
      expect(must(await one.records.publish({ stages: [], runs: [], looks: [looks[1] as Look] })).looks).toEqual([
        known[0],
      ]);
      expect(JSON.parse(sh(at.bare, "show", `${BRANCH}:${path}`))).toEqual(known[0]);
    }
    expect(one.context.events.filter(({ type }) => type === "warning")).toHaveLength(2);
  });
});

test("a full clone keeps the whole history of the branch when it refreshes", async () => {
  using at = rig();
  const writer = at.clone("writer").records;
  for (const n of [1, 2, 3]) must(await writer.publish({ stages: [stage(n, true)], runs: [] }));
  const { records, path } = at.clone("reader");
  must(await writer.publish({ stages: [stage(4, true)], runs: [] }));
  must(await records.refresh());
  expect(sh(path, "rev-list", "--count", `origin/${BRANCH}`)).toBe("4");
  expect(must(await records.stage(key(4)))).toEqual(stage(4, true));
});

test("without a remote the branch is this repository's own", async () => {
  using folder = temporary();
  const path = repository(join(folder.path, "alone"));
  const context = contextIn(path);
  const options = must(await recordsOptions(context, workingTree(context)));
  expect(options).toEqual({ branch: BRANCH, remote: null });
  const records = openRecords(context, options);
  must(await records.publish({ stages: [stage(1, true)], runs: [] }));
  must(await records.refresh());
  expect(must(await openRecords(context, options).trustedStage(key(1)))).toEqual(stage(1, true));
  expect(sh(path, "rev-list", "--count", BRANCH)).toBe("1");
});

test("the settings name the branch, and a URL serves as a remote", async () => {
  using at = rig();
  const { context, path } = at.clone("a");
  write(path, { ".github/lockstep.yml": "version: 1\nstore: file:../s\nrecords: experiments\n" });
  expect(must(await recordsOptions(context, workingTree(context)))).toEqual({
    branch: "experiments",
    remote: "origin",
  });
  const records = openRecords(context, { branch: "experiments", remote: `file://${at.bare}` });
  must(await records.publish({ stages: [stage(1, true)], runs: [] }));
  expect(must(await records.trustedStage(key(1)))).toEqual(stage(1, true));
  expect(sh(at.bare, "rev-list", "--count", "experiments")).toBe("1");
  writeFileSync(join(path, ".github/lockstep.yml"), "version: 2\n");
  expect(await recordsOptions(context, workingTree(context))).toMatchObject({ ok: false });
  expect(existsSync(join(path, ".git/FETCH_HEAD"))).toBe(false);
});
