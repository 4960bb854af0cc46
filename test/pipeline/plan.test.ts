import { rmSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe as suite, expect, test } from "vitest";
import { atRevision } from "../../src/git/index.ts";
import { loadPipeline, plan } from "../../src/pipeline/index.ts";
import type { PlanOptions, PlannedStage } from "../../src/pipeline/index.ts";
import { sh, write } from "../git/repository.ts";
import { value } from "../helpers/value.ts";
import { CHAIN_FILES, local, project, runDemo } from "./project.ts";
import type { Project } from "./project.ts";
import { holds, scenarios } from "./property.ts";

async function planDemo(at: Project, options: Partial<PlanOptions> = {}): Promise<readonly PlannedStage[]> {
  const { source, records } = local(at.context);
  const from = options.source ?? source;
  const pipeline = value(await loadPipeline(from, "demo"));
  return value(await plan(at.context, { source: from, pipeline, records, ...options })).stages;
}

async function reasons(at: Project, options: Partial<PlanOptions> = {}): Promise<string[]> {
  return (await planDemo(at, options)).map(({ stage, action, reason }) => `${stage} ${action}: ${reason}`);
}

const CACHED = "cached: nothing it depends on changed";

suite("a plan", () => {
  test("tells what changed since the stage last ran, in words", async () => {
    using at = project(CHAIN_FILES);
    expect(await reasons(at)).toEqual([
      "prepare run: it has not run yet",
      "train run: prepare will run",
      "evaluate run: train will run",
    ]);
    await runDemo(at.context);
    expect(await reasons(at)).toEqual([`prepare ${CACHED}`, `train ${CACHED}`, `evaluate ${CACHED}`]);
    write(at.path, { "params.yaml": "prepare:\n  seed: 1\ntrain:\n  epochs: 12 # passes\n  rate: 0.5\n" });
    expect(await reasons(at)).toEqual([
      `prepare ${CACHED}`,
      "train run: params.yaml: train.epochs 10 -> 12",
      "evaluate run: train will run",
    ]);
    write(at.path, { "src/new.txt": "x", "params.yaml": "prepare:\n  seed: two\ntrain:\n  epochs: 10\n  rate: 0.5\n" });
    expect((await reasons(at))[0]).toBe("prepare run: params.yaml: prepare.seed 1 -> two; src changed");
  });

  test("needs no data, no outputs and no working tree", async () => {
    using at = project(CHAIN_FILES);
    await runDemo(at.context);
    write(at.path, { "params.yaml": "prepare:\n  seed: 1\ntrain:\n  epochs: 11\n  rate: 0.5\n" });
    sh(at.path, "commit", "--quiet", "--all", "--message=more");
    for (const gone of ["build", ".lockstep/cache", ".lockstep/store", "src"]) {
      rmSync(join(at.path, gone), { recursive: true, force: true });
    }
    const head = value(await atRevision(at.context, "HEAD"));
    expect((await planDemo(at, { source: head })).map(({ action }) => action)).toEqual(["cached", "run", "run"]);
    const before = value(await atRevision(at.context, "HEAD~1"));
    expect((await planDemo(at, { source: before })).map(({ action }) => action)).toEqual([
      "cached",
      "cached",
      "cached",
    ]);
  });

  test("tells its reasons against a baseline where nothing ran yet", async () => {
    using at = project(CHAIN_FILES);
    await runDemo(at.context);
    rmSync(join(at.path, ".lockstep/last"), { recursive: true });
    write(at.path, { "params.yaml": "prepare:\n  seed: 1\ntrain:\n  epochs: 10\n  rate: 0.25\n" });
    const baseline = value(await atRevision(at.context, "HEAD"));
    expect((await reasons(at))[1]).toBe("train run: it has not run yet");
    expect((await reasons(at, { baseline }))[1]).toBe("train run: params.yaml: train.rate 0.5 -> 0.25");
  });

  test("with trusted records only, what ran here does not count", async () => {
    using at = project(CHAIN_FILES);
    await runDemo(at.context);
    expect((await planDemo(at, { trustedOnly: true })).map(({ action }) => action)).toEqual(["run", "run", "run"]);
  });

  test("forced, and always_changed", async () => {
    using at = project({
      "pipelines/demo.yaml": "stages:\n  a: {cmd: 'true', always_changed: true}\n  b: {cmd: 'true'}\n",
    });
    await runDemo(at.context);
    expect(await reasons(at)).toEqual(["a run: it is declared always_changed", `b ${CACHED}`]);
    expect((await reasons(at, { force: true }))[1]).toBe("b run: it was asked for (--force)");
  });

  test("missing params of several stages come at once", async () => {
    using at = project({
      "params.yaml": "x: 1\n",
      "pipelines/demo.yaml": "stages:\n  a: {cmd: x, params: [y]}\n  b: {cmd: x, params: [x, z]}\n",
    });
    const { source, records } = local(at.context);
    const pipeline = value(await loadPipeline(source, "demo"));
    expect(await plan(at.context, { source, pipeline, records })).toMatchObject({
      failures: [{ key: "y" }, { key: "z" }],
    });
  });
});

test("the run does what the plan said, whatever the graph and whatever was edited", async () => {
  await fc.assert(fc.asyncProperty(scenarios, holds), { numRuns: 15 });
});
