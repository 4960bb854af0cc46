import { expect, test } from "vitest";
import type { BegunStage } from "../../src/config/index.ts";
import { progressSchema } from "../../src/config/index.ts";
import { message } from "../../src/core/index.ts";
import { readArtifact } from "../../src/report/artifact.ts";
import { LIVE } from "../../src/report/live.ts";
import type { Coming } from "../../src/report/progress.ts";
import { renderProgress } from "../../src/report/render-progress.ts";
import { HOSTILE_TEXTS } from "./hostile-texts.ts";
import { commentDom, skeleton } from "./judge.ts";
import { progressZip } from "./rig.ts";
import { zip } from "./zip.ts";

const RUN = {
  id: 7,
  attempt: 1,
  url: "https://github.test/acme/toy/actions/runs/7",
  event: "pull_request",
  workflow: ".github/workflows/lockstep-experiment.yml",
  headSha: "a".repeat(40),
  headBranch: "b",
  headRepository: "acme/toy",
  actor: "ann",
  conclusion: null,
  startedAt: "2026-11-21T20:49:16Z",
};
const coming = (names: readonly string[]): Coming => ({
  plan: {
    pipeline: "toy",
    stages: names.map((stage) => ({ stage, key: null, action: "run", reason: "seed changed", needs: [] })),
  },
  expected: { stages: new Map(), work: 0, wall: 0, jobs: 1, cost: null, currency: null, unknown: names },
});
const begun = (stage: string, changes: Partial<BegunStage> = {}): BegunStage => ({
  pipeline: "toy",
  stage,
  status: "running",
  startedAt: "2026-11-21T21:02:00Z",
  ms: null,
  metrics: {},
  ...changes,
});
const AT = "2026-11-22T01:05:00Z";
const PLAN = [coming(["a", "b", "c", "d"])];
const told = (stages: readonly BegunStage[], { named = true } = {}): string =>
  renderProgress(PLAN, RUN, { named, live: { at: AT, stages } }).markdown;
const numbers = (metrics: Record<string, number>): BegunStage["metrics"] => ({ ["m.json" as never]: metrics });

test("the second line says what has ended, and what runs with which numbers", () => {
  const text = told([
    begun("a", { status: "done", ms: 65_000 }),
    begun("b", { status: "failed", ms: 1_000 }),
    begun("c", { metrics: numbers({ epoch: 12, "val.accuracy": 0.93125 }) }),
  ]);
  expect(text.split("\n").slice(1, 4)).toEqual([
    "> **The experiment is running.** 4 of 4 stages will run. Nothing is known yet of 4 stages.",
    ">",
    "> 2 of 4 ended (1 failure); `c` is running since 21:02: `epoch` 12, `val.accuracy` 0.9313. Seen at 2026-11-22 01:05 UTC.",
  ]);
  expect(text).toContain("| `a` | **run** | done, 1 min 5 s | – | seed changed |");
  expect(text).toContain("| `c` | **run** | **running** since 21:02 | – | seed changed |");
  expect(text).toContain("| `d` | **run** | – | – | seed changed |");
  expect(told([])).not.toContain("ended");
});

test("of a fork only numbers are told, and of stages that the plan has not nothing", () => {
  const secret = begun("c", { metrics: numbers({ "@everyone": 1 }) });
  const text = told([begun("a", { status: "done", ms: 1 }), secret, begun("e"), begun("c", { pipeline: "p" })], {
    named: false,
  });
  expect(text.split("\n")[3]).toBe("> 1 of 4 ended; 1 running. Seen at 2026-11-22 01:05 UTC.");
  expect(text).not.toMatch(/everyone|`c`|<details>/);
});

test("names are put into code, as everywhere, and numbers are bounded", async () => {
  const many = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`m${at}`, at]));
  expect(told([begun("a", { metrics: numbers(many) })])).not.toContain("`m8`");
  const plain = skeleton(await commentDom(told([begun("a", { metrics: numbers({ loss: 1 }) })])));
  for (const [what, text] of HOSTILE_TEXTS) {
    const stages = [begun("a", { metrics: numbers({ [text]: 1 }) })];
    // oxlint-disable-next-line no-await-in-loop
    expect(skeleton(await commentDom(told(stages))), what).toEqual(plain);
  }
});

const GOOD = { progressVersion: 1, attempt: 1, at: AT, stages: [begun("a")] };
const json = (value: unknown): Buffer => progressZip(value);
test.each<[string, Buffer, RegExp]>([
  ["not a zip", Buffer.from("hello"), /cannot be read/],
  ["another file", zip([{ name: "lockstep-result.json", bytes: "{}" }]), /holds "lockstep-result/],
  ["a bomb", zip([{ name: LIVE.file, bytes: Buffer.alloc(LIVE.bytes + 1) }]), /larger than/],
  ["a bomb that lies", zip([{ name: LIVE.file, bytes: Buffer.alloc(LIVE.bytes + 1), claimedSize: 9 }]), /refused/],
  ["too large an archive", Buffer.alloc(LIVE.zipBytes + 1), /larger than/],
  ["nested", zip([{ name: LIVE.file, bytes: "[".repeat(9) }]), /deeper/],
  ["another version", json({ ...GOOD, progressVersion: 2 }), /does not fit/],
  ["more than it has", json({ ...GOOD, html: "<b>" }), /does not fit/],
  ["a time that is none", json({ ...GOOD, at: "now **bold**" }), /does not fit/],
  [
    "a number that is none",
    zip([{ name: LIVE.file, bytes: JSON.stringify(GOOD).replace("null", "1e999") }]),
    /does not fit/,
  ],
  [
    "a path out of the tree",
    json({ ...GOOD, stages: [begun("a", { metrics: { ["../x" as never]: {} } })] }),
    /does not fit/,
  ],
  ["many stages", json({ ...GOOD, stages: Array.from({ length: 1_001 }, () => ({})) }), /does not fit/],
  ["a long name", json({ ...GOOD, stages: [begun("a".repeat(1_001))] }), /more than 1000 characters/],
])("%s is refused as progress", async (_, archive, reason) => {
  const read = await readArtifact(archive, LIVE, progressSchema);
  expect(read.ok ? "" : message(read.failures[0])).toMatch(reason);
});
