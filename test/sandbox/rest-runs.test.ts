import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Executor, WorkflowRun } from "../../src/sandbox/index.ts";
import { Rig, refused, type Octokit } from "./rig.ts";

const repo = { owner: "ada", repo: "digits" };
const WORKFLOW = `
on:
  workflow_dispatch:
    inputs:
      model: {type: choice, options: [digits, churn], required: true}
jobs:
  a: {runs-on: ubuntu-latest, steps: [{run: "true"}]}
`;

describe("workflow runs in the REST API", () => {
  let rig: Rig;
  let ada: Octokit;
  let head: string;
  let pull: number;
  const asked: string[] = [];
  /** Stands where runs are executed, so that runs can be in any state here; the real one has its own tests. */
  const executor: Executor = {
    idle: async () => {},
    approve: (id) => void asked.push(`approve ${id}`),
    rerun: (id) => void asked.push(`rerun ${id}`),
    cancel: (id) => void asked.push(`cancel ${id}`),
    close: async () => {},
  };

  function addRun(id: number, change: Partial<WorkflowRun>): void {
    const at = rig.sandbox.world.clock.timestamp();
    rig.sandbox.world.repositories.get("ada/digits")?.runs.push({
      id,
      workflowId: 9,
      path: ".github/workflows/experiment.yml",
      name: "experiment",
      runNumber: id,
      attempt: 1,
      event: "pull_request",
      payload: { pull_request: { title: "Try b" } },
      ref: `refs/pull/${pull}/merge`,
      sha: head,
      headSha: head,
      headBranch: "exp",
      headRepository: "ada/digits",
      actor: "ada",
      pullRequests: [pull],
      status: "completed",
      conclusion: "success",
      createdAt: at,
      updatedAt: at,
      jobs: [],
      ...change,
    });
  }

  beforeAll(async () => {
    rig = await Rig.start();
    ada = rig.octokit("ada");
    await rig.push("main", { "a.txt": "a\n", ".github/workflows/ask.yml": WORKFLOW });
    head = await rig.push("exp", { "a.txt": "b\n" }, "main");
    pull = (await ada.rest.pulls.create({ ...repo, head: "exp", base: "main", title: "Try b" })).data.number;
    const at = rig.sandbox.world.clock.timestamp();
    addRun(11, {
      jobs: [
        {
          id: 111,
          name: "train (1)",
          status: "completed",
          conclusion: "success",
          startedAt: at,
          completedAt: at,
          steps: [
            {
              number: 1,
              name: "Run it",
              status: "completed",
              conclusion: "success",
              startedAt: at,
              completedAt: at,
              summary: "",
              log: "",
            },
          ],
          annotations: [{ level: "warning", message: "slow", file: "a.txt", line: 3 }],
          permissions: { contents: "read" },
          outputs: {},
        },
      ],
    });
    addRun(12, { status: "action_required", conclusion: null });
    addRun(13, { status: "in_progress", conclusion: null, event: "push" });
  });
  afterAll(async () => rig[Symbol.asyncDispose]());
  afterEach(() => expect(rig.openapi.violations()).toEqual([]));

  it("are listed by event, commit and status", async () => {
    const ids = async (filter: object): Promise<number[]> =>
      (await ada.rest.actions.listWorkflowRunsForRepo({ ...repo, ...filter })).data.workflow_runs.map(({ id }) => id);
    expect(await ids({})).toEqual([13, 12, 11]);
    expect(await ids({ event: "push" })).toEqual([13]);
    expect(await ids({ head_sha: head, status: "success" })).toEqual([11]);
    expect(await ids({ status: "action_required" })).toEqual([12]);
    expect(await ids({ branch: "main" })).toEqual([]);
  });

  it("tell of their pull request, their commit and their jobs", async () => {
    const { data: run } = await ada.rest.actions.getWorkflowRun({ ...repo, run_id: 11 });
    expect(run).toMatchObject({
      display_title: "Try b",
      head_sha: head,
      conclusion: "success",
      pull_requests: [{ number: pull }],
      head_commit: { id: head },
    });
    const { data: jobs } = await ada.rest.actions.listJobsForWorkflowRun({ ...repo, run_id: 11 });
    expect(jobs.jobs).toMatchObject([{ id: 111, name: "train (1)", steps: [{ name: "Run it", number: 1 }] }]);
    expect((await ada.rest.actions.getJobForWorkflowRun({ ...repo, job_id: 111 })).data.run_id).toBe(11);
  });

  it("are checks of their commit, which no token can change", async () => {
    const { data } = await ada.rest.checks.listForRef({ ...repo, ref: head });
    expect(data.check_runs).toMatchObject([{ id: 111, name: "train (1)", app: { slug: "github-actions" } }]);
    const { data: notes } = await ada.rest.checks.listAnnotations({ ...repo, check_run_id: 111 });
    expect(notes).toMatchObject([{ path: "a.txt", start_line: 3, annotation_level: "warning", message: "slow" }]);
    const change = rig
      .job({ checks: "write" })
      .rest.checks.update({ ...repo, check_run_id: 111, conclusion: "failure" });
    expect((await refused(change)).status).toBe(403);
  });

  it("are approved, run again and cancelled by the executor, each when it makes sense", async () => {
    expect((await refused(ada.rest.actions.cancelWorkflowRun({ ...repo, run_id: 13 }))).status).toBe(503);
    // That a sandbox may be without an executor is no part of GitHub's description.
    (rig.openapi.violations() as string[]).splice(0);
    rig.sandbox.world.executor = executor;
    await ada.rest.actions.approveWorkflowRun({ ...repo, run_id: 12 });
    await ada.rest.actions.reRunWorkflow({ ...repo, run_id: 11 });
    await ada.rest.actions.cancelWorkflowRun({ ...repo, run_id: 13 });
    expect(asked).toEqual(["approve 12", "rerun 11", "cancel 13"]);
    expect((await refused(ada.rest.actions.approveWorkflowRun({ ...repo, run_id: 11 }))).status).toBe(403);
    expect((await refused(ada.rest.actions.reRunWorkflow({ ...repo, run_id: 13 }))).status).toBe(403);
    expect((await refused(ada.rest.actions.cancelWorkflowRun({ ...repo, run_id: 11 }))).status).toBe(409);
    expect((await refused(rig.octokit("carol").rest.actions.approveWorkflowRun({ ...repo, run_id: 12 }))).status).toBe(
      403,
    );
  });

  it("are dispatched by file name, with inputs that the workflow knows", async () => {
    const dispatch = async (workflow_id: string, ref: string, inputs: Record<string, string>) =>
      ada.rest.actions.createWorkflowDispatch({ ...repo, workflow_id, ref, inputs });
    await dispatch("ask.yml", "main", { model: "digits" });
    expect(rig.events.at(-1)).toMatchObject({
      name: "workflow_dispatch",
      ref: "refs/heads/main",
      payload: { inputs: { model: "digits" }, workflow: ".github/workflows/ask.yml" },
    });
    const count = rig.events.length;
    expect((await refused(dispatch("ask.yml", "main", { model: "pets" }))).status).toBe(422);
    expect((await refused(dispatch("ask.yml", "main", { model: "digits", other: "x" }))).status).toBe(422);
    expect((await refused(dispatch("ask.yml", "nowhere", { model: "digits" }))).status).toBe(422);
    expect((await refused(dispatch("none.yml", "main", {}))).status).toBe(404);
    expect(rig.events).toHaveLength(count);
    const { data } = await ada.rest.actions.listRepoWorkflows(repo);
    expect(data.workflows.map(({ path }) => path)).toEqual([".github/workflows/ask.yml"]);
  });
});
