import { rmSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe as suite, expect, test } from "vitest";
import { atRevision } from "../../src/git/index.ts";
import { loadPipeline, plan } from "../../src/pipeline/index.ts";
import type { PlanOptions, PlannedStage } from "../../src/pipeline/index.ts";
import { sh, write } from "../git/repository.ts";
import { value } from "../helpers/value.ts";
import { CHAIN_FILES, IGNORE, local, project, runDemo, statuses } from "./project.ts";
import type { Project } from "./project.ts";

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

/** A random graph whose stages write all that they read, and a list of edits of its sources. */
const scenario = fc.integer({ min: 2, max: 5 }).chain((count) =>
  fc.record({
    needs: fc.tuple(...Array.from({ length: count }, (_, at) => fc.subarray(Array.from({ length: at }, (__, n) => n)))),
    edits: fc.array(fc.record({ stage: fc.nat(count - 1), text: fc.constantFrom("1", "2", "3") }), {
      minLength: 1,
      maxLength: 4,
    }),
  }),
);

suite("a plan and the run after it", () => {
  test("agree, whatever the graph and whatever was edited", async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ needs, edits }) => {
        const stages = needs.map((list, at) => {
          const outs = list.map((n) => `build/s${n}`);
          const cmd = `cat ${[`in/${at}`, ...outs].join(" ")} > build/s${at}; echo s${at} >> build/s${at}`;
          return `  s${at}: {cmd: "${cmd}", deps: [${[`in/${at}`, ...outs].join(", ")}], outs: [build/s${at}]}\n`;
        });
        const inputs = Object.fromEntries(needs.map((_, at) => [`in/${at}`, "0"]));
        using at = project({ ...inputs, ".gitignore": IGNORE, "pipelines/demo.yaml": `stages:\n${stages.join("")}` });
        for (const edit of [undefined, ...edits]) {
          if (edit) write(at.path, { [`in/${edit.stage}`]: edit.text });
          const planned = await planDemo(at);
          const outcome = await runDemo(at.context);
          // A stage that waits for another may turn out cached: its text was this one before.
          const said = planned.map(({ stage, action, key }, index) => {
            const turned = action === "run" && key === null && outcome.run.stages[index]?.status === "cached";
            return `${stage}: ${turned ? "cached" : action}`;
          });
          expect(statuses(outcome)).toEqual(said);
          for (const [index, { key }] of planned.entries()) {
            if (key !== null) expect(outcome.run.stages[index]?.key).toBe(key);
          }
          expect((await planDemo(at)).every(({ action }) => action === "cached")).toBe(true);
        }
      }),
      { numRuns: 8 },
    );
  });
});
