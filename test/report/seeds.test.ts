import { join } from "node:path";
import { expect, test } from "vitest";
import { renderHtml, renderMarkdown, reportSchema } from "../../src/report/index.ts";
import { seedGroups } from "../../src/pipeline/index.ts";
import { sh as git, repository, temporary, write } from "../git/repository.ts";
import { lockstep } from "../helpers/cli.ts";

const PIPELINE = `stages:
  train:
    matrix: {size: [small], seed: [1, 2, 3, 4, 5, 6]}
    cmd: mkdir -p build && cp src/\${item.seed}.json build/metrics-\${item.size}-\${item.seed}.json
    deps: ["src/\${item.seed}.json"]
    metrics: ["build/metrics-\${item.size}-\${item.seed}.json"]
  count:
    cmd: cp src/count.json build/count.json
    deps: [src/count.json]
    metrics: [build/count.json]
`;

const MODEL = `version: 1
pipeline: toy
files: {count.json: build/count.json}
evaluation:
  predictions: build/none.csv
  task: regression
  columns: {id: id, label: label, prediction: prediction}
  metrics: [test.accuracy]
  directions: {test.reward: higher}
gates:
  - {metric: test.accuracy, min: 0.93}
  - {metric: "build/metrics-small-*.json:test.reward", max_regression: 0}
`;

function results(accuracy: readonly number[]): Record<string, string> {
  return Object.fromEntries(
    accuracy.map((value, seed) => [
      `src/${seed + 1}.json`,
      JSON.stringify({ test: { accuracy: value, reward: 10 * value, final: true, curve: [1, 2] } }),
    ]),
  );
}

test("metrics over seeds: one row with an interval and a verdict, by the settings' directions too", async () => {
  using folder = temporary();
  const path = repository(join(folder.path, "toy"), {
    ".gitignore": ".lockstep/\nbuild/\n",
    "pipelines/toy.yaml": PIPELINE,
    "models/toy/model.yaml": MODEL,
    ".github/lockstep.yml": "version: 1\nstore: file:../store\nreport: {directions: {test.reward: higher}}\n",
    "src/count.json": '{"images": 10}',
    ...results([0.912, 0.905, 0.921, 0.899, 0.915, 0.908]),
  });
  expect((await lockstep(path, "run")).exitCode).toBe(0);
  git(path, "checkout", "--quiet", "-b", "change");
  write(path, results([0.921, 0.917, 0.926, 0.912, 0.919, 0.92]));
  expect((await lockstep(path, "run")).exitCode).toBe(0);
  const text = await lockstep(path, "compare");
  expect(text.stderr).toBe("");
  expect(text.stdout).toMatch(
    /^Better\. test\.accuracy 0\.9100 → 0\.9192 \(\+0\.0092, 95 % interval \+0\.0051 to \+0\.0132, p = 0\.004\), mean over 6 seeds\./,
  );
  expect(text.stdout).toMatch(
    /^test\.reward ↑ +9\.1000 \(9\.0187 to 9\.1813\) +9\.1917 .* \+0\.0917 \(\+0\.0511 to \+0\.1323\) +better$/m,
  );
  expect(text.stdout).toContain("- build/metrics-small-*.json: the same 6 seeds on both sides, compared seed by seed");
  const { stdout } = await lockstep(path, "compare", "--json");
  const made = reportSchema.parse(JSON.parse(stdout));
  expect(made.pipelines[0]?.seeds.map(({ name, verdict }) => [name, verdict])).toEqual([
    ["test.accuracy", "better"],
    ["test.reward", "better"],
  ]);
  expect(made.pipelines[0]?.numbers.map(({ name }) => name)).toEqual(["images"]);
  expect(renderMarkdown(made)).toMatch(/\| `test\.accuracy ↑` \| 0\.9100 \(0\.9019 to 0\.9181\) \|.*\| 🟢.better \|/);
  // A model's table and its gates take the mean, and a regression is judged by the interval over the seeds.
  expect(text.exitCode).toBe(1);
  expect(text.stdout).toContain(" mean over 6 seeds. 1 of 2 gates fails.\n");
  const rows = text.stdout.split("\n").filter((line) => /^(pass|FAIL)/.test(line));
  const gain = "+0.0917, 95 % interval +0.0511 to +0.1323, mean over 6 seeds";
  expect(rows.map((row) => row.split(/ {2,}/))).toEqual([
    ["FAIL", "test.accuracy at least 0.93", "0.9192, mean over 6 seeds, 0.0108 too low"],
    ["pass", "build/metrics-small-*.json:test.reward at most 0 worse than base", gain],
  ]);
  expect(text.stdout).toMatch(/^test\.accuracy ↑ +0\.9100 +0\.9192 +\+0\.0092 +mean over seeds$/m);
  expect(await renderHtml(made)).toMatch(/<code>build\/metrics-small-\*\.json<\/code>: the same 6 seeds/);
});

test("what is a seed: an axis or a member whose last part is seed; other axes make groups of their own", () => {
  const stage = (name: string, item: object | null, path: string): object => ({
    name,
    item,
    outs: [{ path, uses: ["metric"] }],
  });
  const stages = [
    stage("train@a-1", { net: "a", random_seed: 1 }, "m/a-1.json"),
    stage("train@a-2", { net: "a", random_seed: 2 }, "m/a-2.json"),
    stage("state@7", { random_state: 7 }, "m/s-7.json"),
    stage("state@8", { random_state: 8 }, "m/s-8.json"),
    stage("train@b-1", { net: "b", random_seed: 1 }, "m/b-1.json"),
    stage("fold@1", { fold: 1, seedling: 2 }, "m/fold-1.json"),
    stage("list@1", null, "m/list.json"),
  ] as unknown as Parameters<typeof seedGroups>[0]["stages"];
  expect(seedGroups({ stages }).map(({ file, paths }) => [file, ...paths])).toEqual([
    ["m/a-*.json", ["1", "m/a-1.json"], ["2", "m/a-2.json"]],
    ["m/b-1.json", ["1", "m/b-1.json"]],
    ["m/s-*.json", ["7", "m/s-7.json"], ["8", "m/s-8.json"]],
  ]);
});
