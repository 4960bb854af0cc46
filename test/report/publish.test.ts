import { afterAll, beforeAll, expect, test } from "vitest";
import { openRecords } from "../../src/records/index.ts";
import type { StageRecord } from "../../src/config/index.ts";
import { write } from "../git/repository.ts";
import { value } from "../helpers/value.ts";
import { FILES, MODEL, resultZip, Rig, sh } from "./rig.ts";

const params = (wrong: number, sure = 0.8): Record<string, string> => ({
  "params.yaml": `model:\n  wrong: ${wrong}\n  sure: ${sure}\n`,
});

/** With the model and a recorded base on main; each test proposes its own change. */
let rig: Rig;
/** Without a model. */
let bare: Rig;

beforeAll(async () => {
  const { "models/toy/model.yaml": _, ...files } = FILES;
  [rig, bare] = await Promise.all([Rig.start(), Rig.start(files)]);
  await Promise.all([rig.recordBase(), bare.recordBase()]);
}, 120_000);
afterAll(async () => {
  await rig[Symbol.asyncDispose]();
  await bare[Symbol.asyncDispose]();
});

async function trusted(rig: Rig, key: StageRecord["key"]): Promise<StageRecord | undefined> {
  const records = openRecords(rig.context(), { branch: "lockstep-records", remote: "origin" });
  value(await records.refresh());
  return value(await records.trustedStage(key));
}

test("a better change: comment, check, status and trusted records; twice is once", async () => {
  const change = await rig.propose("better", params(4));
  const document = await rig.experiment(change.merge);
  const runId = await rig.leave(change, resultZip(document));
  const published = value(await rig.publish(change, runId));

  expect(published).toMatchObject({ verdict: "better", conclusion: "success", pullRequest: change.number });
  const [comment = ""] = rig.comments(change);
  expect(comment).toMatch(
    /^<!-- lockstep:report run=\d+ attempt=1 -->\n> \[!TIP\]\n> \*\*Better\.\*\* `accuracy` 0\.9000 → 0\.9800 /,
  );
  expect(comment).toContain("on the same 200 examples. All 4 gates pass.");
  expect(comment).toContain("There is no production version yet.");
  expect(comment).toContain("This is the first look at this test set.");
  expect(comment).toContain("| `model.wrong` | `20` | `4` |");
  expect(comment).toContain("Flipped predictions: 16 fixed, 0 broken");
  expect(comment).toContain("Stages: 1 run, 1 cached");
  expect(rig.checks(change)).toMatchObject([{ name: "lockstep", conclusion: "success" }]);
  expect(rig.status(change)).toEqual({ state: "success", context: "lockstep/gates" });

  const made = document.stages.find(({ stage }) => stage === "train");
  expect(await trusted(rig, made?.key as StageRecord["key"])).toMatchObject({
    outs: made?.outs,
    provenance: {
      trusted: true,
      event: "pull_request",
      runId: String(runId),
      headRepository: "acme/toy",
      pullRequest: change.number,
    },
  });

  const head = await sh(rig.clone, "ls-remote", "origin", "lockstep-records");
  value(await rig.publish(change, runId));
  expect(rig.comments(change)).toEqual([comment]);
  expect(rig.checks(change)).toHaveLength(1);
  expect(await sh(rig.clone, "ls-remote", "origin", "lockstep-records")).toBe(head);
});

test("a worse change fails the gate of the base, whatever gates it brings along", async () => {
  const loose = MODEL.replace(/gates:[^]*/, "gates: []\n");
  const change = await rig.propose("loose", { ...params(60), "models/toy/model.yaml": loose });
  const published = await rig.report(change);
  expect(published).toMatchObject({ verdict: "worse", conclusion: "failure" });
  const [comment = ""] = rig.comments(change);
  expect(comment).toContain("> [!CAUTION]\n> **Worse, and a gate fails.**");
  expect(comment).toContain("This pull request edits the gates. It is judged by those of the base");
  expect(comment).toMatch(/❌\u00a0\*\*fail\*\* \| `accuracy at least 0\.8` \| 0\.7, 0\.1 too low \|/);
  expect(rig.checks(change)).toMatchObject([{ conclusion: "failure" }]);
  expect(rig.status(change)?.state).toBe("failure");
});

test("slices, margins and gates of new kinds that a change brings along count once they are merged", async () => {
  const edited = MODEL.replace(
    "metrics: [accuracy",
    "slices: [region]\n  margins: {accuracy: 1}\n  metrics: [accuracy",
  ).replace(
    /gates:[^]*/,
    'gates:\n  - {metric: accuracy, min: 0.1, slice: "*"}\n  - {latency: p95, max: 9s}\n  - {card: [owner]}\ncard: {owner: ann}\n',
  );
  const change = await rig.propose("edited", { ...params(60), "models/toy/model.yaml": edited });
  expect(await rig.report(change)).toMatchObject({ verdict: "worse", conclusion: "failure" });
  const [comment = ""] = rig.comments(change);
  expect(comment).toContain("This pull request edits the gates. It is judged by those of the base");
  expect(comment).toContain("This pull request edits the evaluation. It is measured by that of the base");
  expect(comment).toMatch(/❌\u00a0\*\*fail\*\* \| `accuracy at least 0\.8`/);
  expect(comment).not.toContain("latency");
  expect(comment).not.toContain("owner");
});

test("a failed stage gives a comment with its failure, and no verdict", async () => {
  const change = await rig.propose("broken", params(999));
  expect(await rig.report(change)).toMatchObject({ verdict: "failed", conclusion: "failure" });
  const [comment = ""] = rig.comments(change);
  expect(comment).toContain("> **The experiment failed.** Stage `train` failed");
  expect(comment).toContain("more wrong than examples");
  expect(rig.status(change)?.state).toBe("failure");
});

test("a run without a result is reported as one", async () => {
  const change = await rig.propose("silent", params(3));
  const published = value(await rig.publish(change, await rig.leave(change, undefined)));
  expect(published).toMatchObject({ verdict: "failed", conclusion: "failure" });
  expect(rig.comments(change)[0]).toContain("The experiment left no result.");
});

test("a fork's result is shown and never trusted", async () => {
  const change = await rig.propose("forked", params(5), "mallory");
  const document = await rig.experiment(change.merge);
  const runId = await rig.leave(change, resultZip(document));
  expect(value(await rig.publish(change, runId))).toMatchObject({ verdict: "better", conclusion: "success" });
  expect(rig.comments(change)[0]).toContain("This result is from a fork: it is shown, and no promotion uses it.");
  expect(rig.comments(change)[0]).toContain("Plot files are not drawn: this result is from a fork.");
  const made = document.stages.find(({ stage }) => stage === "train");
  expect(await trusted(rig, made?.key as StageRecord["key"])).toBeUndefined();
});

test("a model that is new is judged by its own gates, and there is no base to compare with", async () => {
  const change = await bare.propose("model", { "models/toy/model.yaml": MODEL, ...params(90) });
  expect(await bare.report(change)).toMatchObject({ verdict: "none", conclusion: "failure" });
  const [comment = ""] = bare.comments(change);
  expect(comment).toContain("This model is new: its gates are the ones this pull request proposes.");
  expect(comment).toContain("The base has no such model to compare with.");
  expect(comment).toContain("1 of 4 gates fails.");
});

test("a pipeline without a model: numbers, and no verdict", async () => {
  const change = await bare.propose("numbers", params(4));
  expect(await bare.report(change)).toMatchObject({ verdict: "none", conclusion: "success" });
  const [comment = ""] = bare.comments(change);
  expect(comment).toContain("No model uses this pipeline");
  expect(comment).toContain("| `train.loss`\u00a0↓ | 0.2000 | 0.0400 | −0.1600 |");
});

test("predictions that break the evaluation are told with line and column", async () => {
  const make = (FILES["src/make.mjs"] ?? "").replace('"e" + i', 'i === 7 ? "" : "e" + i');
  const change = await rig.propose("ids", { "src/make.mjs": make });
  expect(await rig.report(change)).toMatchObject({ verdict: "failed", conclusion: "failure" });
  expect(rig.comments(change)[0]).toContain("build/predictions.csv:9:1: the id is missing");
});

test("a pull request that moved on is left to its newer run; an earlier run never writes over a later one", async () => {
  const change = await rig.propose("moving", params(4));
  const document = await rig.experiment(change.merge);
  const [early, late] = [await rig.leave(change, resultZip(document)), await rig.leave(change, undefined)];
  value(await rig.publish(change, late));
  const [comment = ""] = rig.comments(change);
  value(await rig.publish(change, early));
  expect(rig.comments(change)).toEqual([comment]);
  expect(rig.status(change)?.state).toBe("failure");

  const moved = { ...change, head: "f".repeat(40) };
  expect(value(await rig.publish(moved, early))).toMatchObject({ pullRequest: null, conclusion: "neutral" });
});

test("a compiled workflow has a comment, a check and a status of its own; an experiment without pipelines none", async () => {
  const change = await bare.propose("compiled", params(4));
  const document = await bare.experiment(change.merge);
  const empty = await bare.leave(change, resultZip({ ...document, runs: [], stages: [] }));
  expect(value(await bare.publish(change, empty))).toMatchObject({ verdict: "none", commentUrl: null });
  expect(bare.comments(change)).toEqual([]);
  const full = await bare.leave(change, resultZip(document));
  value(await bare.publish(change, full, "pull_request", "toy"));
  expect(bare.comments(change)).toEqual([expect.stringMatching(/^<!-- lockstep:report:toy /)]);
  expect(bare.checks(change)).toMatchObject([{ name: "lockstep (toy)" }]);
  expect(bare.status(change)).toEqual({ state: "success", context: "lockstep/gates (toy)" });
});

// Last: it moves the default branch on.
test("the base is the nearest commit before that was run, and the report says so", async () => {
  const run = await sh(rig.clone, "rev-parse", "--short=7", "HEAD");
  await sh(rig.clone, "commit", "--quiet", "--allow-empty", "--message=docs");
  const changed = MODEL.replace("0.8}", "0.7}");
  // No record has the key of this tree.
  write(rig.clone, { "src/rows.txt": "other rows\n", "models/toy/model.yaml": changed });
  await sh(rig.clone, "commit", "--quiet", "--all", "--message=rows");
  await sh(rig.clone, "push", "--quiet", "origin", "main");
  const change = await rig.propose("later", params(4));
  expect(await rig.report(change)).toMatchObject({ verdict: "better" });
  expect(rig.comments(change)[0]).toContain(
    `Compared with \`${run}\`, the newest commit before the base that was run.`,
  );
});

test("where nobody ran the base, a change of nothing that a stage reads is compared with its own results", async () => {
  await sh(rig.clone, "pull", "--quiet", "origin", "main");
  write(rig.clone, { "src/rows.txt": "rows that nobody ran\n" });
  await sh(rig.clone, "commit", "--quiet", "--all", "--message=rows");
  await sh(rig.clone, "push", "--quiet", "origin", "main");
  const count = async (): Promise<number> => {
    await sh(rig.clone, "fetch", "--quiet", "origin", "lockstep-records");
    return Number(await sh(rig.clone, "rev-list", "--count", "FETCH_HEAD"));
  };
  const before = await count();
  const change = await rig.propose("words", { "README.md": "Words alone.\n" });
  expect(await rig.report(change)).toMatchObject({ verdict: "equivalent" });
  expect(rig.comments(change)[0]).not.toContain("newest commit before the base");
  // Records and looks are one commit, and the same report writes no second one.
  expect(await count()).toBe(before + 1);
});
