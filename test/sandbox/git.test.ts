import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Rig, type Octokit } from "./rig.ts";

const repo = { owner: "ada", repo: "digits" };

describe("git over HTTP", () => {
  let rig: Rig;
  let ada: Octokit;
  let first: string;

  beforeAll(async () => {
    rig = await Rig.start();
    ada = rig.octokit("ada");
    first = await rig.push("main", { "a.txt": "one\n", "b.txt": "b\n" });
  });
  afterAll(async () => rig[Symbol.asyncDispose]());

  const url = (credentials: string, name = "ada/digits"): string =>
    `http://${credentials}@${new URL(rig.sandbox.url).host}/${name}.git`;
  const events = (name: string) => rig.events.filter((event) => event.name === name);
  const refusal = async (promise: Promise<unknown>): Promise<string> =>
    promise.then(
      () => "was accepted",
      (error: unknown) => String(error),
    );

  it("tells of a push: its commits, its paths", async () => {
    expect(rig.events[0]).toMatchObject({
      name: "push",
      ref: "refs/heads/main",
      sha: first,
      actor: "ada",
      byJobToken: false,
      changedPaths: ["a.txt", "b.txt"],
      payload: { created: true, before: "0".repeat(40), after: first },
    });
    const second = await rig.push("main", { "a.txt": "two\n", "c.txt": "c\n" });
    expect(rig.events.at(-1)).toMatchObject({
      name: "push",
      changedPaths: ["a.txt", "c.txt"],
      payload: {
        before: first,
        after: second,
        forced: false,
        commits: [{ id: second, added: ["c.txt"], modified: ["a.txt"], removed: [] }],
        pusher: { name: "ada" },
      },
    });
  });

  it("gives an anonymous reader what is public, and nobody else a way to write", async () => {
    const anonymous = `${rig.sandbox.url}/ada/digits.git`;
    expect(await rig.git("ls-remote", anonymous, "refs/heads/main")).toContain("refs/heads/main");
    const push = async (remote: string) => refusal(rig.git("-C", rig.work, "push", remote, "HEAD:refs/heads/sneaky"));
    expect(await push(anonymous)).toContain("could not read Username");
    expect(await push(url(`carol:${rig.sandbox.token("carol")}`))).toContain("403");
    expect(await push(url("x-access-token:wrong"))).toContain("Authentication failed");
    expect(await push(url(`x-access-token:${rig.jobToken({ contents: "read" })}`))).toContain("403");
    expect(await push(url(`bob:${rig.sandbox.token("bob")}`))).toBe("was accepted");
  });

  it("hides what is private", async () => {
    await rig.sandbox.createRepository({ owner: "ada", name: "secret", private: true });
    const remote = (credentials: string): string => url(credentials, "ada/secret");
    expect(await refusal(rig.git("ls-remote", `${rig.sandbox.url}/ada/secret.git`))).toContain(
      "could not read Username",
    );
    expect(await refusal(rig.git("ls-remote", remote(`carol:${rig.sandbox.token("carol")}`)))).toContain("not found");
    expect(await rig.git("ls-remote", remote(`ada:${rig.sandbox.token("ada")}`))).toBe("");
  });

  it("takes a job's token from an extra header, as a checkout leaves it, and marks what it pushes", async () => {
    const token = rig.jobToken({ contents: "write" });
    const header = `http.extraheader=AUTHORIZATION: basic ${Buffer.from(`x-access-token:${token}`).toString("base64")}`;
    const remote = `${rig.sandbox.url}/ada/digits.git`;
    await rig.git("-C", rig.work, "-c", header, "push", "--quiet", remote, "HEAD:refs/heads/by-job");
    expect(rig.events.at(-1)).toMatchObject({
      ref: "refs/heads/by-job",
      actor: "github-actions[bot]",
      byJobToken: true,
    });
  });

  it("takes no changed workflow file from a job's token", async () => {
    const token = rig.jobToken({ contents: "write" });
    await rig.push("wf", { ".github/workflows/x.yml": "on: push\n" }, "main");
    await rig.git("-C", rig.work, "commit", "--quiet", "--allow-empty", "--message", "nothing new");
    const remote = url(`x-access-token:${token}`);
    // The file is in the repository already: what is pushed changes nothing about it.
    await rig.git("-C", rig.work, "push", "--quiet", remote, "HEAD:refs/heads/wf2");
    await rig.git("-C", rig.work, "rm", "--quiet", ".github/workflows/x.yml");
    await rig.git("-C", rig.work, "commit", "--quiet", "--message", "take it out");
    const refused = await refusal(rig.git("-C", rig.work, "push", remote, "HEAD:refs/heads/wf3"));
    expect(refused).toContain("without `workflows` permission");
    await rig.git("-C", rig.work, "checkout", "--quiet", "main");
  });

  it("keeps the test merge of a pull request, and lets it follow its branches", async () => {
    const head = await rig.push("exp", { "a.txt": "three\n" }, "main");
    const { data: pull } = await ada.rest.pulls.create({ ...repo, head: "exp", base: "main", title: "t" });
    const refs = async (): Promise<string[]> =>
      (await rig.git("ls-remote", `${rig.sandbox.url}/ada/digits.git`, `refs/pull/${pull.number}/*`)).split("\n");
    expect(await refs()).toEqual([
      `${head}\trefs/pull/${pull.number}/head`,
      `${pull.merge_commit_sha}\trefs/pull/${pull.number}/merge`,
    ]);
    expect(events("pull_request").at(-1)).toMatchObject({
      action: "opened",
      ref: `refs/pull/${pull.number}/merge`,
      sha: pull.merge_commit_sha,
      headSha: head,
      pullRequests: [pull.number],
      changedPaths: ["a.txt"],
    });
    const newHead = await rig.push("exp", { "a.txt": "four\n" });
    const { data: moved } = await ada.rest.pulls.get({ ...repo, pull_number: pull.number });
    expect(moved.head.sha).toBe(newHead);
    expect(events("pull_request").at(-1)).toMatchObject({
      action: "synchronize",
      headSha: newHead,
      sha: moved.merge_commit_sha,
      payload: { before: head, after: newHead },
    });
    await rig.git("-C", rig.work, "fetch", "--quiet", "origin", `refs/pull/${pull.number}/merge`);
    const parents = await rig.git("-C", rig.work, "log", "-1", "--format=%P", "FETCH_HEAD");
    const main = await rig.git("-C", rig.work, "rev-parse", "origin/main");
    expect(parents).toBe(`${main} ${newHead}`);
  });

  it("knows a conflict, starts nothing for it, and knows when it is gone", async () => {
    await rig.push("clash", { "b.txt": "mine\n" }, "main");
    const { data: pull } = await ada.rest.pulls.create({ ...repo, head: "clash", base: "main", title: "t" });
    await rig.git("-C", rig.work, "checkout", "--quiet", "main");
    await rig.push("main", { "b.txt": "theirs\n" });
    const get = async () => (await ada.rest.pulls.get({ ...repo, pull_number: pull.number })).data;
    expect(await get()).toMatchObject({ mergeable: false, mergeable_state: "dirty", merge_commit_sha: null });
    const before = events("pull_request").length;
    await rig.git("-C", rig.work, "checkout", "--quiet", "clash");
    await rig.push("clash", { "b.txt": "mine again\n" });
    expect(events("pull_request")).toHaveLength(before);
    const merge = ada.rest.pulls.merge({ ...repo, pull_number: pull.number });
    expect(await refusal(merge)).toContain("Pull Request is not mergeable");
    await rig.push("clash", { "b.txt": "theirs\n", "mine.txt": "mine\n" });
    await rig.git("-C", rig.work, "checkout", "--quiet", "main");
    await rig.git("-C", rig.work, "merge", "--quiet", "-X", "ours", "--no-edit", "clash");
    await rig.git("-C", rig.work, "push", "--quiet", "origin", "HEAD:clash");
    expect(await get()).toMatchObject({ mergeable: true });
    expect(events("pull_request").at(-1)).toMatchObject({ action: "synchronize" });
  });

  it("marks a pull request merged when its head reaches the base by git, and closed when its branch goes", async () => {
    const { data: open } = await ada.rest.pulls.list({ ...repo, head: "ada:clash" });
    const [merged] = open;
    await rig.git("-C", rig.work, "push", "--quiet", "origin", "clash:exp-gone", "HEAD:main");
    const { data } = await ada.rest.pulls.get({ ...repo, pull_number: merged?.number ?? 0 });
    expect(data).toMatchObject({ state: "closed", merged: true, merged_by: { login: "ada" } });

    await rig.push("gone", { "gone.txt": "x\n" }, "main");
    const { data: pull } = await ada.rest.pulls.create({ ...repo, head: "gone", base: "main", title: "t" });
    const pushes = events("push").length;
    await rig.git("-C", rig.work, "push", "--quiet", "origin", ":gone");
    expect((await ada.rest.pulls.get({ ...repo, pull_number: pull.number })).data).toMatchObject({
      state: "closed",
      merged: false,
    });
    expect(events("push")).toHaveLength(pushes);
    expect(events("pull_request").at(-1)).toMatchObject({ action: "closed" });
  });

  it("takes a pull request from a fork, by someone without a role", async () => {
    await rig.sandbox.fork("ada/digits", "carol");
    const fork = `${rig.folder}/fork`;
    await rig.git("clone", "--quiet", rig.sandbox.cloneUrl("carol/digits", "carol"), fork);
    await rig.git("-C", fork, "commit", "--quiet", "--allow-empty", "--message", "outside");
    await rig.git("-C", fork, "push", "--quiet", "origin", "HEAD:refs/heads/main");
    const head = await rig.git("-C", fork, "rev-parse", "HEAD");
    const carol = rig.octokit("carol");
    const { data: pull } = await carol.rest.pulls.create({ ...repo, head: "carol:main", base: "main", title: "hi" });
    expect(pull).toMatchObject({ head: { sha: head, label: "carol:main", repo: { full_name: "carol/digits" } } });
    expect(events("pull_request").at(-1)).toMatchObject({
      action: "opened",
      headRepository: "carol/digits",
      pullRequests: [],
      actor: "carol",
    });
    // Its commit can be fetched from the repository that it is proposed to, by its id.
    await rig.git("-C", rig.work, "fetch", "--quiet", "origin", head);
    await rig.git("-C", fork, "commit", "--quiet", "--allow-empty", "--message", "more");
    await rig.git("-C", fork, "push", "--quiet", "origin", "HEAD:refs/heads/main");
    expect(events("pull_request").at(-1)).toMatchObject({ action: "synchronize", repository: "ada/digits" });
  });

  it("serves a shallow clone", async () => {
    const shallow = `${rig.folder}/shallow`;
    await rig.git("clone", "--quiet", "--depth=1", `${rig.sandbox.url}/ada/digits.git`, shallow);
    expect(await rig.git("-C", shallow, "rev-list", "--count", "HEAD")).toBe("1");
  });

  it("lets only one of two pushes win that start from the same head", async () => {
    const outcomes = await Promise.all(
      ["left", "right"].map(async (name) => {
        const clone = `${rig.folder}/${name}`;
        await rig.git("clone", "--quiet", rig.sandbox.cloneUrl("ada/digits", "ada"), clone);
        await rig.git("-C", clone, "commit", "--quiet", "--allow-empty", "--message", name);
        return async () => refusal(rig.git("-C", clone, "push", "--quiet", "origin", "HEAD:main"));
      }),
    );
    const results = await Promise.all(outcomes.map(async (push) => push()));
    expect(results.filter((result) => result === "was accepted")).toHaveLength(1);
  });
});
