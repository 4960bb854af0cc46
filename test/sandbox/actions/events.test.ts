import { expect, test } from "vitest";
import type { TriggerEvent } from "../../../src/sandbox/world.ts";
import { logOf, Rig } from "./rig.ts";

const say = (on: string, text: string): string =>
  `on: ${on}\njobs: {say: {runs-on: x, steps: [{run: "echo '${text}'"}]}}`;

const pull = (rig: Rig, sha: string, extra: Partial<TriggerEvent> = {}): TriggerEvent =>
  rig.event("pull_request", sha, {
    action: "opened",
    ref: "refs/pull/1/merge",
    headBranch: "try",
    payload: { pull_request: { base: { ref: "main" }, head: { ref: "try" } } },
    pullRequests: [1],
    ...extra,
  });

test("which file is taken: the event's own commit, or the default branch", async () => {
  await using rig = await Rig.start();
  const main = await rig.commit({
    ".github/workflows/pull.yml": say("pull_request", "on main"),
    ".github/workflows/after.yml": `name: After\n${say("{workflow_run: {workflows: [Pull], types: [completed]}}", "after on main ${{ github.sha }} ${{ github.event.workflow_run.conclusion }} ${{ github.event.workflow_run.head_branch }}")}`,
  });
  const branch = await rig.commit(
    {
      ".github/workflows/pull.yml": `name: Pull\n${say("pull_request", "on the branch ${{ github.ref_name }} ${{ github.head_ref }} ${{ github.base_ref }}")}`,
      ".github/workflows/after.yml": say(
        "{workflow_run: {workflows: [Pull], types: [completed]}}",
        "after on the branch",
      ),
    },
    "try",
  );
  const runs = await rig.trigger(pull(rig, branch));
  expect(runs.map(({ name, event, conclusion }) => [name, event, conclusion])).toEqual([
    ["Pull", "pull_request", "success"],
    ["After", "workflow_run", "success"],
  ]);
  expect(logOf(runs[0]?.jobs[0])).toContain("on the branch 1/merge try main");
  expect(logOf(runs[1]?.jobs[0])).toContain(`after on main ${main} success try`);
  expect(runs[1]).toMatchObject({
    sha: main,
    headSha: main,
    headBranch: "main",
    ref: "refs/heads/main",
    pullRequests: [],
  });
  const cause = runs[1]?.payload["workflow_run"];
  expect(cause).toMatchObject({
    id: runs[0]?.id,
    name: "Pull",
    path: ".github/workflows/pull.yml",
    event: "pull_request",
    head_sha: branch,
    head_repository: { full_name: "ada/digits", owner: { login: "ada" } },
  });
});

test("a chain of workflow_run is at most three long", async () => {
  await using rig = await Rig.start();
  const files: Record<string, string> = { ".github/workflows/w0.yml": `name: w0\n${say("push", "0")}` };
  for (const n of [1, 2, 3, 4]) {
    files[`.github/workflows/w${n}.yml`] =
      `name: w${n}\n${say(`{workflow_run: {workflows: [w${n - 1}], types: [completed]}}`, String(n))}`;
  }
  const runs = await rig.trigger(rig.event("push", await rig.commit(files)));
  expect(runs.map(({ name }) => name)).toEqual(["w0", "w1", "w2", "w3"]);
});

test("pull_request_target and the other types of workflow_run", async () => {
  await using rig = await Rig.start();
  const types = "${{ github.event.action }} ${{ github.event.workflow_run.status }}";
  const main = await rig.commit({
    ".github/workflows/target.yml": `name: Target\n${say("pull_request_target", "${{ github.event_name }} ${{ github.base_ref }}")}`,
    ".github/workflows/all.yml": `name: All\n${say("{workflow_run: {workflows: [Target]}}", types)}`,
  });
  const branch = await rig.commit(
    { ".github/workflows/target.yml": say("pull_request_target", "of the branch") },
    "try",
  );
  const runs = await rig.trigger(pull(rig, branch, { actor: "eve", headRepository: "eve/digits", pullRequests: [] }));
  expect(runs.map(({ event, sha }) => `${event} ${sha === main}`).toSorted()).toEqual([
    "pull_request_target true",
    "workflow_run true",
    "workflow_run true",
    "workflow_run true",
  ]);
  expect(logOf(runs[0]?.jobs[0])).toContain("\npull_request_target main\n");
  const seen = runs.slice(1).map(({ payload }) => String(payload["action"]));
  expect(seen).toEqual(["requested", "in_progress", "completed"]);
});

test("an event that the sandbox does not have", async () => {
  await using rig = await Rig.start();
  const sha = await rig.commit({
    ".github/workflows/both.yml": say("[push, merge_group]", "fine"),
    ".github/workflows/none.yml": say("release", "never"),
  });
  const [both, none] = await rig.trigger(rig.event("push", sha));
  expect(both?.conclusion).toBe("success");
  expect(both?.jobs[0]?.annotations[0]?.message).toContain("no `merge_group` events");
  expect(none?.jobs[0]?.annotations[0]?.message).toContain(
    ".github/workflows/none.yml:1:5: `on: release` is not supported",
  );
});

test("what a job's own token starts, and what waits for approval", async () => {
  await using rig = await Rig.start({ collaborators: { grace: "write" } });
  const sha = await rig.commit({
    ".github/workflows/all.yml": `on: [push, issue_comment, workflow_dispatch, repository_dispatch, pull_request]
permissions: write-all
jobs: {say: {runs-on: x, steps: [{run: "echo '<\${{ secrets.KEY }}>'"}]}}`,
  });
  rig.repository.secrets["KEY"] = "k-value";
  const byJob = { byJobToken: true, actor: "github-actions[bot]" };
  for (const name of ["push", "issue_comment"]) expect(await rig.trigger(rig.event(name, sha, byJob))).toEqual([]);
  for (const name of ["workflow_dispatch", "repository_dispatch"]) {
    expect((await rig.trigger(rig.event(name, sha, byJob))).map(({ conclusion }) => conclusion)).toEqual(["success"]);
  }
  const [bot] = await rig.trigger(pull(rig, sha, byJob));
  expect(bot?.status).toBe("action_required");
  expect(await rig.trigger(pull(rig, sha, { ...byJob, action: "closed" }))).toEqual([]);
  await rig.executor.approve(bot?.id ?? 0);
  await rig.executor.idle();
  expect(bot?.conclusion).toBe("success");
  expect(logOf(bot?.jobs[0])).toContain("<***>");

  const [fork] = await rig.trigger(pull(rig, sha, { actor: "eve", headRepository: "eve/digits", pullRequests: [] }));
  expect(fork?.status).toBe("action_required");
  await rig.executor.approve(fork?.id ?? 0);
  await rig.executor.idle();
  expect(logOf(fork?.jobs[0])).toContain("<>");
  expect(new Set(Object.values(fork?.jobs[0]?.permissions ?? {}))).toEqual(new Set(["read", "none"]));
  const [member] = await rig.trigger(
    pull(rig, sha, { actor: "grace", headRepository: "grace/digits", pullRequests: [] }),
  );
  expect(member?.conclusion).toBe("success");
  expect(rig.world.tokens.size).toBe(0);
});

test("schedules fire in order as the clock is moved, in their own time zone", async () => {
  await using rig = await Rig.start();
  await rig.commit({
    ".github/workflows/utc.yml": say("{schedule: [{cron: '30 5 * * *'}]}", "${{ github.event.schedule }}"),
    ".github/workflows/berlin.yml": say("{schedule: [{cron: '0 6 * * *', timezone: Europe/Berlin}]}", "berlin"),
    ".github/workflows/push.yml": say("push", "not this"),
  });
  await rig.world.moveClock(new Date("2026-03-04T12:00:00Z"));
  await rig.executor.idle();
  expect(rig.taken().map(({ path, createdAt }) => `${path.slice(18)} ${createdAt}`)).toEqual([
    "berlin.yml 2026-03-03T05:00:00Z",
    "utc.yml 2026-03-03T05:30:00Z",
    "berlin.yml 2026-03-04T05:00:00Z",
    "utc.yml 2026-03-04T05:30:00Z",
  ]);
});

test("dispatch inputs: types, defaults, refusals", async () => {
  await using rig = await Rig.start();
  const sha = await rig.commit({
    ".github/workflows/go.yml": `on:
  workflow_dispatch:
    inputs:
      count: {type: number, default: 3}
      deep: {type: boolean, default: false}
      level: {type: choice, options: [low, high], default: low}
      name: {required: true}
jobs: {say: {runs-on: x, steps: [{run: "echo '\${{ toJSON(inputs) }} \${{ toJSON(github.event.inputs) }}'"}]}}`,
  });
  const dispatch = async (inputs: Record<string, unknown>) => {
    const payload = { inputs, workflow: ".github/workflows/go.yml" };
    return (await rig.trigger(rig.event("workflow_dispatch", sha, { payload })))[0];
  };
  const log = logOf((await dispatch({ deep: "true", name: "x" }))?.jobs[0]).replaceAll(/\s+/g, "");
  expect(log).toContain(
    '{"count":3,"deep":true,"level":"low","name":"x"}{"count":"3","deep":"true","level":"low","name":"x"}',
  );
  const refused = await dispatch({ level: "middle", colour: "red" });
  expect(refused?.conclusion).toBe("failure");
  expect(refused?.jobs[0]?.annotations.map(({ message }) => message)).toEqual([
    'Unexpected inputs provided: ["colour"]',
    "Provided value 'middle' for input 'level' not in the list of allowed values",
    "Required input 'name' not provided",
  ]);
});

test("a broken file is a failed run that says where, and does not keep others from running", async () => {
  await using rig = await Rig.start();
  const sha = await rig.commit({
    ".github/workflows/broken.yml": "on: push\njobs:\n  a:\n    runs-on: x\n    stepz: []\n",
    ".github/workflows/fine.yml": say("push", "fine"),
    ".github/workflows/expression.yml": `on: push\njobs: {a: {runs-on: "\${{ fromJSON('{') }}", steps: [{run: echo}]}}`,
  });
  const runs = await rig.trigger(rig.event("push", sha));
  expect(runs.map(({ path, conclusion }) => [path.slice(18), conclusion])).toEqual([
    ["broken.yml", "failure"],
    ["expression.yml", "failure"],
    ["fine.yml", "success"],
  ]);
  expect(runs[0]?.jobs[0]).toMatchObject({
    name: ".github/workflows/broken.yml",
    annotations: [{ title: "Invalid workflow file", file: ".github/workflows/broken.yml", line: 5 }],
  });
  expect(runs[1]?.jobs[0]?.annotations[0]?.message).toContain(".github/workflows/expression.yml:2:21: cannot evaluate");
});

test("[skip ci] and unfinished runs of a process that is gone", async () => {
  await using rig = await Rig.start();
  const sha = await rig.commit({ ".github/workflows/x.yml": say("push", "x") }, "main", "quiet [skip ci]");
  expect(await rig.trigger(rig.event("push", sha))).toEqual([]);
  const again = await rig.commit({}, "main", "loud");
  const [run] = await rig.trigger(rig.event("push", again));
  Object.assign(run ?? {}, { status: "in_progress", conclusion: null });
  const { startExecutor } = await import("../../../src/sandbox/actions/index.ts");
  const next = startExecutor(rig.world, { actionsDir: rig.folder, runnerDir: rig.folder });
  expect(run).toMatchObject({ status: "completed", conclusion: "cancelled" });
  await next.close();
});
