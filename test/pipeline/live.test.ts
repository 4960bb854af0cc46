import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { progressSchema } from "../../src/config/index.ts";
import type { RelativePath } from "../../src/core/index.ts";
import { LiveProgress } from "../../src/pipeline/index.ts";
import { temporary, write } from "../git/repository.ts";

const FILE = "build/metrics.json";

function following(folder: string) {
  let now = 0;
  const live = new LiveProgress({ cwd: folder, now: () => new Date(Date.UTC(2026, 0, 2, 3, 4, now++)) });
  const start = (stage: string, pipeline = "p", metrics = [FILE] as readonly string[]): void =>
    live.hear({ type: "stage-started", pipeline, stage, reason: "", metrics: metrics as readonly RelativePath[] });
  const end = (stage: string, ok = true): void => live.hear({ type: "stage-ended", stage, ms: 1200.4, ok });
  return { live, start, end };
}

test("stages are told as they begin and end, with the numbers that the files of running ones hold by now", async () => {
  using folder = temporary();
  const { live, start, end } = following(folder.path);
  expect(await live.stages()).toEqual([]);
  start("prepare", "p", []);
  live.hear({ type: "stage-cached", stage: "other", key: "k" });
  end("prepare");
  start("train");
  const prepare = {
    pipeline: "p",
    stage: "prepare",
    status: "done",
    startedAt: "2026-01-02T03:04:00.000Z",
    ms: 1200,
    metrics: {},
  };
  const train = {
    pipeline: "p",
    stage: "train",
    status: "running",
    startedAt: "2026-01-02T03:04:01.000Z",
    ms: null,
    metrics: {},
  };
  expect(await live.stages()).toEqual([prepare, train]);
  write(folder.path, { [FILE]: '{"epoch": 3, "val": {"loss": 0.5}, "note": "x"}' });
  const third = { ...train, metrics: { [FILE]: { epoch: 3, "val.loss": 0.5 } } };
  expect(await live.stages()).toEqual([prepare, third]);
  // Half written, it says what it said before.
  write(folder.path, { [FILE]: '{"epoch": 4, "val": {"lo' });
  expect(await live.stages()).toEqual([prepare, third]);
  end("train", false);
  expect(await live.stages()).toEqual([prepare, { ...train, status: "failed", ms: 1200 }]);
  // The next pipeline has a stage of the same name.
  start("train", "q");
  expect((await live.stages()).map(({ pipeline, status }) => [pipeline, status])).toEqual([
    ["p", "done"],
    ["p", "failed"],
    ["q", "running"],
  ]);
});

test("what is told is bounded, whatever lies there, and fits its schema", async () => {
  using folder = temporary();
  const { live, start } = following(folder.path);
  for (let at = 0; at < 300; at++) start(`s${at}`, "p", [FILE, "large.json", "link.json", "folder.json"]);
  const many = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`m${at}`, at]));
  write(folder.path, { [FILE]: JSON.stringify(many), "large.json": `{"a": 1${" ".repeat(70_000)}}` });
  writeFileSync(join(folder.path, "elsewhere"), '{"secret": 1}');
  symlinkSync(join(folder.path, "elsewhere"), join(folder.path, "link.json"));
  mkdirSync(join(folder.path, "folder.json"));
  const stages = await live.stages();
  expect(stages.map(({ stage }) => stage)).toEqual(Array.from({ length: 100 }, (_, at) => `s${at + 200}`));
  expect(Object.keys(stages[0]?.metrics ?? {})).toEqual([FILE]);
  expect(Object.keys(Object.values(stages[0]?.metrics ?? {})[0] ?? {})).toHaveLength(20);
  const document = { progressVersion: 1, attempt: 1, at: "2026-01-02T03:04:05Z", stages };
  expect(progressSchema.parse(JSON.parse(JSON.stringify(document)))).toEqual(document);
  expect(JSON.stringify(document).length).toBeLessThan(128 * 1024);
});
