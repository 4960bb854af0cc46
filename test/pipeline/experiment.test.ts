import { cpSync, existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe as suite, expect, test } from "vitest";
import { resultSchema } from "../../src/config/index.ts";
import type { ResultDocument } from "../../src/config/index.ts";
import type { Context } from "../../src/core/index.ts";
import { addData, pushData } from "../../src/data/index.ts";
import { atRevision } from "../../src/git/index.ts";
import { experiment, verifyResult } from "../../src/pipeline/index.ts";
import { openRecords } from "../../src/records/index.ts";
import { blobKey, closure, openStore } from "../../src/store/index.ts";
import { contextIn, repository, sh, temporary, write } from "../git/repository.ts";
import { value } from "../helpers/value.ts";

const FILES = {
  ".gitignore": ".lockstep/\nbuild/\ndata/\n",
  "params.yaml": "prepare: {seed: 1}\ntrain: {epochs: 10}\n",
  "checks.json": '{"checks": [{"name": "rows", "passed": true, "found": "1 row"}]}',
  "data/used.csv": "x\n1\n",
  "data/other.csv": "y\n2\n",
  "pipelines/demo.yaml": `stages:
  prepare:
    cmd: mkdir build/split && cp data/used.csv build/split/a && grep seed params.yaml > build/split/b
    deps: [data/used.csv]
    params: [prepare.seed]
    outs: [build/split]
  train:
    cmd: cat build/split/* > build/model; grep epochs params.yaml >> build/model; cp build/split/a build/table.csv
    deps: [build/split]
    params: [train.epochs]
    outs: [build/model]
    profile: build/table.csv
    env: {vars: [MACHINE]}
  evaluate:
    cmd: cp checks.json build/checks.json && echo '{"accuracy":0.5}' > build/m.json
    deps: [build/model, checks.json]
    metrics: [build/m.json]
    checks: build/checks.json
`,
};

const PROVENANCE = {
  trusted: true,
  event: "pull_request",
  repository: "acme/demo",
  headRepository: "acme/demo",
  workflow: "w.yml",
  workflowCommit: "0".repeat(40),
  runId: "1",
  runAttempt: 1,
  actor: "ada",
};

/** A team: an origin, a shared store, and fresh clones as a runner has them. */
class Team {
  readonly folder = temporary();
  readonly env = { LOCKSTEP_STORE: `file://${join(this.folder.path, "store")}`, MACHINE: "a" };
  readonly origin = join(this.folder.path, "origin.git");
  #clones = 0;

  clone(env: Record<string, string> = this.env): Context & { events: ReturnType<typeof contextIn>["events"] } {
    const path = join(this.folder.path, `clone-${this.#clones++}`);
    sh(this.folder.path, "clone", "--quiet", this.origin, path);
    return contextIn(path, env);
  }
}

let team: Team;
beforeAll(async () => {
  team = new Team();
  const seed = repository(join(team.folder.path, "seed"), FILES);
  const context = contextIn(seed, team.env);
  value(await addData(context, { path: "data/used.csv" }));
  value(await addData(context, { path: "data/other.csv" }));
  value(await pushData(context, { to: value(openStore(context, team.env.LOCKSTEP_STORE)) }));
  sh(seed, "add", "--all");
  sh(seed, "commit", "--quiet", "--message=data");
  sh(team.folder.path, "clone", "--quiet", "--bare", seed, team.origin);
});
afterAll(() => team.folder[Symbol.dispose]());

const statusOf = (document: ResultDocument): string[] =>
  document.runs.flatMap(({ stages }) => stages.map(({ status }) => status));

suite("an experiment", () => {
  test("fetches only the inputs that are missing, and sends what came of it before its result names it", async () => {
    const context = team.clone();
    const { document, failures, ran } = value(await experiment(context));
    expect(failures).toEqual([]);
    expect(resultSchema.parse(document)).toEqual(document);
    expect(document.commit).toBe(sh(context.cwd, "rev-parse", "HEAD"));
    expect(ran).toEqual(["demo/prepare", "demo/train", "demo/evaluate"]);
    expect(existsSync(join(context.cwd, "data/used.csv"))).toBe(true);
    expect(existsSync(join(context.cwd, "data/other.csv"))).toBe(false);
    const store = value(openStore(context, team.env.LOCKSTEP_STORE));
    for (const record of document.stages) {
      for (const out of record.outs) {
        for (const key of value(await closure(out, store))) {
          expect(value(await store.driver.stat(key)), key).toBeDefined();
        }
      }
      if (record.profile)
        expect(JSON.parse(value(await store.read(record.profile)).toString())).toMatchObject({ rows: 1 });
    }
    expect(document.stages.map(({ checks }) => checks)).toEqual([
      undefined,
      undefined,
      [{ name: "rows", passed: true, found: "1 row" }],
    ]);
    expect(document.stages.map(({ vars }) => vars)).toEqual([undefined, { MACHINE: "a" }, undefined]);
  });

  test("where the records know it all, nothing runs and nothing is fetched; a change runs what it must", async () => {
    const first = team.clone();
    const { document } = value(await experiment(first));
    const trusted = document.stages.map((stage) => ({ ...stage, provenance: PROVENANCE }));
    const records = openRecords(first, { branch: "lockstep-records", remote: "origin" });
    value(await records.publish({ stages: trusted, runs: [] }));

    const second = team.clone();
    const again = value(await experiment(second, { trustedOnly: true }));
    expect(again.ran).toEqual([]);
    expect(statusOf(again.document)).toEqual(["cached", "cached", "cached"]);
    expect(again.document.stages).toEqual(document.stages);
    expect(again.document.runs[0]?.metrics).toEqual({ "build/m.json": { accuracy: 0.5 } });
    expect(existsSync(join(second.cwd, "data"))).toBe(false);
    expect(existsSync(join(second.cwd, "build"))).toBe(false);

    write(second.cwd, { "params.yaml": "prepare: {seed: 1}\ntrain: {epochs: 12}\n" });
    sh(second.cwd, "commit", "--quiet", "--all", "--message=longer");
    const changed = value(await experiment(second));
    expect(changed.document.runs[0]?.stages.map(({ status, reason }) => `${status}: ${reason}`)).toEqual([
      "cached: nothing it depends on changed",
      "run: params.yaml: train.epochs 10 -> 12",
      "run: build/model changed",
    ]);
    expect(existsSync(join(second.cwd, "build/split/a"))).toBe(true);
    expect(existsSync(join(second.cwd, "data"))).toBe(false);
  });

  test("a key whose bytes are lost is made again, never named without them", async () => {
    const context = team.clone({ ...team.env, LOCKSTEP_STORE: `file://${join(team.folder.path, "lossy")}` });
    const lossy = value(openStore(context, context.env["LOCKSTEP_STORE"] as string));
    cpSync(fileURLToPath(team.env.LOCKSTEP_STORE), join(team.folder.path, "lossy"), { recursive: true });
    const { document } = value(await experiment(context));
    const model = document.stages[1]?.outs.find(({ path }) => path === "build/model");
    value(await lossy.driver.delete(blobKey(model?.digest as never)));
    rmSync(join(context.cwd, ".lockstep/cache"), { recursive: true, force: true });
    rmSync(join(context.cwd, "build"), { recursive: true, force: true });
    const again = value(await experiment(context));
    expect(again.document.runs[0]?.stages.map(({ status }) => status)).toEqual(["cached", "run", "cached"]);
    expect(value(await lossy.has(model?.digest as never))).toBe(true);
  });

  test("what goes wrong is in the document: a broken file, a stage that fails", async () => {
    const broken = team.clone();
    write(broken.cwd, { "pipelines/demo.yaml": "stages:\n  a: {cmd: x, color: red}\n" });
    sh(broken.cwd, "commit", "--quiet", "--all", "--message=broken");
    const one = value(await experiment(broken));
    expect(one.document).toMatchObject({ runs: [], stages: [] });
    expect(one.document.failures).toEqual([expect.stringContaining('pipelines/demo.yaml:2:15: unknown key "color"')]);

    const failing = team.clone();
    write(failing.cwd, {
      "pipelines/demo.yaml": FILES["pipelines/demo.yaml"].replace(
        "cat build/split/*",
        "printf '\\033[31mred\\033[0m\\n'; exit 7; cat",
      ),
    });
    sh(failing.cwd, "commit", "--quiet", "--all", "--message=failing");
    const { document } = value(await experiment(failing));
    expect(statusOf(document).slice(1)).toEqual(["failed", "skipped"]);
    expect(document.runs[0]?.ok).toBe(false);
    expect(document.stages).toHaveLength(1);
    expect(document.failures).toEqual([expect.stringContaining('stage "train" ended with exit code 7')]);
    expect(document.failures[0]).toContain("    | red");
    expect(resultSchema.safeParse(document).success).toBe(true);
    const source = value(await atRevision(failing, "HEAD"));
    value(await verifyResult(failing, { document, source }));
  });

  test("a result of files that HEAD does not have is warned of", async () => {
    const context = team.clone();
    write(context.cwd, { "params.yaml": "prepare: {seed: 2}\ntrain: {epochs: 10}\n" });
    const { document } = value(await experiment(context));
    expect(context.events).toContainEqual({
      type: "warning",
      message: expect.stringContaining("params.yaml is not as HEAD has it"),
    });
    const source = value(await atRevision(context, "HEAD"));
    expect(await verifyResult(context, { document, source })).toMatchObject({ failures: [{ code: "result-refused" }] });
  });
});

suite("checking a result", () => {
  let honest: ResultDocument;
  let checker: Context;
  beforeAll(async () => {
    honest = value(await experiment(team.clone())).document;
    // The checker has no data, no outputs, no records and another environment.
    checker = team.clone({});
  });

  async function check(document: ResultDocument): Promise<string> {
    const source = value(await atRevision(checker, "HEAD"));
    const result = await verifyResult(checker, { document, source });
    if (result.ok) return "accepted";
    const [failure] = result.failures;
    return failure.code === "result-refused" ? failure.reason : failure.code;
  }

  test("an honest one is accepted", async () => {
    expect(await check(honest)).toBe("accepted");
  });

  type Draft = { -readonly [K in keyof ResultDocument]: ResultDocument[K] };
  const key = "a".repeat(64) as ResultDocument["stages"][number]["key"];
  const digest = `sha256:${"b".repeat(64)}` as ResultDocument["stages"][number]["outs"][number]["digest"];
  test.each<[string, (draft: Draft) => void, RegExp]>([
    ["another commit", (draft) => (draft.commit = "c".repeat(40)), /^it is for commit c{40}/],
    ["a run for another commit", (draft) => (draft.runs[0]!.commit = null), /run of "demo" is for another commit/],
    [
      "a key of its own",
      (draft) => {
        draft.runs[0]!.stages[0]!.key = key;
        draft.stages[0]!.key = key;
      },
      /the key of stage "prepare" .* is not that of this commit/,
    ],
    ["a record that is missing", (draft) => draft.stages.shift(), /stage "prepare" .* has no record/],
    ["a record too many", (draft) => draft.stages.push({ ...draft.stages[0]!, key }), /belongs to no stage/],
    ["two records of one key", (draft) => draft.stages.push(draft.stages[0]!), /two records for one key/],
    ["two runs of one pipeline", (draft) => draft.runs.push(draft.runs[0]!), /two runs of one pipeline/],
    ["a pipeline that is not there", (draft) => (draft.runs[0]!.pipeline = "other"), /pipeline "other" cannot be read/],
    ["a stage left out", (draft) => draft.runs[0]!.stages.pop(), /its stages are not those/],
    [
      "an upstream output that does not fit",
      (draft) => (draft.stages[0]!.outs[0]!.digest = digest),
      /the key of stage "train"/,
    ],
    [
      "an output of another path",
      (draft) => (draft.stages[2]!.outs[0]!.path = ".github/workflows/x.yml" as never),
      /does not have its outputs/,
    ],
    ["an output more", (draft) => draft.stages[2]!.outs.push(draft.stages[2]!.outs[0]!), /does not have its outputs/],
    [
      "metrics that are not its stages'",
      (draft) => (draft.runs[0]!.metrics["build/m.json" as never] = { accuracy: 1 } as never),
      /the metrics of "demo"/,
    ],
    [
      "metrics of a file that has none",
      (draft) => (draft.stages[0]!.metrics = { "x.json": { a: 1 } } as never),
      /does not have its metrics/,
    ],
    ["no checks", (draft) => delete draft.stages[2]!.checks, /does not have its checks/],
    ["checks nobody declared", (draft) => (draft.stages[0]!.checks = []), /does not have its checks/],
    ["no profile", (draft) => (draft.stages[1]!.profile = null), /does not have its profile/],
    ["another environment", (draft) => (draft.stages[1]!.vars = { MACHINE: "b" }), /the key of stage "train"/],
    ["variables nobody declared", (draft) => (draft.stages[0]!.vars = { PATH: "/" }), /does not have its variables/],
    [
      "params of its own",
      (draft) => (draft.runs[0]!.params["params.yaml"]!["train.epochs"] = 99),
      /the params or data/,
    ],
    ["data of its own", (draft) => (draft.runs[0]!.data["used"] = digest), /the params or data/],
    ["success where a stage failed", (draft) => (draft.runs[0]!.ok = false), /whether "demo" went well/],
    [
      "a stage after one that failed",
      (draft) => {
        draft.runs[0]!.stages[0]!.status = "failed";
        draft.stages.shift();
      },
      /ended although a stage it needs did not/,
    ],
    ["its own word for whom to trust", (draft) => (draft.stages[0]!.provenance = PROVENANCE), /claims who vouches/],
  ])("%s is refused", async (_, forge, reason) => {
    const draft = structuredClone(honest) as Draft;
    forge(draft);
    expect(await check(draft)).toMatch(reason);
  });
});
