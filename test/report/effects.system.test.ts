import { afterAll, beforeAll, expect, test } from "vitest";
import type { ResultDocument } from "../../src/config/index.ts";
import { describe as worded } from "../../src/core/index.ts";
import { RATE_LIMITS } from "../../src/sandbox/http/rate.ts";
import { value } from "../helpers/value.ts";
import { resultZip, Rig, sh } from "./rig.ts";
import type { Change } from "./rig.ts";

let rig: Rig;
let document: ResultDocument;
let change: Change;

beforeAll(async () => {
  ({ rig, change, document } = await Rig.withChange());
}, 120_000);
afterAll(() => rig[Symbol.asyncDispose]());

const say = (user: string, body: string, at = change): void => {
  const { world } = rig.sandbox;
  const now = world.clock.timestamp();
  rig.repository.comments.push({ id: world.nextId(), issue: at.number, user, body, createdAt: now, updatedAt: now });
};
const good = async (): Promise<number> => rig.leave(change, resultZip(document));
const empty = async (): Promise<number> => rig.leave(change, undefined);
test("ours is found behind 250 comments, and what others planted is left alone", async () => {
  rig.forget();
  const planted = "<!-- lockstep:report run=999999999 attempt=9 -->\n> **Better.**";
  for (const user of ["mallory", "lockstep[bot]", "github-actions"]) say(user, planted);
  for (let index = 0; index < 125; index++) say("ann", `comment ${index}`);
  value(await rig.publish(change, await empty()));
  for (let index = 0; index < 125; index++) say("ann", `later comment ${index}`);
  const before = rig.repository.comments.length;
  value(await rig.publish(change, await good()));
  expect(rig.repository.comments).toHaveLength(before);
  expect(rig.ours(change)).toEqual([expect.stringContaining("**Better.**")]);
  expect(rig.comments(change).filter((body) => body === planted)).toHaveLength(3);
});

test.each([
  ["the earlier run last", false],
  ["the earlier run last, when the comment was deleted between", true],
])("two reports: %s changes nothing", async (_, deleted) => {
  rig.forget();
  const [early, late] = [await good(), await empty()];
  value(await rig.publish(change, late));
  const [comment] = rig.ours(change);
  if (deleted) rig.repository.comments.splice(0);
  const before = rig.shown(change);
  const published = value(await rig.publish(change, early));
  expect(rig.shown(change)).toEqual(before);
  expect(published.pullRequest).toBe(change.number);
  expect(comment).toContain("left no result");
});

test("a later attempt of a run counts as later, and an earlier one never writes over it", async () => {
  rig.forget();
  const id = await good();
  value(await rig.publishRun(change, { id, attempt: 2 }));
  const before = rig.shown(change);
  value(await rig.publishRun(change, { id, attempt: 1 }));
  expect(rig.shown(change)).toEqual(before);
});

test("a comment deleted by hand is written again, one that a person edited is put right", async () => {
  rig.forget();
  const id = await good();
  value(await rig.publish(change, id));
  const [comment = ""] = rig.ours(change);
  rig.repository.comments.splice(0);
  value(await rig.publish(change, id));
  expect(rig.ours(change)).toEqual([comment]);
  rig.repository.comments[0]!.body = comment.replace("**Better.**", "**Perfect.**");
  value(await rig.publish(change, id));
  expect(rig.ours(change)).toEqual([comment]);
  // Without its first line it is nobody's any more.
  rig.repository.comments[0]!.body = "mine now";
  value(await rig.publish(change, id));
  expect(rig.ours(change)).toEqual(["mine now", comment]);
});

test("a locked conversation takes no comment; the check and the status tell all the same", async () => {
  rig.forget();
  await rig.call("PUT", `/repos/acme/toy/issues/${change.number}/lock`, "acme", { lock_reason: "off-topic" });
  const published = value(await rig.publish(change, await good()));
  await rig.call("DELETE", `/repos/acme/toy/issues/${change.number}/lock`, "acme");
  expect(published).toMatchObject({ conclusion: "success", commentUrl: null });
  expect(rig.shown(change)).toMatchObject([[], [{ name: "lockstep", conclusion: "success" }], { state: "success" }]);
});

test("the requests of the hour run out between any two: running again comes to the same", async () => {
  rig.forget();
  const id = await good();
  value(await rig.publish(change, id));
  const whole = rig.shown(change);
  const { world } = rig.sandbox;
  const key = "job:acme/toy";
  for (let left = 1; ; left++) {
    rig.forget();
    world.rates.set(key, {
      used: RATE_LIMITS.job - left,
      resetAt: Math.floor(world.clock.now().getTime() / 1000) + 3600,
    });
    const cut = await rig.publish(change, id);
    world.rates.delete(key);
    if (cut.ok) {
      expect(left).toBeGreaterThan(6);
      break;
    }
    expect(worded(cut.failures[0])).toContain("the token's requests of this hour are used up");
    value(await rig.publish(change, id));
    expect(rig.shown(change)).toEqual(whole);
  }
});

test("GitHub asks to wait in the middle (429, and 403 with retry-after): the same run finishes", async () => {
  rig.forget();
  const id = await good();
  const waits = new Map([
    ["/comments", 429],
    ["/check-runs", 403],
    ["/statuses/", 403],
  ]);
  const asked = globalThis.fetch;
  const limited: typeof globalThis.fetch = async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    const [part, status] = [...waits].find(([one]) => init?.method === "POST" && url.includes(one)) ?? [];
    if (part === undefined) return asked(input, init);
    waits.delete(part);
    const message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
    return Response.json({ message }, { status: status ?? 500, headers: { "retry-after": "1" } });
  };
  value(await rig.publishRun(change, { id }, { fetch: limited, paced: true }));
  expect([...waits]).toEqual([]);
  const seen = rig.shown(change);
  expect(seen).toMatchObject([[expect.any(String)], [{ conclusion: "success" }], { state: "success" }]);
  value(await rig.publish(change, id));
  expect(rig.shown(change)).toEqual(seen);
}, 60_000);

test("a pull request that was closed or pushed over meanwhile is left alone", async () => {
  rig.forget();
  const id = await good();
  const pull = rig.repository.issues.find(({ number }) => number === change.number)!;
  pull.state = "closed";
  expect(value(await rig.publish(change, id))).toMatchObject({ pullRequest: null });
  pull.state = "open";
  const { headSha } = pull.pull!;
  pull.pull!.headSha = "e".repeat(40);
  expect(value(await rig.publish(change, id))).toMatchObject({ pullRequest: null });
  pull.pull!.headSha = headSha;
  expect(rig.shown(change)).toEqual([[], [], undefined]);
});

test("a workflow that only calls itself like the experiment gets no report", async () => {
  rig.forget();
  for (const file of ["ci.yml", "lockstep.yml", "sub/lockstep-experiment.yml", "lockstep-experiment.yaml"]) {
    const run = { id: await good(), workflow: `.github/workflows/${file}` };
    expect(value(await rig.publishRun(change, run))).toMatchObject({ pullRequest: null });
  }
  const other = await rig.publishRun(change, { id: await good(), workflow: ".github/workflows/lockstep-other.yml" });
  expect(value(other).markdown).toContain("is not of the pipeline");
  expect(rig.ours(change)).toEqual([expect.stringMatching(/^<!-- lockstep:report:other /)]);
});

test("what is to come is told from the files: what is cached, what runs, how long; of a fork only numbers", async () => {
  const params = "model:\n  wrong: 7\n  sure: 0.8\n";
  const names = ["prepare", "train", "`toy`", "wrong", "forked"];
  const [own, fork] = [
    await rig.propose("own", { "params.yaml": params }),
    await rig.propose("forked", { "params.yaml": params }, "mallory"),
  ];
  for (const at of [own, fork])
    value(await rig.publishRun(at, { id: await rig.leave(at, undefined), conclusion: null }));
  const [mine = ""] = rig.ours(own);
  expect(mine).toMatch(/1 of 2 stages will run\. Expected: about 0 ms, 0\.00 `USD`\./);
  expect(mine).toMatch(
    /\| `prepare` \| cached \| – \| .* \|\n\| `train` \| \*\*run\*\* \| [\d.]+ m?s \| params\.yaml: model\.wrong 20 -> 7 \|/,
  );
  const [theirs = ""] = rig.ours(fork);
  expect(theirs).toContain("1 of 2 stages will run.");
  expect(names.filter((name) => theirs.includes(name))).toEqual([]);
});

test("files that cannot be planned are not quoted; the experiment will say what is wrong", async () => {
  const broken = await rig.propose("broken", { "pipelines/toy.yaml": "stages: [@octocat" });
  value(await rig.publishRun(broken, { id: await rig.leave(broken, undefined), conclusion: null }));
  expect(rig.ours(broken)[0]).toContain("What it will run cannot be told from its files.");
  expect(rig.ours(broken)[0]).not.toContain("octocat");
});

test("a run that was cancelled says so in place of running for ever", async () => {
  rig.forget();
  const id = await empty();
  value(await rig.publishRun(change, { id, conclusion: null }));
  value(await rig.publishRun(change, { id, conclusion: "cancelled" }));
  expect(rig.ours(change)[0]).toContain("The experiment was cancelled, or ran out of time, before it left a result.");
  expect(rig.status(change)?.state).toBe("failure");
  expect(await sh(rig.clone, "status", "--porcelain")).toBe("");
});
