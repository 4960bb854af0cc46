import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { MAX_BODY } from "../../src/sandbox/http/errors.ts";
import { NEEDS } from "../../src/sandbox/rest/permissions.ts";
import { ROUTES } from "../../src/sandbox/rest/routes.ts";
import { Rig, refused, type Octokit } from "./rig.ts";

const repo = { owner: "ada", repo: "digits" };

describe("what the API refuses", () => {
  let rig: Rig;
  let ada: Octokit;
  let head: string;

  beforeAll(async () => {
    rig = await Rig.start();
    ada = rig.octokit("ada");
    await rig.push("main", { "a.txt": "a\n" });
    head = await rig.push("exp", { "a.txt": "b\n" }, "main");
    await ada.rest.issues.create({ ...repo, title: "one" });
    await ada.rest.pulls.create({ ...repo, head: "exp", base: "main", title: "two" });
  });
  afterAll(async () => rig[Symbol.asyncDispose]());
  afterEach(() => expect(rig.openapi.violations()).toEqual([]));

  it("has a permission written down for every route, and no other", () => {
    expect(Object.keys(NEEDS).toSorted()).toEqual(Object.keys(ROUTES).toSorted());
  });

  it("unknown credentials, and none where some are needed", async () => {
    const url = `${rig.sandbox.apiUrl}/repos/ada/digits/issues`;
    const bad = await fetch(url, { headers: { authorization: "token nonsense" } });
    expect([bad.status, await bad.json()]).toEqual([401, expect.objectContaining({ message: "Bad credentials" })]);
    expect((await fetch(url)).status).toBe(200);
    const none = await fetch(url, { method: "POST", body: JSON.stringify({ title: "x" }) });
    expect([none.status, await none.json()]).toEqual([
      401,
      expect.objectContaining({ message: "Requires authentication" }),
    ]);
    const broken = await fetch(url, {
      method: "POST",
      body: "{",
      headers: { authorization: `token ${rig.sandbox.token("ada")}` },
    });
    expect([broken.status, await broken.json()]).toEqual([
      400,
      expect.objectContaining({ message: "Problems parsing JSON" }),
    ]);
  });

  it("a job's token without the right, in GitHub's words, and names the right", async () => {
    const job = rig.job({ contents: "read" });
    const error = await refused(job.rest.issues.createComment({ ...repo, issue_number: 1, body: "x" }));
    expect(error.status).toBe(403);
    expect(error.response.data["message"]).toBe("Resource not accessible by integration");
    expect(error.response.headers["x-accepted-github-permissions"]).toBe("issues=write; pull_requests=write");
    expect((await refused(job.rest.issues.listForRepo(repo))).status).toBe(403);
    expect((await job.rest.repos.getContent({ ...repo, path: "a.txt" })).status).toBe(200);
    expect((await refused(job.rest.users.getAuthenticated())).status).toBe(403);
  });

  it("a right on pull requests where an issue is meant", async () => {
    const job = rig.job({ "pull-requests": "write" });
    expect((await job.rest.issues.createComment({ ...repo, issue_number: 2, body: "x" })).data.user?.login).toBe(
      "github-actions[bot]",
    );
    expect((await refused(job.rest.issues.createComment({ ...repo, issue_number: 1, body: "x" }))).status).toBe(403);
  });

  it("a pull request by Actions where the setting forbids it", async () => {
    const job = rig.job({ "pull-requests": "write", contents: "write" });
    await rig.push("bot", { "bot.txt": "x\n" }, "main");
    const create = async () => job.rest.pulls.create({ ...repo, head: "bot", base: "main", title: "by a bot" });
    const error = await refused(create());
    expect([error.status, error.response.data["message"]]).toEqual([
      403,
      "GitHub Actions is not permitted to create or approve pull requests.",
    ]);
    await ada.rest.actions.setGithubActionsDefaultWorkflowPermissionsRepository({
      ...repo,
      can_approve_pull_request_reviews: true,
    });
    expect((await create()).data.user.login).toBe("github-actions[bot]");
    expect(rig.events.at(-1)).toMatchObject({ name: "pull_request", action: "opened", byJobToken: true });
  });

  it("people without the role", async () => {
    const carol = rig.octokit("carol");
    expect((await refused(carol.rest.issues.addLabels({ ...repo, issue_number: 1, labels: ["x"] }))).status).toBe(403);
    expect((await refused(carol.rest.issues.update({ ...repo, issue_number: 1, title: "x" }))).status).toBe(403);
    const { data: own } = await carol.rest.issues.create({ ...repo, title: "mine", labels: ["sneaky"] });
    expect(own.labels).toEqual([]);
    expect((await carol.rest.issues.update({ ...repo, issue_number: own.number, title: "still mine" })).status).toBe(
      200,
    );
  });

  it("what is private, as if it were not there", async () => {
    await rig.sandbox.createRepository({ owner: "ada", name: "secret", private: true });
    const secret = { owner: "ada", repo: "secret" };
    expect((await ada.rest.repos.get(secret)).status).toBe(200);
    for (const other of [rig.octokit("carol"), rig.job({ contents: "write" })]) {
      expect((await refused(other.rest.repos.get(secret))).status).toBe(404);
    }
  });

  it("a comment of 65,537 characters, and takes one of 65,536", async () => {
    const comment = async (length: number) =>
      ada.rest.issues.createComment({ ...repo, issue_number: 1, body: "x".repeat(length) });
    expect((await comment(MAX_BODY)).status).toBe(201);
    const error = await refused(comment(MAX_BODY + 1));
    expect(error.status).toBe(422);
    expect(error.response.data["errors"]).toEqual([
      {
        resource: "IssueComment",
        code: "unprocessable",
        field: "data",
        message: "Body is too long (maximum is 65536 characters)",
      },
    ]);
  });

  it("a second pull request of one branch, also when both are asked for at once", async () => {
    await rig.push("twice", { "twice.txt": "x\n" }, "main");
    const create = async () => ada.rest.pulls.create({ ...repo, head: "twice", base: "main", title: "t" });
    const outcomes = await Promise.allSettled([create(), create()]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    const error = await refused(create());
    expect(error.response.data["errors"]).toMatchObject([{ message: "A pull request already exists for ada:twice." }]);
  });

  it("a pull request with nothing in it, or from nowhere", async () => {
    await rig.git("-C", rig.work, "push", "--quiet", "origin", "origin/main:refs/heads/same");
    const create = async (branch: string) => ada.rest.pulls.create({ ...repo, head: branch, base: "main", title: "t" });
    expect((await refused(create("same"))).response.data["errors"]).toMatchObject([
      { message: "No commits between main and same" },
    ]);
    expect((await refused(create("nowhere"))).response.data["errors"]).toMatchObject([
      { field: "head", code: "invalid" },
    ]);
  });

  it("a branch that would move backwards, and a ref that is there", async () => {
    const before = await rig.git("-C", rig.work, "rev-parse", "origin/main");
    const error = await refused(ada.rest.git.updateRef({ ...repo, ref: "heads/exp", sha: before }));
    expect([error.status, error.response.data["message"]]).toEqual([422, "Update is not a fast forward"]);
    const again = await refused(ada.rest.git.createRef({ ...repo, ref: "refs/heads/exp", sha: before }));
    expect([again.status, again.response.data["message"]]).toEqual([422, "Reference already exists"]);
    const hidden = await refused(ada.rest.git.createRef({ ...repo, ref: "refs/pull/2/head", sha: before }));
    expect(hidden.status).toBe(422);
  });

  it("an asset's name that is taken, a release whose tag is taken", async () => {
    const { data: release } = await ada.rest.repos.createRelease({ ...repo, tag_name: "v1" });
    const upload = async () =>
      ada.request({
        method: "POST",
        url: release.upload_url,
        name: "m.onnx",
        data: "x",
        headers: { "content-type": "application/octet-stream" },
      });
    await upload();
    const error = await refused(upload());
    expect([error.status, error.response.data["errors"]]).toEqual([
      422,
      [{ resource: "ReleaseAsset", code: "already_exists", field: "name" }],
    ]);
    expect((await refused(ada.rest.repos.createRelease({ ...repo, tag_name: "v1" }))).status).toBe(422);
  });

  it("a draft release to those who may not write", async () => {
    const { data: draft } = await ada.rest.repos.createRelease({ ...repo, tag_name: "v2", draft: true });
    expect((await refused(rig.octokit("carol").rest.repos.getRelease({ ...repo, release_id: draft.id }))).status).toBe(
      404,
    );
    const read = rig.job({ contents: "read" });
    expect((await read.rest.repos.listReleases(repo)).data.map(({ id }) => id)).not.toContain(draft.id);
    const write = rig.job({ contents: "write" });
    expect((await write.rest.repos.listReleases(repo)).data.map(({ id }) => id)).toContain(draft.id);
  });

  it("a check that is completed without a conclusion, a status of an unknown commit", async () => {
    const check = { ...repo, name: "c", head_sha: head, status: "completed" as const };
    expect((await refused(ada.rest.checks.create(check as never))).status).toBe(422);
    const sha = "0".repeat(40);
    const error = await refused(ada.rest.repos.createCommitStatus({ ...repo, sha, state: "success" }));
    expect([error.status, error.response.data["message"]]).toEqual([422, `No commit found for SHA: ${sha}`]);
  });

  it("a deployment whose commit failed", async () => {
    await ada.rest.repos.createCommitStatus({ ...repo, sha: head, state: "failure", context: "gate" });
    expect((await refused(ada.rest.repos.createDeployment({ ...repo, ref: "exp" }))).status).toBe(409);
  });

  it("a merge of a head that is not the one that was reviewed", async () => {
    const sha = "1".repeat(40);
    expect((await refused(ada.rest.pulls.merge({ ...repo, pull_number: 2, sha }))).status).toBe(409);
  });

  it("nothing on later pages: lists come in pages with a Link header", async () => {
    for (let index = 0; index < 5; index += 1) {
      await ada.rest.issues.createComment({ ...repo, issue_number: 2, body: `comment ${index}` });
    }
    const options = { ...repo, issue_number: 2, per_page: 2 };
    const first = await ada.rest.issues.listComments(options);
    expect(first.headers.link).toMatch(/[?&]page=2>; rel="next".*[?&]page=3>; rel="last"/);
    const all = await ada.paginate(ada.rest.issues.listComments, options);
    expect(all.map(({ body }) => body)).toEqual(["x", ...[0, 1, 2, 3, 4].map((index) => `comment ${index}`)]);
    expect((await ada.rest.issues.listComments({ ...options, page: 9 })).data).toEqual([]);
  });

  it("requests past the limit, until the hour is over", async () => {
    const token = rig.jobToken({ issues: "read" });
    const get = async () =>
      fetch(`${rig.sandbox.apiUrl}/repos/ada/digits/issues`, { headers: { authorization: `Bearer ${token}` } });
    const before = Number((await get()).headers.get("x-ratelimit-used"));
    const rate = rig.sandbox.world.rates.get("job:ada/digits");
    expect(rate?.used).toBe(before);
    rate!.used = 999;
    expect((await get()).headers.get("x-ratelimit-remaining")).toBe("0");
    const spent = await get();
    expect([spent.status, spent.headers.get("x-ratelimit-remaining")]).toEqual([403, "0"]);
    expect(await spent.json()).toMatchObject({ message: expect.stringContaining("API rate limit exceeded") as string });
    await rig.sandbox.clock.advance(3600_000);
    expect((await get()).status).toBe(200);
  });

  it("nothing silently: each request is in the log with its route and job", async () => {
    const count = rig.sandbox.world.requestLog.length;
    await refused(rig.job({}).rest.issues.get({ ...repo, issue_number: 1 }));
    expect(rig.sandbox.world.requestLog.slice(count)).toMatchObject([
      {
        method: "GET",
        route: "/repos/{owner}/{repo}/issues/{issue_number}",
        path: "/repos/ada/digits/issues/1",
        status: 403,
        login: "github-actions[bot]",
        runId: 1,
        jobId: 2,
      },
    ]);
  });
});
