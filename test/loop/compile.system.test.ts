import { cpSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ResultDocument, StageRecord } from "../../src/config/index.ts";
import { atRevision, workingTree } from "../../src/git/index.ts";
import { loadPipeline, verifyResult } from "../../src/pipeline/index.ts";
import { openRecords } from "../../src/records/index.ts";
import type { WorkflowRun } from "../../src/sandbox/world.ts";
import { contextIn, write } from "../git/repository.ts";
import { readResultArtifact } from "../helpers/artifact.ts";
import { value } from "../helpers/value.ts";
import { hasAct, inAct } from "./act.ts";
import { NAME, openRig, root } from "./rig.ts";
import type { Rig } from "./rig.ts";

/** Thirteen stages: a fan out, a matrix, a folder made by many, a metric that git keeps and a stage reads. */
const GRID = `version: 1
stages:
  raw:
    cmd: seq \${rows} > build/raw
    params: [rows]
    outs: [build/raw]
  split:
    foreach: [a, b, c]
    do:
      cmd: mkdir -p build/split && (echo \${item}; cat build/raw) > build/split/\${item}
      deps: [build/raw]
      outs: ["build/split/\${item}"]
  train:
    matrix: {part: [a, b, c], seed: [1, 2]}
    cmd: mkdir -p build/models && (echo \${item.seed}; cat build/split/\${item.part}) > build/models/\${key}
    deps: ["build/split/\${item.part}"]
    outs: ["build/models/\${key}"]
  merge:
    cmd: mkdir build/all && cp build/models/* build/all/
    deps: [build/models]
    outs: [build/all]
  score:
    cmd: mkdir -p scores && echo "{\\"lines\\":$(cat build/all/* | wc -l)}" > scores/lines.json
    deps: [build/all]
    metrics: [{scores/lines.json: {cache: false}}]
  final:
    cmd: cat scores/lines.json build/all/a-1 > build/final
    deps: [scores/lines.json, build/all]
    outs: [build/final]
`;

const essence = (records: readonly StageRecord[]): unknown =>
  records.map(({ key, stage, outs, metrics }) => ({ key, stage, outs, metrics }));

describe("a compiled workflow", () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig();
    const workflows = ["lockstep-experiment.yml", "lockstep-report.yml"].map((file) => `.github/workflows/${file}`);
    for (const file of workflows) {
      mkdirSync(dirname(join(rig.clone, file)), { recursive: true });
      cpSync(join(root, file), join(rig.clone, file));
    }
    write(rig.clone, {
      ".gitignore": ".lockstep/\nbuild/\n",
      ".github/lockstep.yml": "version: 1\nstore: file:.lockstep/store\n",
      "params.yaml": "rows: 3\n",
      "pipelines/grid.yaml": GRID,
    });
    await rig.lockstep("compile", "grid");
    await rig.run("git", ["add", "-A"]);
    await rig.run("git", ["commit", "-q", "-m", "A grid"]);
    await rig.run("git", ["push", "-q", "origin", "main"]);
    await propose("more", { "params.yaml": "rows: 4\n" });
  });
  afterAll(async () => rig.close());

  async function propose(branch: string, files: Record<string, string>): Promise<void> {
    await rig.run("git", ["checkout", "-q", "-b", branch]);
    write(rig.clone, files);
    await rig.run("git", ["commit", "-q", "-am", branch]);
    await rig.run("git", ["push", "-q", "origin", branch]);
    await rig.api("POST", "/pulls", { title: branch, head: branch, base: "main" });
  }

  /** What `lockstep run` records for the tree that was run. */
  async function recordsHere(document: ResultDocument): Promise<readonly StageRecord[]> {
    await rig.run("git", ["fetch", "-q", "origin", document.commit]);
    await rig.run("git", ["checkout", "-q", "--detach", "FETCH_HEAD"]);
    await rig.lockstep("run", "grid", "--json");
    const context = contextIn(rig.clone);
    const records = openRecords(context, { branch: "lockstep-records", remote: null });
    const { stages } = value(await loadPipeline(workingTree(context), "grid"));
    expect(document.stages.map(({ stage }) => stage)).toEqual(stages.map(({ name }) => name));
    const found = await Promise.all(document.stages.map(async ({ key }) => value(await records.stage(key))));
    return found.flatMap((record) => record ?? []);
  }

  function compiledRun(): WorkflowRun {
    return rig.runs().findLast(({ path }) => path.endsWith("lockstep-grid.yml"))!;
  }

  it("gives the records that `lockstep run` gives, and its result is accepted", { timeout: 300_000 }, async () => {
    const names = await rig.settle();
    expect(names.toSorted()).toEqual([
      "Lockstep experiment: success",
      "Lockstep experiment: success",
      // One when each began, one when each ended.
      ...Array.from({ length: 4 }, () => "Lockstep report: success"),
    ]);
    const run = compiledRun();
    expect(run.conclusion).toBe("success");
    const document = await readResultArtifact(rig.sandbox.world, NAME, run.id);
    expect(document.failures).toEqual([]);
    expect(document.runs[0]?.metrics).toEqual({ "scores/lines.json": { lines: 36 } });
    expect(essence(await recordsHere(document))).toEqual(essence(document.stages));
    const source = value(await atRevision(contextIn(rig.clone), document.commit));
    value(await verifyResult(contextIn(rig.clone), { document, source }));
  });
  it.skipIf(!hasAct)(
    "comes to the same in act, where its jobs share no store and outputs go through artifacts",
    { timeout: 300_000 },
    async () => {
      const run = compiledRun();
      const theirs = await readResultArtifact(
        rig.sandbox.world,
        NAME,
        await inAct(rig, run, { copies: true, store: false }),
      );
      const ours = await readResultArtifact(rig.sandbox.world, NAME, run.id);
      expect(essence(theirs.stages)).toEqual(essence(ours.stages));
      expect(theirs.runs[0]?.stages.map(({ status }) => status)).toEqual(ours.stages.map(() => "run"));
    },
  );
  it("starts no job for what the records know", { timeout: 300_000 }, async () => {
    await rig.run("git", ["checkout", "-q", "more"]);
    await propose("other-score", { "pipelines/grid.yaml": GRID.replace("wc -l", "wc -c") });
    await rig.settle();
    const { jobs, conclusion, id } = compiledRun();
    expect(conclusion).toBe("success");
    const started = jobs.filter((job) => job.conclusion !== "skipped").map(({ name }) => name);
    expect(started).toEqual(["plan", "score", "final", "result"]);
    const { runs } = await readResultArtifact(rig.sandbox.world, NAME, id);
    const cached = runs[0]!.stages.filter(({ status }) => status === "cached");
    expect([cached.length, runs[0]!.stages.length]).toEqual([11, 13]);
  });
});
