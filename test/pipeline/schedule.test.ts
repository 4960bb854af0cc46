import fc from "fast-check";
import { expect, test } from "vitest";
import { run } from "../../src/pipeline/index.ts";
import { loadPipeline } from "../../src/pipeline/index.ts";
import { Resources } from "../../src/pipeline/schedule.ts";
import { local, project, runDemo, statuses } from "./project.ts";
import { value } from "../helpers/value.ts";

const names = ["gpu", "cpu", "licence"];

test("never more is out than there is, and everyone who wants no more than that gets through", async () => {
  const amount = fc.record(Object.fromEntries(names.map((name) => [name, fc.integer({ min: 0, max: 3 })])));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(amount, fc.integer({ min: 0, max: 4 })), { maxLength: 20 }), async (jobs) => {
      const there = { gpu: 3, cpu: 3, licence: 3 };
      const resources = new Resources(there);
      const out: Record<string, number> = { gpu: 0, cpu: 0, licence: 0 };
      let done = 0;
      await Promise.all(
        jobs.map(([wants, turns]) =>
          resources.use(wants, async () => {
            for (const [name, much] of Object.entries(wants)) out[name]! += much;
            for (const name of names) expect(out[name]).toBeLessThanOrEqual(3);
            for (let turn = 0; turn < turns; turn++) await Promise.resolve();
            for (const [name, much] of Object.entries(wants)) out[name]! -= much;
            done += 1;
          }),
        ),
      );
      expect(done).toBe(jobs.length);
      expect(out).toEqual({ gpu: 0, cpu: 0, licence: 0 });
    }),
  );
});

test("a job that fails gives back what it had", async () => {
  const resources = new Resources({ gpu: 1 });
  await expect(resources.use({ gpu: 1 }, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  await expect(resources.use({ gpu: 1 }, () => Promise.resolve("yes"))).resolves.toBe("yes");
});

/** Each stage says when it begins and ends; the log tells how many were at it together. */
const stages = (fields: string): string => {
  const stage = (name: string): string =>
    `  ${name}: {cmd: "echo + >> build/log; sleep 0.2; echo - >> build/log; echo x > build/${name}", outs: [build/${name}], ${fields}}\n`;
  return `stages:\n${["a", "b", "c"].map(stage).join("")}`;
};

function most(log: string): number {
  let now = 0;
  return Math.max(
    ...log
      .trim()
      .split("\n")
      .map((sign) => (now += sign === "+" ? 1 : -1)),
  );
}

test("stages that want the one GPU take turns; with two of them, two run at once", async () => {
  for (const [resources, together] of [
    [{}, 1],
    [{ gpu: 2 }, 2],
  ] as const) {
    using at = project({ "pipelines/demo.yaml": stages("gpu: 1"), "build/keep": "" });
    const outcome = await runDemo(at.context, { jobs: 3, resources });
    expect(statuses(outcome)).toEqual(["a: run", "b: run", "c: run"]);
    expect(most(at.read("build/log"))).toBe(together);
  }
});

test("what a stage wants is not part of its key", async () => {
  using at = project({ "pipelines/demo.yaml": stages("resources: {licence: 1}") });
  await runDemo(at.context);
  using other = project({ "pipelines/demo.yaml": stages("gpu: 1") });
  const [a, b] = await Promise.all([runDemo(at.context), runDemo(other.context)]);
  expect(a.run.stages.map(({ key }) => key)).toEqual(b.run.stages.map(({ key }) => key));
});

test("more than there is is refused before anything runs", async () => {
  using at = project({ "pipelines/demo.yaml": stages("gpu: 4") }, { CUDA_VISIBLE_DEVICES: "0,1" });
  const basics = local(at.context);
  const pipeline = value(await loadPipeline(basics.source, "demo"));
  const refused = await run(at.context, { ...basics, pipeline, commit: null as never, restore: "all" });
  expect(refused).toMatchObject({
    failures: [{ code: "usage", message: 'stage "a" wants 4 gpu, and there are 2' }, {}, {}],
  });
});
