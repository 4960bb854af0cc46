import { describe, expect, it } from "vitest";
import {
  closeIssue,
  deploymentStatus,
  downloadArtifact,
  ensureDeployment,
  ensurePullRequest,
  findIssue,
  findPullRequestBySha,
  mergedPullRequest,
  setStatus,
  upsertCheck,
  upsertIssue,
} from "../../src/github/index.ts";
import { value } from "../helpers/value.ts";
import { FakeGitHub } from "./fake.ts";

const sha = "a".repeat(40);

describe("the check run", () => {
  const check = {
    name: "Lockstep",
    headSha: sha,
    externalId: "report",
    order: { runId: 1, attempt: 1 },
    conclusion: "success",
    title: "ok",
  } as const;

  it("is one per name, commit and external id", async () => {
    await using fake = await FakeGitHub.start();
    const gh = fake.connect();
    fake.add(fake.checks, { name: "Lockstep", external_id: "somebody else's" });
    const first = value(await upsertCheck(gh, { ...check, summary: "one" }));
    const second = value(await upsertCheck(gh, { ...check, summary: "two", conclusion: "failure" }));
    expect([first.created, second.created, second.id]).toEqual([true, false, first.id]);
    expect(fake.checks[1]).toMatchObject({
      conclusion: "failure",
      output: { summary: expect.stringMatching(/\ntwo$/) as string },
      head_sha: sha,
    });
    expect(fake.checks).toHaveLength(2);
  });

  it("takes more annotations than one request may carry, and text that is too long", async () => {
    await using fake = await FakeGitHub.start();
    const annotations = Array.from({ length: 120 }, (_, line) => {
      return { path: "params.yaml", line: line + 1, level: "warning", message: `m${line}` } as const;
    });
    await upsertCheck(fake.connect(), { ...check, summary: "s".repeat(70_000), text: "t".repeat(70_000), annotations });
    const output = fake.checks[0]?.["output"] as { summary: string; text: string; annotations: { message: string }[] };
    expect(output.annotations.map(({ message }) => message)).toEqual(annotations.map(({ message }) => message));
    expect([output.summary.length, output.text.length].every((length) => length <= 65_535)).toBe(true);
    expect(fake.count(/check-runs/)).toBe(4);
  });
});

it("a status' description is one line of 140 characters at most", async () => {
  await using fake = await FakeGitHub.start();
  const description = `two\nlines ${"x".repeat(200)}`;
  value(await setStatus(fake.connect(), { sha, context: "lockstep", state: "failure", description }));
  expect(fake.statuses[0]).toMatchObject({ context: "lockstep", state: "failure" });
  expect(String(fake.statuses[0]?.["description"])).toMatch(/^two lines x{129}…$/);
});

describe("an issue", () => {
  const issue = { marker: "drift:digits", title: "digits drifts", body: "evidence" };

  it("is opened once, updated, closed, and opened anew afterwards", async () => {
    await using fake = await FakeGitHub.start();
    const gh = fake.connect();
    fake.add(fake.issues, {
      state: "open",
      body: "<!-- lockstep:drift:digits -->",
      user: { login: "mallory" },
      number: 1,
    });
    const first = value(await upsertIssue(gh, { ...issue, labels: ["drift"] }));
    expect(first.action).toBe("created");
    expect(value(await upsertIssue(gh, issue))).toEqual({ ...first, action: "unchanged" });
    expect(value(await upsertIssue(gh, { ...issue, body: "more" }))).toEqual({ ...first, action: "updated" });
    expect(value(await findIssue(gh, issue.marker))?.number).toBe(first.number);
    expect(value(await closeIssue(gh, { marker: issue.marker, comment: "recovered" }))).toEqual({
      closed: [first.number],
    });
    expect(fake.comments).toMatchObject([{ issue: first.number, body: "recovered" }]);
    expect(value(await closeIssue(gh, { marker: issue.marker }))).toEqual({ closed: [] });
    expect(value(await findIssue(gh, issue.marker))).toBeUndefined();
    expect(value(await upsertIssue(gh, issue)).number).not.toBe(first.number);
  });

  it("stays one open when two checks open it at once", async () => {
    await using fake = await FakeGitHub.start();
    fake.interfere = (line, after) => {
      if (!line.startsWith("POST") || after || fake.issues.length > 0) return undefined;
      const other = fake.add(fake.issues, { state: "open", title: "x", body: "<!-- lockstep:drift:digits -->\nx" });
      other["number"] = other["id"];
      return undefined;
    };
    const result = value(await upsertIssue(fake.connect(), issue));
    expect(result.action).toBe("updated");
    expect(fake.issues.map((each) => each["state"])).toEqual(["open", "closed"]);
  });

  it("of another marker with the same beginning is another issue", async () => {
    await using fake = await FakeGitHub.start();
    const gh = fake.connect();
    const one = value(await upsertIssue(gh, { ...issue, marker: "drift:digits-large" }));
    expect(value(await upsertIssue(gh, issue)).number).not.toBe(one.number);
  });
});

describe("a pull request", () => {
  const pull = {
    head: "lockstep/retrain-digits",
    base: "main",
    marker: "retrain:digits",
    title: "Retrain",
    body: "why",
  };

  it("is opened once per branch and refreshed", async () => {
    await using fake = await FakeGitHub.start();
    const gh = fake.connect();
    const first = value(await ensurePullRequest(gh, { ...pull, labels: ["retraining"] }));
    expect(first.action).toBe("created");
    expect(fake.pulls[0]?.["labels"]).toEqual([{ name: "retraining" }]);
    expect(value(await ensurePullRequest(gh, { ...pull, labels: ["retraining"] }))).toEqual({
      ...first,
      action: "unchanged",
    });
    expect(value(await ensurePullRequest(gh, { ...pull, title: "Retrain again" })).action).toBe("updated");
    expect(fake.pulls).toHaveLength(1);
    expect(fake.count(/labels/)).toBe(1);
  });

  it("is found when another run was faster", async () => {
    await using fake = await FakeGitHub.start();
    fake.interfere = (line, after) => {
      if (!/POST .*pulls/.test(line) || after || fake.pulls.length > 0) return undefined;
      fake.add(fake.pulls, {
        number: 5,
        state: "open",
        title: "Retrain",
        body: "",
        labels: [],
        head: { ref: pull.head },
      });
      return undefined;
    };
    expect(value(await ensurePullRequest(fake.connect(), pull))).toMatchObject({ number: 5, action: "updated" });
  });

  it("is told by its head, only while that is its head", async () => {
    await using fake = await FakeGitHub.start();
    const head = { ref: "patch", sha, repo: { full_name: "fork/digits" } };
    const base = { ref: "main", sha: "b".repeat(40) };
    fake.add(fake.pulls, { number: 3, state: "open", title: "t", head, base, merged_at: null });
    const gh = fake.connect();
    const wanted = { sha, headOwner: "fork", headBranch: "patch" };
    expect(value(await findPullRequestBySha(gh, wanted))).toMatchObject({ number: 3, fork: true, baseBranch: "main" });
    expect(value(await findPullRequestBySha(gh, { ...wanted, sha: "c".repeat(40) }))).toBeUndefined();
    expect(value(await mergedPullRequest(gh, { sha, baseBranch: "main" }))).toBeUndefined();
    Object.assign(fake.pulls[0] ?? {}, { merged_at: "2026-01-01T00:00:00Z", state: "closed" });
    expect(value(await mergedPullRequest(gh, { sha, baseBranch: "main" }))?.number).toBe(3);
    expect(value(await mergedPullRequest(gh, { sha, baseBranch: "release" }))).toBeUndefined();
  });
});

it("a deployment is one per fingerprint, and says nothing twice", async () => {
  await using fake = await FakeGitHub.start();
  const gh = fake.connect();
  const wanted = { ref: sha, environment: "production", fingerprint: "digits@sha256:1", description: "digits v1" };
  const first = value(await ensureDeployment(gh, wanted));
  expect(first.created).toBe(true);
  expect(fake.deployments[0]).toMatchObject({ auto_merge: false, required_contexts: [], production_environment: true });
  expect(value(await ensureDeployment(gh, wanted))).toEqual({ id: first.id, created: false });
  expect(value(await ensureDeployment(gh, { ...wanted, fingerprint: "digits@sha256:2" })).created).toBe(true);
  const status = { deployment: first.id, state: "success", description: "up", environmentUrl: "http://x" } as const;
  const said = value(await deploymentStatus(gh, status));
  expect(value(await deploymentStatus(gh, status))).toEqual({ id: said.id, changed: false });
  expect(value(await deploymentStatus(gh, { ...status, state: "failure" })).changed).toBe(true);
  // The newest counts, so what was said before it is said again.
  expect(value(await deploymentStatus(gh, status)).changed).toBe(true);
});

describe("an artifact", () => {
  const wanted = { runId: 4, name: "lockstep-result", maxBytes: 100 };
  const artifact = { name: "lockstep-result", expired: false, size_in_bytes: 3 };

  it("is the newest of its name, fetched without the token", async () => {
    await using fake = await FakeGitHub.start();
    const gh = fake.connect();
    expect(value(await downloadArtifact(gh, wanted))).toBeUndefined();
    fake.add(fake.artifacts, artifact);
    const newest = fake.add(fake.artifacts, artifact);
    fake.add(fake.artifacts, { ...artifact, expired: true });
    const got = value(await downloadArtifact(gh, wanted));
    expect([got?.id, got?.zip.toString()]).toEqual([newest["id"], "zip"]);
  });

  it("is refused when it is too large, whether it says so or not", async () => {
    await using fake = await FakeGitHub.start();
    const honest = fake.add(fake.artifacts, { ...artifact, size_in_bytes: 1_000 });
    const refused = { ok: false, failures: [{ code: "result-refused" }] };
    expect(await downloadArtifact(fake.connect(), wanted)).toMatchObject(refused);
    expect(fake.count(/zip|blob/)).toBe(0);
    honest["size_in_bytes"] = 1;
    fake.zip = Buffer.alloc(1_000);
    expect(await downloadArtifact(fake.connect(), wanted)).toMatchObject(refused);
  });
});

it("requests are counted, redirects included, and a network that is down is a failure", async () => {
  const fake = await FakeGitHub.start();
  const gh = fake.connect();
  fake.add(fake.artifacts, { name: "x", expired: false, size_in_bytes: 3 });
  value(await downloadArtifact(gh, { runId: 1, name: "x", maxBytes: 100 }));
  expect(gh.requests).toBe(3);
  await fake[Symbol.asyncDispose]();
  gh.octokit.hook.before("request", (options) => void Object.assign(options.request, { retries: 0 }));
  expect(await findIssue(gh, "x")).toMatchObject({ ok: false, failures: [{ code: "github", status: 500 }] });
});
