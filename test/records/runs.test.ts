import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { RunRecord } from "../../src/config/index.ts";
import { diffRuns, openRecords, parseCondition, parseSince, queryRuns, runPath } from "../../src/records/index.ts";
import type { Records, RunEntry, RunQuery } from "../../src/records/index.ts";
import { toEntry } from "../../src/records/run-entry.ts";
import { contextIn, repository, sh, temporary, write } from "../git/repository.ts";
import { must } from "../store/contract.ts";
import { BRANCH, run } from "./fixture.ts";

const commitOf = (n: number): string => n.toString(16).padStart(40, "0");

/** A run of lr = n/10 on day n, with an accuracy that falls. */
function made(n: number, more: Partial<RunRecord> = {}): RunRecord {
  return run(true, {
    commit: commitOf(n),
    startedAt: `2026-01-0${n}T00:00:00Z`,
    ms: 1000 * n,
    params: { "params.yaml": { train: { lr: n / 10, layers: [n, 2] }, seed: "one" } },
    metrics: { "build/m.json": { accuracy: 1 - n / 10 } } as unknown as RunRecord["metrics"],
    ...more,
  });
}

const cond = (...texts: string[]) => texts.map((text) => must(parseCondition(text)));
const days = (runs: readonly RunEntry[]): number[] => runs.map(({ startedAt }) => Number(startedAt.slice(8, 10)));

test("a query filters and sorts by everything a run has", () => {
  const runs = [
    toEntry(made(1), "branch"),
    toEntry(made(2, { ok: false, provenance: null }), "here"),
    toEntry(made(3, { pipeline: "other", metrics: {} }), "branch"),
    toEntry(made(4), "apart"),
  ];
  const asked = (query: RunQuery): number[] => days(queryRuns(runs, query));
  expect(asked({})).toEqual([4, 3, 2, 1]);
  expect(asked({ reverse: true })).toEqual([1, 2, 3, 4]);
  expect(asked({ pipeline: "other" })).toEqual([3]);
  expect(asked({ ok: false })).toEqual([2]);
  expect(asked({ trusted: true })).toEqual([3, 1]);
  expect(asked({ trusted: false })).toEqual([4, 2]); // what lies apart is not vouched for, whatever it says itself
  expect(asked({ since: new Date("2026-01-03T00:00:00Z") })).toEqual([4, 3]);
  expect(asked({ params: cond("train.lr=0.20") })).toEqual([2]);
  expect(asked({ params: cond("params.yaml:train.lr>=0.2", "train.lr != 0.3") })).toEqual([4, 2]);
  expect(asked({ params: cond("seed=one", "train.layers=[4,2]") })).toEqual([4]);
  expect(asked({ params: cond("seed<two") })).toEqual([]);
  expect(asked({ metrics: cond("accuracy<0.85") })).toEqual([4, 2]);
  expect(asked({ metrics: cond("nothing=1") })).toEqual([]);
  expect(asked({ sort: "accuracy" })).toEqual([1, 2, 4, 3]);
  expect(asked({ sort: "accuracy", reverse: true })).toEqual([4, 2, 1, 3]);
  expect(asked({ sort: "train.lr" })).toEqual([4, 3, 2, 1]);
  expect(asked({ sort: "duration", reverse: true })).toEqual([1, 2, 3, 4]);
});

test("what is no condition, or no time, is said to be none", () => {
  for (const text of ["", "x", "=1", "x=", ">1"]) expect(parseCondition(text).ok, text).toBe(false);
  const now = new Date("2026-02-10T12:00:00Z");
  expect(must(parseSince("36h", now))).toEqual(new Date("2026-02-09T00:00:00Z"));
  expect(must(parseSince("2026-01-31", now))).toEqual(new Date("2026-01-31T00:00:00Z"));
  for (const text of ["yesterday", "2026-13-40", "7", "7y"]) expect(parseSince(text, now).ok, text).toBe(false);
});

test("a diff has both sides of everything", () => {
  const a = made(1, { data: { digits: "sha256:aa" as never } });
  const b = made(2, { params: { "params.yaml": { train: { lr: 0.2 }, extra: true } } });
  const diff = diffRuns(a, b);
  expect(diff.params.filter(({ equal }) => !equal)).toEqual([
    { name: "params.yaml:extra", a: null, b: true, equal: false },
    { name: "params.yaml:seed", a: "one", b: null, equal: false },
    { name: "params.yaml:train.layers", a: "[1,2]", b: null, equal: false },
    { name: "params.yaml:train.lr", a: 0.1, b: 0.2, equal: false },
  ]);
  expect(diff.metrics).toEqual([{ name: "build/m.json:accuracy", a: 0.9, b: 0.8, equal: false, change: 0.8 - 0.9 }]);
  expect(diff.data).toEqual([{ name: "digits", a: "sha256:aa", b: null, equal: false }]);
});

interface Rig extends Disposable {
  readonly path: string;
  readonly context: ReturnType<typeof contextIn>;
  readonly records: Records;
}

function rig(): Rig {
  const folder = temporary();
  const path = repository(join(folder.path, "r"), { ".gitignore": ".lockstep/\n" });
  const context = contextIn(path);
  const records = openRecords(context, { branch: BRANCH, remote: null });
  return { path, context, records, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

test("the list is read from the index, and only what is new from the records", async () => {
  using at = rig();
  must(await at.records.publish({ stages: [], runs: [made(1), made(2)] }));
  must(await at.records.saveLocal({ stages: [], runs: [made(3, { provenance: null })] }));
  const index = join(at.path, ".lockstep/run-index.json");
  const first = must(await at.records.list());
  expect(days(first)).toEqual([3, 2, 1]);
  expect(first.map(({ standing }) => standing)).toEqual(["here", "trusted", "trusted"]);
  const { mtimeNs } = statSync(index, { bigint: true });
  expect(must(await at.records.list())).toEqual(first);
  expect(statSync(index, { bigint: true }).mtimeNs).toBe(mtimeNs);

  // Without the objects of the runs that it knows the index still answers: they are not read again.
  const oid = sh(at.path, "rev-parse", `${BRANCH}:${runPath(commitOf(1), "churn")}`);
  rmSync(join(at.path, ".git/objects", oid.slice(0, 2), oid.slice(2)));
  must(await at.records.publish({ stages: [], runs: [made(4)] }));
  must(await at.records.saveLocal({ stages: [], runs: [made(3, { provenance: null, ms: 7 })] }));
  const second = must(await at.records.list());
  expect(days(second)).toEqual([4, 3, 2, 1]);
  expect(second[1]).toMatchObject({ ms: 7 });
  expect(must(await at.records.read(second[0]!))).toEqual(made(4));
  sh(at.path, "branch", "-D", BRANCH);
  expect(days(must(await at.records.list()))).toEqual([3]);
});

test("an index that is damaged, of another version or gone is made again", async () => {
  using at = rig();
  must(await at.records.publish({ stages: [], runs: [made(1), made(2)] }));
  const known = must(await at.records.list());
  const index = join(at.path, ".lockstep/run-index.json");
  const whole = readFileSync(index, "utf8");
  for (const text of [
    "",
    "{}",
    whole.slice(0, -20),
    whole.replace("2026-01-02", "2026-01-09"),
    whole.replace("lockstep-run-index/1", "lockstep-run-index/2"),
  ]) {
    writeFileSync(index, text);
    expect(must(await at.records.list())).toEqual(known);
    expect(readFileSync(index, "utf8")).toBe(whole);
  }
});

test("records that are none are told of each time, and hold nothing up", async () => {
  using at = rig();
  const deep = `{"a":`.repeat(20_000) + "1" + "}".repeat(20_000);
  const hostile = JSON.stringify(made(1, { params: { "p.yaml": { x: "DEEP" } } })).replace('"DEEP"', deep);
  write(at.path, {
    [`.lockstep/records/${runPath(commitOf(1), "churn")}`]: hostile,
    [`.lockstep/records/${runPath(commitOf(2), "churn")}`]: JSON.stringify(made(3)),
    ".lockstep/records/runs/x/y.json": "{",
    ".lockstep/records/runs/stray": "no folder",
  });
  must(await at.records.saveLocal({ stages: [], runs: [made(4, { provenance: null })] }));
  for (let twice = 0; twice < 2; twice++) {
    at.context.events.length = 0;
    expect(days(must(await at.records.list()))).toEqual([4]);
    expect(at.context.events.filter(({ type }) => type === "warning")).toHaveLength(3);
  }
});
