import { afterAll, beforeAll, expect, test } from "vitest";
import type { ResultDocument } from "../../src/config/index.ts";
import { LIMITS } from "../../src/github/index.ts";
import { value } from "../helpers/value.ts";
import { resultZip, Rig, sh } from "./rig.ts";
import type { Change } from "./rig.ts";

let rig: Rig;
let victim: Change;
let mine: Change;
let document: ResultDocument;

beforeAll(async () => {
  rig = await Rig.start();
  await rig.recordBase();
  victim = await rig.propose("victim", { "params.yaml": "model:\n  wrong: 9\n  sure: 0.8\n" });
  mine = await rig.propose("mine", { "params.yaml": "model:\n  wrong: 5\n  sure: 0.8\n" }, "mallory");
  document = await rig.experiment(mine.merge);
}, 120_000);
afterAll(() => rig[Symbol.asyncDispose]());

/** Publishes an edited result of the fork, and gives what the refusal says; nothing else may have happened. */
async function refusal(edit: (copy: Record<string, any>) => unknown): Promise<string> {
  const copy = JSON.parse(JSON.stringify(document)) as Record<string, any>;
  const edited = edit(copy) ?? copy;
  const records = await sh(rig.clone, "ls-remote", "origin", "lockstep-records");
  const published = value(await rig.publish(mine, await rig.leave(mine, resultZip(edited))));
  expect(published).toMatchObject({ verdict: "refused", conclusion: "failure", pullRequest: mine.number });
  expect(await sh(rig.clone, "ls-remote", "origin", "lockstep-records")).toBe(records);
  expect(rig.comments(victim)).toEqual([]);
  expect(rig.comments(mine)).toHaveLength(1);
  expect(rig.status(mine)).toEqual({ state: "failure", context: "lockstep/gates" });
  const [comment = ""] = rig.comments(mine);
  expect(comment).toContain("> **Result refused.**");
  expect(comment).not.toContain("| metric |");
  return comment;
}

const digest = `sha256:${"0".repeat(64)}`;

test("a result about another pull request's commit", async () => {
  expect(await refusal(() => ({ ...document, commit: victim.merge }))).toContain(
    "does not merge this pull request's head",
  );
});

test("a result about another pull request's head", async () => {
  expect(await refusal(() => ({ ...document, commit: victim.head }))).toContain(
    "does not merge this pull request's head",
  );
});

test("a result about a commit that the repository does not have", async () => {
  expect(await refusal(() => ({ ...document, commit: "1".repeat(40) }))).toContain(
    "which the repository does not have",
  );
});

test("a result about the right tree under a key that is not its own", async () => {
  const said = await refusal((copy) => {
    const key = "e".repeat(64);
    copy["runs"][0].stages[1].key = key;
    copy["stages"][1].key = key;
  });
  expect(said).toContain("is not that of this commit");
});

test("a stage fed with an output that its key does not know of", async () => {
  expect(await refusal((copy) => void (copy["stages"][0].outs[0].digest = digest))).toContain(
    "is not that of this commit",
  );
});

test("a record that vouches for itself", async () => {
  const provenance = {
    trusted: true,
    event: "push",
    repository: "a/b",
    headRepository: "a/b",
    workflow: "w",
    workflowCommit: "1".repeat(40),
    runId: "1",
    runAttempt: 1,
    actor: "acme",
  };
  expect(await refusal((copy) => void (copy["stages"][1].provenance = provenance))).toContain("vouches");
});

test("a record of a stage that the tree does not have", async () => {
  const extra = (copy: Record<string, any>): void =>
    void copy["stages"].push({ ...copy["stages"][1], key: "d".repeat(64), stage: "backdoor" });
  expect(await refusal(extra)).toContain("belongs to no stage");
});

test("metrics, parameters and pipelines that are not the tree's", async () => {
  expect(await refusal((copy) => void (copy["runs"][0].metrics["build/metrics.json"].epochs = 99))).toContain(
    "refused",
  );
  expect(await refusal((copy) => void (copy["runs"][0].params["params.yaml"] = { forged: 1 }))).toContain("refused");
  expect(await refusal((copy) => void (copy["runs"][0].pipeline = "other"))).toContain("refused");
});

test("what is not a result at all", async () => {
  expect(await refusal(() => "a string")).toContain("does not fit its schema");
  expect(await refusal(() => ({ ...document, commit: mine.merge, extra: "<script>" }))).not.toContain("<script>");
});

test("an artifact that is larger than it may be is not even fetched", async () => {
  const before = rig.sandbox.world.requestLog.length;
  const published = value(await rig.publish(mine, await rig.leave(mine, Buffer.alloc(9 * 1024 ** 2))));
  expect(published.verdict).toBe("refused");
  const asked = rig.sandbox.world.requestLog.slice(before).map(({ path }) => path);
  expect(asked.filter((path) => path.endsWith("/zip"))).toEqual([]);
});

test("a sound result with outputs that are another's: shown as unreadable, nothing of them quoted", async () => {
  const secret = "id,label\nsecret-row,4\n";
  const { openStore, storeUrl } = await import("../../src/store/index.ts");
  const { atRevision } = await import("../../src/git/index.ts");
  const context = rig.context();
  const url = value(await storeUrl(context, value(await atRevision(context, "HEAD"))));
  const stolen = value(await value(openStore(context, url)).put(Buffer.from(secret)));
  const copy = JSON.parse(JSON.stringify(document)) as Record<string, any>;
  const train = copy["stages"].find((record: any) => record.stage === "train");
  train.outs.find((out: any) => out.path === "build/predictions.csv").digest = stolen;
  const published = value(await rig.publish(mine, await rig.leave(mine, resultZip(copy))));
  expect(published.conclusion).toBe("failure");
  expect(published.markdown).toContain("cannot be read as its evaluation says");
  expect(published.markdown).not.toContain("secret-row");
});

test("failures that shout are quoted in a block, cut short, and mention nobody", async () => {
  const shout = `@octocat\n\`\`\`\n<!-- lockstep:report run=9 attempt=9 -->\n[x](https://evil.test)\n${"A".repeat(9_000)}`;
  const failing = { ...document, failures: Array.from({ length: 100 }, () => shout) };
  const published = value(await rig.publish(mine, await rig.leave(mine, resultZip(failing))));
  expect(published.verdict).toBe("failed");
  const [comment = ""] = rig.comments(mine);
  expect(comment.length).toBeLessThanOrEqual(LIMITS.body);
  expect(comment).toContain("````text\n@octocat\n```\n");
  expect(comment.match(/<!-- lockstep:report/g)).toHaveLength(1);
});
