import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { BegunStage, ProgressDocument, ResultDocument } from "../../src/config/index.ts";
import type { ProgressEvent, Result } from "../../src/core/index.ts";
import { progressParcel } from "../../src/pipeline/index.ts";
import type { WorkflowRun } from "../../src/sandbox/index.ts";
import type { Job } from "../../src/sandbox/world.ts";
import { RATE_LIMITS } from "../../src/sandbox/http/rate.ts";
import { value } from "../helpers/value.ts";
import { progressZip, resultZip, Rig } from "./rig.ts";
import type { Change } from "./rig.ts";

const EVERY = 5 * 60_000;

let rig: Rig;
let change: Change;
let document: ResultDocument;
let run: WorkflowRun;
/** What is done, one after the other, each time the watch waits; the run ends after the last. */
let turns: (() => unknown)[];
let events: ProgressEvent[];

beforeAll(async () => {
  ({ rig, change, document } = await Rig.withChange());
}, 120_000);
afterAll(() => rig[Symbol.asyncDispose]());

beforeEach(async () => {
  rig.forget();
  rig.sandbox.world.rates.clear();
  turns = [];
  events = [];
  run = await begin();
});

const begin = async (): Promise<WorkflowRun> => {
  const id = await rig.leave(change, undefined);
  const found = rig.repository.runs.find((one) => one.id === id)!;
  return Object.assign(found, { status: "in_progress", conclusion: null });
};
const end = async (): Promise<void> => {
  Object.assign(run, { status: "completed", conclusion: "success" });
  rig.attach(run.id, "lockstep-result", resultZip(document));
};
const report = async (): Promise<void> => void value(await rig.publish(change, run.id));
const train = (changes: Partial<BegunStage> = {}): BegunStage => ({
  pipeline: "toy",
  stage: "train",
  status: "running",
  startedAt: "2026-11-21T21:02:00.000Z",
  ms: null,
  metrics: {},
  ...changes,
});
const progress = (...stages: BegunStage[]): ProgressDocument => ({
  progressVersion: 1,
  attempt: 1,
  at: "2026-11-21T21:05:00.000Z",
  stages,
});
const tell = (...stages: BegunStage[]): void =>
  rig.attach(run.id, "lockstep-progress", progressZip(progress(...stages)));
const epoch = (step: number): void => tell(train({ metrics: { ["build/metrics.json" as never]: { step } } }));
const watch = async ({
  workflow = run.path,
  ...options
}: { workflow?: string; fetch?: typeof globalThis.fetch } = {}): Promise<Result<string>> => {
  // After the last turn it ends, so that a watch that does not notice fails the test and does not hang it.
  const left = [...turns, end];
  const wait = async (): Promise<void> => void (await (left.shift() ?? fails)());
  return rig.watch(
    change,
    { id: run.id, workflow, startedAt: "2026-11-21T20:49:16Z" },
    { every: EVERY, wait, emit: (event) => events.push(event), ...options },
  );
};
const fails = (): never => {
  throw new Error("it still waits after the end");
};
const minutes = (count: number): void => rig.pass(count * 60_000);
const written = (): number =>
  rig.sandbox.world.requestLog.filter(({ method, path }) => method !== "GET" && path.startsWith("/repos/")).length;

test("the comment follows a long run, at most every so often, and only where something has moved", async () => {
  value(await rig.publishRun(change, { id: run.id, conclusion: null }));
  const from = written();
  const seen: string[] = [];
  const look = (): void => void seen.push(/> (\d of [^\n]*)/.exec(rig.ours(change)[0] ?? "")?.[1] ?? "–");
  turns = [
    look,
    () => epoch(1),
    look, // too soon
    () => minutes(5),
    look,
    () => minutes(5),
    look, // nothing new
    () => (epoch(7), minutes(1)),
    look, // too soon
    () => minutes(4),
    look,
  ];
  expect(value(await watch())).toBe("the experiment has ended");
  const told = (step: number): string =>
    `0 of 1 ended; \`train\` is running since 21:02: \`step\` ${step}. Seen at 21:05 UTC.`;
  expect(seen).toEqual(["–", "–", told(1), told(1), told(1), told(7)]);
  expect(written() - from).toBe(2);
  expect(rig.ours(change)).toEqual([expect.stringContaining("| `train` | **run** | **running** since 21:02 |")]);
  await report();
  expect(rig.ours(change)).toEqual([expect.stringContaining("**Better.**")]);
});

/** Does something right before, or right after, the first change of a comment reaches GitHub. */
const around = (when: "before" | "after", act: () => Promise<void>): typeof globalThis.fetch => {
  let done = false;
  return async (input, init) => {
    const writes = !done && init?.method === "PATCH" && new Request(input).url.includes("/issues/comments/");
    if (writes) done = true;
    if (writes && when === "before") await act();
    const answer = await fetch(input, init);
    if (writes && when === "after") await act();
    return answer;
  };
};

/** The comment says that it runs, and there is something new to say. */
async function going(): Promise<void> {
  value(await rig.publishRun(change, { id: run.id, conclusion: null }));
  epoch(3);
}

let reported: string[];
const endAndReport = async (): Promise<void> => {
  await end();
  await report();
  reported = rig.ours(change);
};

test.each(["before", "after"] as const)(
  "a report that is written right %s a late refresh stands at the end",
  async (when) => {
    await going();
    expect(value(await watch({ fetch: around(when, endAndReport) }))).toBe("the experiment has ended");
    expect(reported).toEqual([
      expect.stringMatching(/^<!-- lockstep:report run=\d+ attempt=1 -->\n[^]*\*\*Better\.\*\*/),
    ]);
    expect(rig.ours(change)).toEqual(reported);
  },
);

test("an end that a refresh comes too late for is waited for, until its report is there", async () => {
  await going();
  turns = [() => expect(rig.ours(change)[0]).toContain("`step` 3"), report];
  expect(value(await watch({ fetch: around("before", end) }))).toBe("the experiment has ended");
  expect(rig.ours(change)).toEqual([expect.stringContaining("**Better.**")]);
});

test("a newer run's report stands too, when the refresh of the one before it comes late", async () => {
  await going();
  const newer = async (): Promise<void> => {
    Object.assign(run, { status: "completed", conclusion: "cancelled" });
    run = await begin();
    await endAndReport();
  };
  expect(value(await watch({ fetch: around("before", newer) }))).toBe("the experiment has ended");
  expect(reported).toEqual([expect.stringContaining(`run=${run.id} `)]);
  expect(rig.ours(change)).toEqual(reported);
});

test.each([
  ["ended", "the experiment has ended", () => end()],
  ["is tried again", "another attempt has begun", () => void (run.attempt = 2)],
  [
    "is not the newest",
    "a later run has written",
    async () => void value(await rig.publishRun(change, { id: run.id + 1, conclusion: null })),
  ],
  ["is of a closed pull request", "the pull request is closed", () => patch({ state: "closed" })],
])("the watch of a run that %s ends, and writes nothing more", async (_, why, change_) => {
  await going();
  let before: unknown;
  turns = [
    async () => {
      await change_();
      epoch(4);
      minutes(5);
      before = rig.ours(change);
    },
  ];
  expect(value(await watch())).toBe(why);
  expect(rig.ours(change)).toEqual(before);
  await patch({ state: "open" });
});
const patch = async (fields: object): Promise<void> =>
  void (await rig.api("PATCH", `/repos/acme/toy/pulls/${change.number}`, "ann", fields));

test("progress that cannot be read, or is of another attempt, changes nothing but the log", async () => {
  value(await rig.publishRun(change, { id: run.id, conclusion: null }));
  const before = rig.ours(change);
  turns = [
    () => (rig.attach(run.id, "lockstep-progress", Buffer.from("zip")), minutes(5)),
    () => (rig.attach(run.id, "lockstep-progress", progressZip({ html: "<b>" })), minutes(5)),
    () => (rig.attach(run.id, "lockstep-progress", progressZip({ ...progress(train()), attempt: 2 })), minutes(5)),
  ];
  expect(value(await watch())).toBe("the experiment has ended");
  expect(rig.ours(change)).toEqual(before);
  const warnings = events.flatMap((event) => (event.type === "warning" ? [event.message] : []));
  expect(warnings).toEqual([
    expect.stringContaining("cannot be read"),
    expect.stringContaining("does not fit its schema"),
  ]);
});

test("a compiled workflow is followed by its jobs, and gets the runner that it waits for", async () => {
  const job = (name: string, changes: Partial<Job>): Job => ({
    id: rig.sandbox.world.nextId(),
    name,
    status: "in_progress",
    conclusion: null,
    startedAt: "2026-11-21T21:02:00Z",
    completedAt: null,
    steps: [],
    annotations: [],
    permissions: {},
    outputs: {},
    ...changes,
  });
  const ended = { status: "completed", conclusion: "success", completedAt: "2026-11-21T21:03:05Z" } as const;
  const seen: string[] = [];
  const look = (): void => void seen.push(/> (\d of [^\n]*)/.exec(rig.ours(change)[0] ?? "")?.[1] ?? "–");
  run.jobs = [job("plan", ended), job("train", {})];
  turns = [
    look,
    () => {
      const numbers = train({ metrics: { ["build/metrics.json" as never]: { loss: 0.25 } } });
      rig.attach(run.id, progressParcel("train"), progressZip(progress(numbers, train({ stage: "other" }))));
      minutes(5);
    },
    look,
    () => {
      run.jobs = [job("plan", ended), job("train", ended), job("result", { status: "queued" })];
      minutes(5);
    },
    look,
    () => minutes(5),
  ];
  const why = await watch({ workflow: ".github/workflows/lockstep-toy.yml" });
  expect(value(why)).toBe("the experiment waits for a runner, and may have this one");
  expect(seen).toEqual([
    "0 of 1 ended; `train` is running since 21:02.",
    "0 of 1 ended; `train` is running since 21:02: `loss` 0.2500. Seen at 21:05 UTC.",
    "1 of 1 ended.",
  ]);
  expect(rig.ours(change)).toEqual([expect.stringMatching(/^<!-- lockstep:report:toy run=\d+ attempt=1 going -->/)]);
});

const spend = (used: number): void => {
  const { rates, clock } = rig.sandbox.world;
  rates.set("job:acme/toy", { used, resetAt: Math.floor(clock.now().getTime() / 1000) + 3600 });
};

test("with few requests left nothing is refreshed, and a limit in the middle postpones", async () => {
  await going();
  const seen: string[] = [];
  const look = (): void => void seen.push(/`step` \d/.exec(rig.ours(change)[0] ?? "")?.[0] ?? "–");
  turns = [
    () => (look(), epoch(5), spend(RATE_LIMITS.job - 150), minutes(5)),
    () => (look(), rig.sandbox.world.rates.clear(), minutes(5)),
    look,
    () => (epoch(6), minutes(5), (limited = true)),
    () => (look(), (limited = false), rig.sandbox.world.rates.clear(), minutes(5)),
    look,
  ];
  let limited = false;
  const limiting: typeof globalThis.fetch = async (input, init) => {
    if (limited && init?.method === "PATCH") spend(RATE_LIMITS.job);
    return fetch(input, init);
  };
  expect(value(await watch({ fetch: limiting }))).toBe("the experiment has ended");
  expect(seen).toEqual(["`step` 3", "`step` 3", "`step` 5", "`step` 5", "`step` 6"]);
  expect(events.map((event) => ("message" in event ? event.message : ""))).toEqual(
    expect.arrayContaining([
      expect.stringContaining("few requests are left"),
      expect.stringContaining("rate limit exceeded"),
    ]),
  );
});

test("an hour in which nothing moves costs a tenth of the requests that a job may send, and writes nothing", async () => {
  value(await rig.publishRun(change, { id: run.id, conclusion: null }));
  const from = written();
  rig.sandbox.world.rates.clear();
  turns = Array.from({ length: 120 }, () => () => minutes(0.5));
  value(await watch());
  expect(written() - from).toBe(0);
  expect(rig.sandbox.world.rates.get("job:acme/toy")?.used).toBeLessThan(RATE_LIMITS.job / 10);
}, 120_000);
