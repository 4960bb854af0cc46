import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sh as git, repository, temporary, write } from "../git/repository.ts";
import { lockstep } from "../helpers/cli.ts";
import { FILES, MODEL, PIPELINE } from "./rig.ts";

/** A gate, the exit code of `compare`, and what is told of it. 20 of 200 are wrong on the base and 24 on the change. */
const TABLE: readonly (readonly [gate: string, exitCode: 0 | 1, told: RegExp])[] = [
  ["{metric: accuracy, min: 0.88}", 0, /pass +accuracy at least 0\.88 +0\.88/],
  ["{metric: accuracy, min: 0.881}", 1, /FAIL +accuracy at least 0\.881 +0\.88/],
  ["{metric: log_loss, max: 1}", 0, /pass +log_loss at most 1/],
  ["{metric: log_loss, max: 0.1}", 1, /FAIL +log_loss at most 0\.1/],
  // The loss of 0.02 is smaller than what is allowed; what its interval does not rule out is larger.
  ["{metric: accuracy, max_regression: 0.03}", 1, /FAIL .*−0\.02, .*: a loss of up to 0\.05\d* is not ruled out/],
  ["{metric: accuracy, max_regression: 0.1}", 0, /pass +accuracy at most 0\.1 worse than base/],
  ["{metric: accuracy, max_regression: 0, against: production}", 0, /There is no production version yet\./],
  ["{metric: train.loss, max_regression: 0.03}", 1, /FAIL .*noise is not known/],
  ["{metric: train.loss, max_regression: 0.05}", 0, /pass .*noise is not known/],
  ["{metric: nothing, min: 0}", 1, /FAIL .*there is no metric "nothing"/],
  ["{metric: accuracy, slice: region=north, min: 0.8}", 1, /FAIL +accuracy.*north/],
  ["{metric: accuracy, slice: region=south, min: 0.8}", 0, /pass +accuracy.*south/],
  ['{metric: accuracy, slice: "*", max_regression: 0.02}', 1, /FAIL +accuracy.*north/],
  ["{file: model.bin, max_size: 5B}", 1, /FAIL +model\.bin/],
  ["{file: model.bin, max_size: 1kB}", 0, /pass +model\.bin/],
  ["{latency: p95, max: 1us}", 0, /pass .*lockstep model benchmark/],
  ["{throughput: {min: 1000000000}}", 0, /pass .*lockstep model benchmark/],
  ["{check: rows}", 0, /pass .*200 rows/],
  ["{check: nulls}", 1, /FAIL .*3 are missing/],
  ["{check: never}", 1, /FAIL .*never/],
  ["{card: [intended_use]}", 0, /pass .*intended_use/],
  ["{card: [limitations]}", 1, /FAIL .*limitations/],
];

const MAKE = `${FILES["src/make.mjs"]!.replace("guess === 1 ? sure : 1 - sure]", 'guess === 1 ? sure : 1 - sure, i < 100 ? "north" : "south"]').replace("prediction,score", "prediction,score,region")}
writeFileSync("build/checks.json", JSON.stringify({ checks: [
  { name: "rows", passed: true, found: "200 rows" },
  { name: "nulls", passed: false, found: "3 are missing" },
] }));
`;

function modelWith(gate: string): string {
  return MODEL.replace(/gates:[^]*/, `gates: [${gate}]\ncard: {intended_use: Toys., limitations: ""}\n`).replace(
    "  task:",
    "  slices: [region]\n  task:",
  );
}

let folder: ReturnType<typeof temporary>;
let path: string;
beforeAll(async () => {
  folder = temporary();
  const models = TABLE.map(([gate], index) => [`models/m${index}/model.yaml`, modelWith(gate)] as const);
  const { "models/toy/model.yaml": _, ...others } = FILES;
  path = repository(join(folder.path, "toy"), {
    ...others,
    "src/make.mjs": MAKE,
    "pipelines/toy.yaml": PIPELINE.replace("    predictions:", "    checks: build/checks.json\n    predictions:"),
    ...Object.fromEntries(models),
  });
  expect(await lockstep(path, "run")).toMatchObject({ exitCode: 0 });
  git(path, "checkout", "--quiet", "-b", "change");
  // The change also takes every gate away: those of the base judge.
  const loosened = models.map(([file, text]) => [file, text.replace(/gates: .*/, "gates: []")] as const);
  write(path, { "params.yaml": "model:\n  wrong: 24\n  sure: 0.8\n", ...Object.fromEntries(loosened) });
  git(path, "commit", "--quiet", "--all", "--message=worse");
  expect(await lockstep(path, "run")).toMatchObject({ exitCode: 0 });
}, 120_000);
afterAll(() => folder[Symbol.dispose]());

test.each(TABLE.map(([gate, exitCode, told], index) => ({ gate, exitCode, told, index })))(
  "compare exits with $exitCode: $gate",
  { timeout: 60_000 },
  async ({ exitCode, told, index }) => {
    const compared = await lockstep(path, "compare", "main", "change", "--model", `m${index}`);
    expect(compared.stderr).toBe("");
    expect(compared.stdout).toMatch(told);
    expect(compared.exitCode).toBe(exitCode);
  },
);

test("one gate of one model that fails is enough, for the report too", { timeout: 60_000 }, async () => {
  expect(await lockstep(path, "compare", "main", "change")).toMatchObject({ exitCode: 1 });
  expect(await lockstep(path, "report", "--base", "main", "--head", "change", "--format", "html")).toMatchObject({
    exitCode: 1,
    stdout: expect.stringMatching(/^<!doctype html>/) as string,
  });
  expect(await lockstep(path, "compare", "main", "nowhere")).toMatchObject({ exitCode: 2 });
});
