import { describe, expect, it } from "vitest";
import {
  closeIssue,
  connect,
  deploymentStatus,
  ensureDeployment,
  ensurePullRequest,
  ensureRelease,
  findIssue,
  findPullRequestBySha,
  mergedPullRequest,
  setStatus,
  upsertCheck,
  upsertComment,
  upsertIssue,
} from "../../src/github/index.ts";
import type { GitHub } from "../../src/github/index.ts";
import type { Permissions } from "../../src/sandbox/index.ts";
import { startAction } from "../actions/rig.ts";
import { value } from "../helpers/value.ts";
import { FILES } from "../registry/rig.ts";
import { Rig } from "../sandbox/rig.ts";

const as = (rig: Rig, permissions: Permissions): GitHub =>
  connect({
    token: rig.jobToken(permissions),
    apiUrl: rig.sandbox.apiUrl,
    repository: "ada/digits",
    paced: false,
    emit: () => {},
  });

describe("what we say to GitHub is what its API description takes", () => {
  it("about a pull request, with the rights of the report job and no others", async () => {
    await using rig = await Rig.start();
    await rig.push("main", { "a.txt": "1" }, undefined);
    const sha = await rig.push("patch", { "a.txt": "2" }, "HEAD");
    await rig.octokit("bob").rest.pulls.create({ ...rig.repo, head: "patch", base: "main", title: "a change" });
    const gh = as(rig, { checks: "write", contents: "write", "pull-requests": "write", statuses: "write" });

    const pull = value(await findPullRequestBySha(gh, { sha, headOwner: "ada", headBranch: "patch" }));
    expect(pull).toMatchObject({ number: 1, author: "bob", fork: false, baseBranch: "main", headSha: sha });
    const comment = { issue: 1, marker: "report", order: { runId: 4, attempt: 1 } };
    const first = value(await upsertComment(gh, { ...comment, body: "one" }));
    expect(value(await upsertComment(gh, { ...comment, body: "two" }))).toMatchObject({
      id: first.id,
      action: "updated",
    });
    const check = {
      name: "lockstep",
      headSha: sha,
      externalId: "report",
      order: comment.order,
      title: "Better",
      summary: "s",
      text: "t",
    };
    const annotations = [{ path: "a.txt", line: 1, level: "warning", message: "m", title: "t" } as const];
    value(await upsertCheck(gh, { ...check, conclusion: "success", annotations, detailsUrl: "https://example.com" }));
    expect(value(await upsertCheck(gh, { ...check, conclusion: "failure" })).created).toBe(false);
    value(await setStatus(gh, { sha, context: "lockstep/gates", state: "success", description: "d" }));
    expect(rig.openapi.violations()).toEqual([]);
    expect(rig.openapi.requests()).toBe(gh.requests + 1);
  });

  it("about a release, a deployment, an issue and a pull request of our own", async () => {
    await using rig = await Rig.start();
    const main = await rig.push("main", { "a.txt": "1" }, undefined);
    const release = {
      tag: "digits/v1",
      commit: main,
      name: "digits v1",
      body: "card",
      latest: true,
      assets: [{ name: "model.onnx", bytes: Buffer.from("weights") }],
    };
    const promote = as(rig, { contents: "write", "pull-requests": "read" });
    expect(value(await ensureRelease(promote, release))).toMatchObject({ created: true });
    expect(value(await ensureRelease(promote, release))).toMatchObject({ created: false });
    expect(await rig.git("ls-remote", rig.sandbox.cloneUrl("ada/digits", "ada"), "refs/tags/digits/v1")).toContain(
      main,
    );
    expect(value(await mergedPullRequest(promote, { sha: main, baseBranch: "main" }))).toBeUndefined();

    const deploy = as(rig, { deployments: "write" });
    const wanted = {
      ref: main,
      environment: "production",
      fingerprint: "digits@1",
      description: "d",
      payload: { version: 1 },
    };
    const { id } = value(await ensureDeployment(deploy, wanted));
    expect(value(await ensureDeployment(deploy, wanted))).toEqual({ id, created: false });
    const status = {
      deployment: id,
      state: "success",
      description: "up",
      environmentUrl: "http://127.0.0.1:1",
      logUrl: "http://127.0.0.1:2",
    } as const;
    value(await deploymentStatus(deploy, status));
    expect(value(await deploymentStatus(deploy, status)).changed).toBe(false);

    const drift = as(rig, { contents: "write", issues: "write" });
    const issue = { marker: "drift:digits", title: "digits drifts", body: "b", labels: ["lockstep-drift"] };
    const opened = value(await upsertIssue(drift, issue));
    expect(value(await upsertIssue(drift, { ...issue, body: "c" }))).toMatchObject({
      number: opened.number,
      action: "updated",
    });
    expect(value(await closeIssue(drift, { marker: issue.marker, comment: "well again" })).closed).toEqual([
      opened.number,
    ]);
    expect(value(await findIssue(drift, issue.marker))).toBeUndefined();

    await rig.push("lockstep/retrain", { "a.txt": "3" }, "HEAD");
    const retrain = {
      head: "lockstep/retrain",
      base: "main",
      marker: "retrain:digits",
      title: "t",
      body: "b",
      labels: ["x"],
    };
    const refused = await ensurePullRequest(drift, retrain);
    expect(refused).toMatchObject({ ok: false, failures: [{ code: "github", status: 403 }] });
    expect(rig.openapi.violations()).toEqual([]);
  });
});

it(
  "promote, with a job's token and git over HTTP, needs exactly the rights its README says",
  { timeout: 120_000 },
  async () => {
    await using rig = await Rig.start({ private: true });
    const sha = await rig.push("main", FILES, undefined);
    const start = async (permissions: Permissions) =>
      startAction("promote", {
        workspace: rig.work,
        apiUrl: rig.sandbox.apiUrl,
        inputs: { "github-token": rig.jobToken(permissions), "bot-login": "github-actions[bot]", models: "" },
        event: { repository: { default_branch: "main" } },
        sha,
        env: { GITHUB_REPOSITORY: "ada/digits", GIT_CONFIG_GLOBAL: "/dev/null" },
      });
    // A URL without a person's credentials: what git may do is what the token may do.
    await rig.git("-C", rig.work, "remote", "set-url", "origin", `${rig.sandbox.url}/ada/digits.git`);
    // What an earlier checkout may have left: two headers at once would be refused.
    const stale = `http.${rig.sandbox.url}/.extraheader`;
    await rig.git("-C", rig.work, "config", stale, "AUTHORIZATION: basic c3RhbGU6c3RhbGU=");
    const reader = await start({ contents: "read", "pull-requests": "read" });
    expect(reader.exitCode).toBe(1);
    const promoted = await start({ contents: "write", "pull-requests": "read" });
    expect(promoted.exitCode, promoted.stdout).toBe(0);
    expect(promoted.outputs).toMatchObject({ promoted: "true", version: "1" });
    expect(rig.openapi.violations()).toEqual([]);
    const token = /::add-mask::(.+)/.exec(promoted.stdout)?.[1] ?? "";
    expect(token.length).toBeGreaterThan(10);
    expect(promoted.stdout.split(token)).toHaveLength(2);
    expect(await rig.git("-C", rig.work, "config", "--get-all", stale)).toBe("AUTHORIZATION: basic c3RhbGU6c3RhbGU=");
  },
);
