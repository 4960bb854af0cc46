import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { spawn } from "../../../src/core/index.ts";
import { startSandbox, type Sandbox } from "../../../src/sandbox/index.ts";
import type { WorkflowRun } from "../../../src/sandbox/world.ts";
import { jobNamed, logOf } from "./rig.ts";

/* Jobs against the whole sandbox: git over HTTP, REST and the results service, with GitHub's own clients. */

const folder = mkdtempSync(join(tmpdir(), "lockstep-loop-"));
const work = join(folder, "work");
let sandbox: Sandbox;

async function git(...args: string[]): Promise<string> {
  mkdirSync(work, { recursive: true });
  const who = {
    GIT_AUTHOR_NAME: "Ada",
    GIT_AUTHOR_EMAIL: "ada@example.com",
    GIT_COMMITTER_NAME: "Ada",
    GIT_COMMITTER_EMAIL: "ada@example.com",
  };
  const env = { ...process.env, ...who, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" };
  const result = await spawn("git", args, { cwd: work, env });
  if (result.exitCode !== 0) throw new Error(`git ${args.join(" ")}: ${result.stderr}`);
  return result.stdout.toString().trim();
}

async function commit(files: Readonly<Record<string, string>>): Promise<string> {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(work, path)), { recursive: true });
    writeFileSync(join(work, path), text);
  }
  await git("add", "-A");
  await git("commit", "--quiet", "--allow-empty", "-m", "change");
  return git("rev-parse", "HEAD");
}

beforeAll(async () => {
  sandbox = await startSandbox({
    dir: join(folder, "world"),
    actionsDir: folder,
    runnerDir: join(folder, "runner"),
    now: new Date("2026-03-02T10:00:00Z"),
  });
  await sandbox.createRepository({ owner: "ada", name: "digits" });
  await git("init", "--quiet", "-b", "main");
  await git("remote", "add", "origin", sandbox.cloneUrl("ada/digits", "ada"));
});

afterAll(async () => {
  await sandbox.close();
  rmSync(folder, { recursive: true, force: true });
});

const repository = () => {
  const found = sandbox.world.repositories.get("ada/digits");
  if (found === undefined) throw new Error("no repository");
  return found;
};

let seen = 0;
async function runs(): Promise<WorkflowRun[]> {
  await sandbox.executor?.idle();
  const fresh = repository().runs.slice(seen);
  seen = repository().runs.length;
  return fresh;
}

test("checkout, artifacts and cache between jobs; the token does what it was given and no more", async () => {
  await commit({
    "data/a.txt": "a",
    "data/.hidden": "h",
    ".github/workflows/main.yml": `
name: Main
on: push
permissions: {}
jobs:
  make:
    runs-on: x
    permissions: {contents: read}
    outputs: {id: "\${{ steps.up.outputs.artifact-id }}"}
    steps:
      - {uses: actions/checkout@v7, with: {persist-credentials: false}}
      - {uses: actions/setup-node@v6, with: {node-version: 24}}
      - run: |
          test -f data/a.txt && node --version
          git log --oneline | wc -l
          git config --get-regexp extraheader || echo "no credentials"
          mkdir -p cached out && echo fast > cached/file && echo made > out/made.txt
      - {id: up, uses: actions/upload-artifact@v7, with: {name: result, path: "out\\ndata/*"}}
      - {uses: actions/cache@v5, with: {path: cached, key: "k-\${{ hashFiles('data/*') }}"}}
      - run: |
          curl -s -o /dev/null -w '%{http_code}' -H "Authorization: token \${{ github.token }}" -d '{"title":"x"}' $GITHUB_API_URL/repos/ada/digits/issues
  use:
    needs: make
    runs-on: x
    permissions: {contents: write}
    steps:
      - {uses: actions/checkout@v7, with: {fetch-depth: 0}}
      - {id: down, uses: actions/download-artifact@v8, with: {name: result, path: got}}
      - {id: cache, uses: actions/cache@v5, with: {path: cached, key: "k-\${{ hashFiles('data/*') }}"}}
      - run: |
          cat got/out/made.txt got/data/a.txt cached/file; ls -A got/data
          echo "hit \${{ steps.cache.outputs.cache-hit }} number \${{ needs.make.outputs.id }}"
          git -c user.name=bot -c user.email=bot@example.com commit --allow-empty -q -m "by the job"
          git push -q origin HEAD:refs/heads/bot && echo pushed
`,
  });
  await git("push", "--quiet", "origin", "main");
  const started = await runs();
  expect(started.map(({ name, event }) => `${name} ${event}`)).toEqual(["Main push"]);
  const [run] = started as [WorkflowRun];
  const make = logOf(jobNamed(run, "make"));
  expect(run.conclusion, make + logOf(run.jobs[1])).toBe("success");
  expect(make).toContain("\nv24.");
  expect(make).toContain("\nno credentials\n");
  expect(make).toContain("\n403\n");
  const use = logOf(jobNamed(run, "use"));
  expect(use).toContain("made\nafast\na.txt\n");
  expect(use).toMatch(/\nhit true number \d+\n/);
  expect(use).toContain("\npushed\n");
  expect(jobNamed(run, "use").steps.map(({ name }) => name)).toContain("Post Run actions/checkout@v7");
});

test("a push without the right fails; a pull request runs at its merge commit and its report on the default branch", async () => {
  await git("checkout", "--quiet", "main");
  await commit({
    ".github/workflows/main.yml": "on: workflow_dispatch\njobs: {a: {runs-on: x, steps: [{run: echo}]}}",
    ".github/workflows/try.yml": `
name: Try
on: pull_request
permissions: {contents: read}
jobs:
  try:
    runs-on: x
    steps:
      - uses: actions/checkout@v7
      - run: |
          git rev-list --parents -n 1 HEAD
          ls
      - {continue-on-error: true, run: "git push -q origin HEAD:refs/heads/nope 2>&1"}
`,
    ".github/workflows/report.yml": `
name: Report
on: {workflow_run: {workflows: [Try], types: [completed]}}
permissions: {contents: read, actions: read}
jobs:
  report:
    runs-on: x
    steps:
      - uses: actions/checkout@v7
      - run: git rev-parse HEAD; ls; echo "for \${{ github.event.workflow_run.head_sha }}"
`,
  });
  await git("push", "--quiet", "origin", "main");
  const main = await git("rev-parse", "HEAD");
  await git("checkout", "--quiet", "-b", "try");
  const head = await commit({ "new.txt": "new" });
  await git("push", "--quiet", "origin", "try");
  await runs();
  const opened = await fetch(`${sandbox.apiUrl}/repos/ada/digits/pulls`, {
    method: "POST",
    headers: { authorization: `token ${sandbox.token("ada")}` },
    body: JSON.stringify({ title: "Try", head: "try", base: "main" }),
  });
  expect(opened.status).toBe(201);
  const [tried, reported] = (await runs()) as [WorkflowRun, WorkflowRun];
  const log = logOf(tried.jobs[0]);
  expect(log).toContain("new.txt");
  expect(log).toMatch(/\nfatal: .*(403|denied)/iu);
  expect([tried.headSha, tried.sha === head]).toEqual([head, false]);
  expect(await git("ls-remote", "origin", "refs/heads/nope")).toBe("");
  const report = logOf(reported.jobs[0]);
  expect(report).toContain(`\n${main}\n`);
  expect(report).not.toContain("new.txt");
  expect(report).toContain(`\nfor ${head}\n`);
});

test("a fork's pull request waits, then runs without secrets and rights; what follows it may not check it out", async () => {
  repository().secrets["KEY"] = "valuable";
  await git("checkout", "--quiet", "main");
  await commit({
    ".github/workflows/report.yml": `
name: Report
on: {workflow_run: {workflows: [Try], types: [completed]}}
jobs:
  report:
    runs-on: x
    steps: [{uses: actions/checkout@v7, with: {ref: "\${{ github.event.workflow_run.head_sha }}"}}]
`,
    ".github/workflows/try.yml": `
name: Try
on: pull_request
permissions: write-all
jobs:
  try:
    runs-on: x
    steps:
      - uses: actions/checkout@v7
      - run: cat fork.txt && echo "secret <\${{ secrets.KEY }}>"
      - run: |
          curl -s -o /dev/null -w '%{http_code}' -H "Authorization: token \${{ github.token }}" -d '{"title":"x"}' $GITHUB_API_URL/repos/ada/digits/issues
`,
  });
  await git("push", "--quiet", "origin", "main");
  await runs();
  await sandbox.fork("ada/digits", "eve");
  await git("checkout", "--quiet", "-b", "idea");
  await commit({ "fork.txt": "from the fork" });
  await git("push", "--quiet", sandbox.cloneUrl("eve/digits", "eve"), "idea");
  const api = async (login: string, path: string, body: unknown): Promise<Response> =>
    fetch(`${sandbox.apiUrl}/repos/ada/digits/${path}`, {
      method: "POST",
      headers: { authorization: `token ${sandbox.token(login)}` },
      body: JSON.stringify(body),
    });
  expect((await api("eve", "pulls", { title: "Idea", head: "eve:idea", base: "main" })).status).toBe(201);
  const [waiting] = (await runs()) as [WorkflowRun];
  expect([waiting.status, waiting.pullRequests]).toEqual(["action_required", []]);
  expect((await api("ada", `actions/runs/${waiting.id}/approve`, {})).status).toBe(201);
  const [reported] = (await runs()) as [WorkflowRun];
  const log = logOf(waiting.jobs[0]);
  expect(waiting.conclusion, log).toBe("success");
  expect(log).toContain("from the forksecret <>\n");
  expect(log).toContain("\n403\n");
  expect(reported.event).toBe("workflow_run");
  expect(logOf(reported.jobs[0])).toContain("Refusing to check out the code of a fork's pull request");
});

test("the workspace of a runner is made afresh for each job", () => {
  expect(existsSync(join(folder, "runner/1/_work/digits/digits"))).toBe(true);
  expect(existsSync(join(folder, "runner/1/_work/digits/digits/got"))).toBe(false);
});
