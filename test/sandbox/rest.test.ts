import { createHash } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Rig, refused, type Octokit } from "./rig.ts";

/** One call of every route, by the real octokit, each request and response held to GitHub's description. */
describe("the REST API speaks as GitHub describes", () => {
  let rig: Rig;
  let ada: Octokit;
  let head: string;
  const repo = { owner: "ada", repo: "digits" };
  const issueNumber = 1;

  beforeAll(async () => {
    rig = await Rig.start();
    ada = rig.octokit("ada");
    await rig.push("main", { "README.md": "# digits\n", "src/a.txt": "a\n" });
    head = await rig.push("exp", { "src/a.txt": "b\n", "src/new file.txt": "n\n" }, "main");
    await rig.push("other", { "src/other.txt": "o\n" }, "main");
    await ada.rest.issues.create({ ...repo, title: "Drift in digits", labels: ["drift"], body: "evidence" });
  });
  afterAll(async () => rig[Symbol.asyncDispose]());
  afterEach(() => expect(rig.openapi.violations()).toEqual([]));

  it("repositories and people", async () => {
    expect((await ada.rest.repos.get(repo)).data).toMatchObject({ full_name: "ada/digits", default_branch: "main" });
    expect((await ada.rest.users.getAuthenticated()).data.login).toBe("ada");
    expect((await ada.rest.users.getByUsername({ username: "bob" })).data.login).toBe("bob");
    expect((await ada.rest.rateLimit.get()).data.rate.limit).toBe(5000);
    const { data: level } = await ada.rest.repos.getCollaboratorPermissionLevel({ ...repo, username: "bob" });
    expect(level.permission).toBe("write");
    expect((await ada.rest.repos.createForAuthenticatedUser({ name: "spare" })).data.full_name).toBe("ada/spare");
    const { data: fork } = await rig.octokit("carol").rest.repos.createFork(repo);
    expect(fork).toMatchObject({ full_name: "carol/digits", fork: true, parent: { full_name: "ada/digits" } });
  });

  it("pull requests", async () => {
    const made = await ada.rest.pulls.create({ ...repo, head: "exp", base: "main", title: "Try b", body: "why" });
    const pull_number = made.data.number;
    expect(made.data).toMatchObject({ mergeable: true, changed_files: 2, commits: 1, additions: 2, deletions: 1 });
    expect(made.data.head.sha).toBe(head);
    const listed = await ada.rest.pulls.list({ ...repo, head: "ada:exp", state: "open" });
    expect(listed.data.map(({ number }) => number)).toEqual([pull_number]);
    expect((await ada.rest.pulls.list({ ...repo, head: "ada:nothing" })).data).toEqual([]);
    await ada.rest.pulls.update({ ...repo, pull_number, title: "Tried" });
    expect((await ada.rest.pulls.get({ ...repo, pull_number })).data.title).toBe("Tried");
    const { data: files } = await ada.rest.pulls.listFiles({ ...repo, pull_number });
    expect(files.map(({ filename, status }) => [filename, status])).toEqual([
      ["src/a.txt", "modified"],
      ["src/new file.txt", "added"],
    ]);
    expect(files[0]?.patch).toBe("@@ -1 +1 @@\n-a\n+b");
    const { data: commits } = await ada.rest.pulls.listCommits({ ...repo, pull_number });
    expect(commits.map(({ sha }) => sha)).toEqual([head]);
    const { data: of } = await ada.rest.repos.listPullRequestsAssociatedWithCommit({ ...repo, commit_sha: head });
    expect(of.map(({ number }) => number)).toEqual([pull_number]);
    expect((await refused(ada.rest.pulls.checkIfMerged({ ...repo, pull_number }))).status).toBe(404);
    const { data: merged } = await ada.rest.pulls.merge({ ...repo, pull_number, sha: head });
    expect((await ada.rest.pulls.checkIfMerged({ ...repo, pull_number })).status).toBe(204);
    const { data: after } = await ada.rest.pulls.get({ ...repo, pull_number });
    expect(after).toMatchObject({ merged: true, state: "closed", merge_commit_sha: merged.sha });
    const { data: commit } = await ada.rest.repos.getCommit({ ...repo, ref: merged.sha });
    expect(commit.parents.map(({ sha }) => sha)).toContain(head);
    expect(commit.commit.message).toBe(`Merge pull request #${pull_number} from ada/exp\n\nTried`);
  });

  it("issues, comments and labels", async () => {
    const issue_number = issueNumber;
    const { data: open } = await ada.rest.issues.listForRepo({ ...repo, labels: "drift", creator: "ada" });
    expect(open.map(({ number }) => number)).toEqual([issue_number]);
    const { data: comment } = await ada.rest.issues.createComment({ ...repo, issue_number, body: "hi" });
    await ada.rest.issues.updateComment({ ...repo, comment_id: comment.id, body: "ho" });
    expect((await ada.rest.issues.getComment({ ...repo, comment_id: comment.id })).data.body).toBe("ho");
    expect((await ada.rest.issues.listComments({ ...repo, issue_number })).data).toHaveLength(1);
    expect((await ada.rest.issues.get({ ...repo, issue_number })).data.comments).toBe(1);
    await ada.rest.issues.deleteComment({ ...repo, comment_id: comment.id });
    expect((await ada.rest.issues.listComments({ ...repo, issue_number })).data).toEqual([]);
    await ada.rest.issues.createLabel({ ...repo, name: "re/train", color: "ff0000", description: "d" });
    await ada.rest.issues.addLabels({ ...repo, issue_number, labels: ["re/train"] });
    const { data: labels } = await ada.rest.issues.listLabelsOnIssue({ ...repo, issue_number });
    expect(labels.map(({ name }) => name)).toEqual(["drift", "re/train"]);
    expect((await ada.rest.issues.getLabel({ ...repo, name: "re/train" })).data.color).toBe("ff0000");
    await ada.rest.issues.removeLabel({ ...repo, issue_number, name: "re/train" });
    expect((await ada.rest.issues.listLabelsForRepo(repo)).data).toHaveLength(2);
    const closed = await ada.rest.issues.update({ ...repo, issue_number, state: "closed", state_reason: "completed" });
    expect(closed.data).toMatchObject({ state: "closed", state_reason: "completed", closed_by: { login: "ada" } });
    expect((await ada.rest.issues.listForRepo({ ...repo, labels: "drift" })).data).toEqual([]);
  });

  it("checks and statuses", async () => {
    const { data: check } = await ada.rest.checks.create({
      ...repo,
      name: "gate",
      head_sha: head,
      status: "in_progress",
      output: { title: "Judging", summary: "soon" },
    });
    const { data: done } = await ada.rest.checks.update({
      ...repo,
      check_run_id: check.id,
      conclusion: "failure",
      output: {
        title: "Worse",
        summary: "by much",
        annotations: [{ path: "src/a.txt", start_line: 1, end_line: 1, annotation_level: "failure", message: "here" }],
      },
    });
    expect(done).toMatchObject({ status: "completed", conclusion: "failure", output: { annotations_count: 1 } });
    const { data: listed } = await ada.rest.checks.listForRef({ ...repo, ref: "exp", check_name: "gate" });
    expect(listed.check_runs.map(({ id }) => id)).toEqual([check.id]);
    const { data: annotations } = await ada.rest.checks.listAnnotations({ ...repo, check_run_id: check.id });
    expect(annotations[0]?.message).toBe("here");
    expect((await ada.rest.checks.get({ ...repo, check_run_id: check.id })).data.name).toBe("gate");
    for (const state of ["pending", "success"] as const) {
      await ada.rest.repos.createCommitStatus({ ...repo, sha: head, state, context: "lockstep", description: "d" });
    }
    const { data: combined } = await ada.rest.repos.getCombinedStatusForRef({ ...repo, ref: "exp" });
    expect(combined).toMatchObject({ state: "success", total_count: 1, sha: head });
    expect((await ada.rest.repos.listCommitStatusesForRef({ ...repo, ref: "exp" })).data).toHaveLength(2);
  });

  it("releases and their assets", async () => {
    const { data: release } = await ada.rest.repos.createRelease({
      ...repo,
      tag_name: "digits-v1",
      target_commitish: head,
      name: "digits 1",
      body: "card",
      draft: true,
    });
    const small = "small model";
    const large = "x".repeat(100_000);
    const assets: number[] = [];
    for (const [name, data] of Object.entries({ "small.onnx": small, "large.onnx": large })) {
      const { data: asset } = await ada.request({
        method: "POST",
        url: release.upload_url,
        name,
        data,
        headers: { "content-type": "application/octet-stream" },
      });
      const digest = `sha256:${createHash("sha256").update(data).digest("hex")}`;
      expect(asset).toMatchObject({ name, size: data.length, digest, state: "uploaded" });
      assets.push((asset as { id: number }).id);
    }
    expect((await refused(ada.rest.repos.getReleaseByTag({ ...repo, tag: "digits-v1" }))).status).toBe(404);
    await ada.rest.repos.updateRelease({ ...repo, release_id: release.id, draft: false });
    expect((await ada.rest.repos.getReleaseByTag({ ...repo, tag: "digits-v1" })).data.assets).toHaveLength(2);
    expect((await ada.rest.git.getRef({ ...repo, ref: "tags/digits-v1" })).data.object.sha).toBe(head);
    expect((await ada.rest.repos.listReleases(repo)).data).toHaveLength(1);
    expect((await ada.rest.repos.getLatestRelease(repo)).data.id).toBe(release.id);
    expect((await ada.rest.repos.getRelease({ ...repo, release_id: release.id })).data.name).toBe("digits 1");
    expect((await ada.rest.repos.listReleaseAssets({ ...repo, release_id: release.id })).data).toHaveLength(2);
    // The small one comes at once, the large one by a redirect: a client has to take both.
    for (const [index, text] of [small, large].entries()) {
      const { data } = await ada.rest.repos.getReleaseAsset({
        ...repo,
        asset_id: assets[index]!,
        headers: { accept: "application/octet-stream" },
      });
      expect(Buffer.from(data as unknown as ArrayBuffer).toString()).toBe(text);
    }
    const [first = 0] = assets;
    const { data: renamed } = await ada.rest.repos.updateReleaseAsset({ ...repo, asset_id: first, name: "tiny.onnx" });
    expect((await fetch(renamed.browser_download_url)).status).toBe(200);
    await ada.rest.repos.deleteReleaseAsset({ ...repo, asset_id: first });
    expect((await refused(ada.rest.repos.getReleaseAsset({ ...repo, asset_id: first }))).status).toBe(404);
    await ada.rest.repos.deleteRelease({ ...repo, release_id: release.id });
    expect((await ada.rest.repos.listReleases(repo)).data).toEqual([]);
  });

  it("git objects and refs", async () => {
    const { data: blob } = await ada.rest.git.createBlob({ ...repo, content: "aGVsbG8=", encoding: "base64" });
    const { data: read } = await ada.rest.git.getBlob({ ...repo, file_sha: blob.sha });
    expect(Buffer.from(read.content, "base64").toString()).toBe("hello");
    const { data: base } = await ada.rest.git.getCommit({ ...repo, commit_sha: head });
    const { data: tree } = await ada.rest.git.createTree({
      ...repo,
      base_tree: base.tree.sha,
      tree: [
        { path: "x/y.txt", mode: "100644", type: "blob", sha: blob.sha },
        { path: "x/z.sh", mode: "100755", type: "blob", content: "#!/bin/sh\n" },
        { path: "README.md", mode: "100644", type: "blob", sha: null },
      ],
    });
    const { data: all } = await ada.rest.git.getTree({ ...repo, tree_sha: tree.sha, recursive: "1" });
    expect(all.tree.filter(({ type }) => type === "blob").map(({ path, mode }) => [path, mode])).toEqual([
      ["src/a.txt", "100644"],
      ["src/new file.txt", "100644"],
      ["x/y.txt", "100644"],
      ["x/z.sh", "100755"],
    ]);
    const author = { name: "Bot", email: "bot@example.com", date: "2026-01-02T03:04:05Z" };
    const { data: commit } = await ada.rest.git.createCommit({
      ...repo,
      message: "by the API",
      tree: tree.sha,
      parents: [head],
      author,
    });
    expect(commit.author).toEqual(author);
    await ada.rest.git.createRef({ ...repo, ref: "refs/heads/by/api", sha: head });
    await ada.rest.git.updateRef({ ...repo, ref: "heads/by/api", sha: commit.sha });
    expect((await ada.rest.git.getRef({ ...repo, ref: "heads/by/api" })).data.object.sha).toBe(commit.sha);
    const { data: matching } = await ada.rest.git.listMatchingRefs({ ...repo, ref: "heads/by" });
    expect(matching.map(({ ref }) => ref)).toEqual(["refs/heads/by/api"]);
    await rig.git("-C", rig.work, "fetch", "--quiet", "origin", "by/api");
    expect(await rig.git("-C", rig.work, "show", "FETCH_HEAD:x/y.txt")).toBe("hello");
    await ada.rest.git.deleteRef({ ...repo, ref: "heads/by/api" });
    expect((await refused(ada.rest.git.getRef({ ...repo, ref: "heads/by/api" }))).status).toBe(404);
  });

  it("contents, branches, commits, comparisons", async () => {
    const { data: file } = await ada.rest.repos.getContent({ ...repo, path: "src/a.txt", ref: "other" });
    if (!("content" in file)) throw new Error("not a file");
    expect(Buffer.from(file.content, "base64").toString()).toBe("a\n");
    const { data: folder } = await ada.rest.repos.getContent({ ...repo, path: "", ref: "other" });
    expect((folder as { name: string }[]).map(({ name }) => name)).toEqual(["README.md", "src"]);
    const content = Buffer.from("more\n").toString("base64");
    const { data: put } = await ada.rest.repos.createOrUpdateFileContents({
      ...repo,
      path: "docs/x.md",
      message: "write",
      content,
      branch: "other",
    });
    const { data: branch } = await ada.rest.repos.getBranch({ ...repo, branch: "other" });
    expect(branch.commit.sha).toBe(put.commit.sha);
    expect((await ada.rest.repos.listBranches(repo)).data.map(({ name }) => name)).toContain("other");
    const { data: compared } = await ada.rest.repos.compareCommitsWithBasehead({ ...repo, basehead: "exp...other" });
    expect(compared).toMatchObject({ status: "diverged", ahead_by: 2, behind_by: 1 });
    expect(compared.files?.map(({ filename }) => filename)).toEqual(["docs/x.md", "src/other.txt"]);
    const { data: commits } = await ada.rest.repos.listCommits({ ...repo, sha: "other", path: "docs/x.md" });
    expect(commits.map(({ sha }) => sha)).toEqual([put.commit.sha]);
  });

  it("deployments, variables, dispatches, lists of Actions", async () => {
    const deploy = async (): Promise<number> => {
      const options = { ref: "main", environment: "staging", required_contexts: [], auto_merge: false };
      const { data } = await ada.rest.repos.createDeployment({ ...repo, ...options, payload: { version: 1 } });
      if (!("id" in data)) throw new Error("not deployed");
      const environment_url = "http://127.0.0.1:1/";
      await ada.rest.repos.createDeploymentStatus({
        ...repo,
        deployment_id: data.id,
        state: "success",
        environment_url,
      });
      return data.id;
    };
    const first = await deploy();
    const second = await deploy();
    const { data: deployments } = await ada.rest.repos.listDeployments({ ...repo, environment: "staging" });
    expect(deployments.map(({ id }) => id)).toEqual([second, first]);
    expect((await ada.rest.repos.getDeployment({ ...repo, deployment_id: first })).data.payload).toEqual({
      version: 1,
    });
    const { data: statuses } = await ada.rest.repos.listDeploymentStatuses({ ...repo, deployment_id: first });
    expect(statuses.map(({ state }) => state)).toEqual(["inactive", "success"]);

    await ada.rest.actions.createRepoVariable({ ...repo, name: "STORE", value: "x" });
    await ada.rest.actions.updateRepoVariable({ ...repo, name: "STORE", value: "y" });
    expect((await ada.rest.actions.getRepoVariable({ ...repo, name: "STORE" })).data.value).toBe("y");
    expect((await ada.rest.actions.listRepoVariables(repo)).data.total_count).toBe(1);
    await ada.rest.actions.deleteRepoVariable({ ...repo, name: "STORE" });

    await ada.rest.repos.createDispatchEvent({ ...repo, event_type: "wake", client_payload: { why: "test" } });
    const event = rig.events.find(({ name }) => name === "repository_dispatch");
    expect(event).toMatchObject({
      action: "wake",
      payload: { client_payload: { why: "test" } },
      ref: "refs/heads/main",
    });

    const settings = { ...repo, can_approve_pull_request_reviews: true };
    await ada.rest.actions.setGithubActionsDefaultWorkflowPermissionsRepository(settings);
    const { data } = await ada.rest.actions.getGithubActionsDefaultWorkflowPermissionsRepository(repo);
    expect(data.can_approve_pull_request_reviews).toBe(true);
    expect((await ada.rest.actions.listWorkflowRunsForRepo(repo)).data.total_count).toBe(0);
    expect((await ada.rest.actions.listArtifactsForRepo(repo)).data.total_count).toBe(0);
    expect((await ada.rest.actions.listRepoWorkflows(repo)).data.total_count).toBe(0);
    expect((await ada.rest.actions.getActionsCacheList(repo)).data.total_count).toBe(0);
  });
});
