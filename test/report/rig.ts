import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ResultDocument } from "../../src/config/index.ts";
import { spawn } from "../../src/core/index.ts";
import type { Context, Result } from "../../src/core/index.ts";
import { connect } from "../../src/github/index.ts";
import type { GitHub } from "../../src/github/index.ts";
import { experiment } from "../../src/pipeline/index.ts";
import { publishProgress, publishReport, watchProgress } from "../../src/report/index.ts";
import type { Published, PublishOptions, WatchOptions, WorkflowRun as ReportedRun } from "../../src/report/index.ts";
import { startSandbox } from "../../src/sandbox/index.ts";
import type { Repository, Sandbox, SandboxOptions, WorkflowRun } from "../../src/sandbox/index.ts";
import { contextIn, temporary, write } from "../git/repository.ts";
import { value } from "../helpers/value.ts";
import { zip } from "./zip.ts";

/** Of 200 examples the first `model.wrong` are predicted wrong; the scores say how sure the model is. */
const MAKE = `
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
const number = (key) => Number(new RegExp(key + ": ([\\\\d.]+)").exec(readFileSync("params.yaml", "utf8"))[1]);
const [wrong, sure] = [number("wrong"), number("sure")];
mkdirSync("build", { recursive: true });
writeFileSync("build/model.bin", "weights " + wrong + " " + sure);
const rows = Array.from({ length: 200 }, (_, i) => {
  const guess = i < wrong ? 1 - (i % 2) : i % 2;
  return ["e" + i, i % 2, guess, guess === 1 ? sure : 1 - sure].join(",");
});
if (wrong > 200) throw new Error("more wrong than examples");
writeFileSync("build/predictions.csv", "id,label,prediction,score\\n" + rows.join("\\n") + "\\n");
writeFileSync("build/metrics.json", JSON.stringify({ train: { loss: wrong / 100 }, epochs: 3 }));
`;

export const PIPELINE = `version: 1
stages:
  prepare:
    cmd: mkdir -p build && cp src/rows.txt build/rows.txt
    deps: [src/rows.txt]
    outs: [build/rows.txt]
  train:
    cmd: node src/make.mjs
    deps: [src/make.mjs, build/rows.txt]
    params: [model]
    outs: [build/model.bin]
    metrics: [build/metrics.json]
    predictions: build/predictions.csv
plots:
  - answers: { template: confusion, x: label, y: { build/predictions.csv: prediction } }
`;

export const MODEL = `version: 1
pipeline: toy
files: {model.bin: build/model.bin}
evaluation:
  predictions: build/predictions.csv
  task: binary
  columns: {id: id, label: label, prediction: prediction, score: score}
  metrics: [accuracy, roc_auc, log_loss]
gates:
  - {metric: accuracy, min: 0.8}
  - {metric: accuracy, max_regression: 0.05}
  - {metric: accuracy, max_regression: 0.02, against: production}
  - {file: model.bin, max_size: 1kB}
`;

export const FILES: Readonly<Record<string, string>> = {
  ".gitignore": ".lockstep/\nbuild/\n",
  ".github/workflows/lockstep-experiment.yml": readFileSync(
    join(import.meta.dirname, "..", "..", ".github", "workflows", "lockstep-experiment.yml"),
    "utf8",
  ),
  "params.yaml": "model:\n  wrong: 20\n  sure: 0.8\n",
  "src/make.mjs": MAKE,
  "src/rows.txt": "rows\n",
  "pipelines/toy.yaml": PIPELINE,
  "models/toy/model.yaml": MODEL,
};

/** git, while this process goes on to answer it: the sandbox is served from here. */
export async function sh(cwd: string, ...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await spawn("git", args, { cwd, env: contextIn(cwd).env });
  if (exitCode !== 0) throw new Error(`git ${args.join(" ")}: ${stderr}`);
  return stdout.toString().trim();
}

/** What the report job may do, as its workflow file says. */
export const PERMISSIONS = {
  actions: "read",
  checks: "write",
  contents: "write",
  "pull-requests": "write",
  statuses: "write",
} as const;

/** And what the watch may. */
const WATCH = { actions: "read", checks: "read", contents: "read", "pull-requests": "write" } as const;

export interface Change {
  readonly number: number;
  readonly head: string;
  /** The test merge, which an experiment runs. */
  readonly merge: string;
  readonly branch: string;
  /** `owner/name` of the head. */
  readonly repository: string;
}

/** A repository on a real sandbox, whose experiments are run here and whose reports are published by the real code. */
export class Rig implements AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly repository: Repository;
  /** The report job's clone of the repository. */
  readonly clone: string;
  readonly #folder: ReturnType<typeof temporary>;
  #runs = 0;

  constructor(sandbox: Sandbox, repository: Repository, folder: ReturnType<typeof temporary>) {
    this.sandbox = sandbox;
    this.repository = repository;
    this.#folder = folder;
    this.clone = join(folder.path, "clone");
  }

  static async start(
    files: Readonly<Record<string, string>> = FILES,
    more: Pick<SandboxOptions, "observer"> = {},
  ): Promise<Rig> {
    const folder = temporary();
    const sandbox = await startSandbox({ dir: join(folder.path, "sandbox"), ...more });
    const repository = await sandbox.createRepository({ owner: "acme", name: "toy", collaborators: { ann: "write" } });
    const rig = new Rig(sandbox, repository, folder);
    mkdirSync(rig.clone);
    await sh(rig.clone, "init", "--quiet", "--initial-branch=main");
    await sh(rig.clone, "remote", "add", "origin", sandbox.cloneUrl("acme/toy", "acme"));
    const settings = `version: 1\nstore: file:${join(folder.path, "store")}\n`;
    const cost = "cost: {currency: USD, per_hour: {cpu: 3600}}\n";
    write(rig.clone, { ...files, ".github/lockstep.yml": `${settings}${cost}` });
    await sh(rig.clone, "add", "--all");
    await sh(rig.clone, "commit", "--quiet", "--message=first");
    await sh(rig.clone, "push", "--quiet", "origin", "main");
    return rig;
  }

  /** With a recorded base, and a change for the better whose experiment has ended. */
  static async withChange(): Promise<{ rig: Rig; change: Change; document: ResultDocument }> {
    const rig = await Rig.start();
    await rig.recordBase();
    const change = await rig.propose("change", { "params.yaml": "model:\n  wrong: 4\n  sure: 0.8\n" });
    return { rig, change, document: await rig.experiment(change.merge) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sandbox.close();
    this.#folder[Symbol.dispose]();
  }

  context(path = this.clone): Context {
    return { ...contextIn(path), fetch: globalThis.fetch };
  }

  /** Opens a pull request that writes these files, from the repository itself or from a fork. */
  async propose(branch: string, files: Readonly<Record<string, string>>, owner = "ann"): Promise<Change> {
    const fork = owner !== "ann";
    const repository = fork ? `${owner}/toy` : "acme/toy";
    if (fork) await this.sandbox.fork("acme/toy", owner);
    const path = join(this.#folder.path, `work-${branch}`);
    await sh(this.#folder.path, "clone", "--quiet", this.sandbox.cloneUrl("acme/toy", "acme"), path);
    await sh(path, "checkout", "--quiet", "-b", branch);
    write(path, files);
    await sh(path, "add", "--all");
    await sh(path, "commit", "--quiet", "--allow-empty", `--message=${branch}`);
    await sh(path, "push", "--quiet", this.sandbox.cloneUrl(repository, owner), branch);
    const opened = await this.api("POST", "/repos/acme/toy/pulls", owner, {
      title: branch,
      head: `${owner === "ann" ? "acme" : owner}:${branch}`,
      base: "main",
    });
    const { number } = opened as { number: number };
    const refs = await sh(this.clone, "ls-remote", "origin", `refs/pull/${number}/merge`);
    const merge = refs.split("\t")[0] ?? "";
    return { number, head: await sh(path, "rev-parse", "HEAD"), merge, branch, repository };
  }

  /** Runs the experiment of a commit in a folder of its own, as its job does. */
  async experiment(commit: string): Promise<ResultDocument> {
    const path = join(this.#folder.path, `run-${++this.#runs}`);
    await sh(this.#folder.path, "clone", "--quiet", this.sandbox.cloneUrl("acme/toy", "acme"), path);
    await sh(path, "fetch", "--quiet", "origin", commit);
    await sh(path, "checkout", "--quiet", "--detach", commit);
    return value(await experiment(this.context(path))).document;
  }

  /** Leaves a workflow run with this archive as its artifact; undefined: with none. */
  async leave(change: Change, archive: Uint8Array | undefined, event = "pull_request"): Promise<number> {
    const { world } = this.sandbox;
    const id = world.nextId();
    const at = world.clock.timestamp();
    const run: WorkflowRun = {
      id,
      workflowId: 1,
      path: ".github/workflows/lockstep-experiment.yml",
      name: "Lockstep experiment",
      runNumber: id,
      attempt: 1,
      event,
      payload: {},
      ref: `refs/pull/${change.number}/merge`,
      sha: change.merge,
      headSha: change.head,
      headBranch: change.branch,
      headRepository: change.repository,
      actor: "ann",
      pullRequests: [],
      status: "completed",
      conclusion: "success",
      createdAt: at,
      updatedAt: at,
      jobs: [],
    };
    this.repository.runs.push(run);
    if (archive !== undefined) this.attach(id, "lockstep-result", archive);
    return id;
  }

  /** Gives a run an artifact, newer than those it has of that name. */
  attach(runId: number, name: string, archive: Uint8Array): void {
    const { world } = this.sandbox;
    const id = world.nextId();
    const blob = `artifact-${id}`;
    mkdirSync(dirname(world.blobPath(blob)), { recursive: true });
    writeFileSync(world.blobPath(blob), archive);
    this.repository.artifacts.push({
      id,
      runId,
      jobId: 1,
      name,
      size: archive.byteLength,
      digest: `sha256:${createHash("sha256").update(archive).digest("hex")}`,
      contentType: "application/zip",
      createdAt: world.clock.timestamp(),
      expiresAt: "2099-01-01T00:00:00Z",
      blob,
    });
  }

  /** Publishes the report of a run, with a token that has the rights of the report job and no more. */
  async publish(
    change: Change,
    runId: number,
    event = "pull_request",
    workflow = "experiment",
  ): Promise<Result<Published>> {
    return this.publishRun(change, { id: runId, event, workflow: `.github/workflows/lockstep-${workflow}.yml` });
  }

  /** The same of a run that differs in these facts, through this `fetch`; one without a conclusion goes on. */
  async publishRun(
    change: Change,
    facts: Partial<ReportedRun> & { readonly id: number },
    {
      fetch = globalThis.fetch,
      paced = false,
      keepPage,
    }: { fetch?: typeof globalThis.fetch; paced?: boolean; keepPage?: PublishOptions["keepPage"] } = {},
  ): Promise<Result<Published>> {
    const { context, github, about } = this.#job(change, facts, { fetch, paced });
    const publish = facts.conclusion === null ? publishProgress : publishReport;
    return publish(context, github, { ...about, ...(keepPage && { keepPage }) });
  }

  /** Watches a run that goes on, with the rights of that job; `wait` is called in place of waiting. */
  async watch(
    change: Change,
    facts: Partial<ReportedRun> & { readonly id: number },
    {
      fetch = globalThis.fetch,
      emit,
      ...options
    }: Required<Pick<WatchOptions, "every" | "wait">> & {
      fetch?: typeof globalThis.fetch;
      emit?: Context["emit"];
    },
  ): Promise<Result<string>> {
    const { context, github, about } = this.#job(change, facts, { fetch, permissions: WATCH, ...(emit && { emit }) });
    const now = (): Date => new Date(Date.now() + this.#passed);
    return watchProgress({ ...context, now }, github, { ...about, ...options });
  }

  #passed = 0;

  /** Time passes for a watch. */
  pass(ms: number): void {
    this.#passed += ms;
  }

  #job(
    change: Change,
    facts: Partial<ReportedRun> & { readonly id: number },
    {
      fetch,
      paced = false,
      permissions = PERMISSIONS,
      emit,
    }: {
      fetch: typeof globalThis.fetch;
      paced?: boolean;
      permissions?: Parameters<Sandbox["world"]["mintToken"]>[0]["permissions"];
      emit?: Context["emit"];
    },
  ): { context: Context; github: GitHub; about: Pick<PublishOptions, "run" | "remote" | "author"> } {
    const { id } = facts;
    const token = this.sandbox.world.mintToken({ repository: "acme/toy", permissions, runId: id, jobId: 1 });
    const context = { ...this.context(), ...(emit && { emit }) };
    const github = connect({
      token,
      apiUrl: this.sandbox.apiUrl,
      repository: "acme/toy",
      fetch,
      paced,
      emit: context.emit,
    });
    const run: ReportedRun = {
      attempt: 1,
      url: `${this.sandbox.url}/acme/toy/actions/runs/${id}`,
      event: "pull_request",
      workflow: ".github/workflows/lockstep-experiment.yml",
      headSha: change.head,
      headBranch: change.branch,
      headRepository: change.repository,
      actor: "ann",
      conclusion: "success",
      startedAt: "2026-11-21T20:49:16Z",
      ...facts,
    };
    return { context, github, about: { remote: "origin", author: { name: "bot", email: "bot@example.com" }, run } };
  }

  /** The whole of it: run the experiment of a change, hand its result over, publish. */
  async report(
    change: Change,
    edit: (document: ResultDocument) => unknown = (document) => document,
  ): Promise<Published> {
    const document = await this.experiment(change.merge);
    const runId = await this.leave(change, resultZip(edit(document)));
    return value(await this.publish(change, runId));
  }

  /** Runs the pipeline on the default branch and publishes its records, as a promotion does. */
  async recordBase(): Promise<void> {
    const { openRecords } = await import("../../src/records/index.ts");
    const document = await this.experiment(await sh(this.clone, "rev-parse", "HEAD"));
    const provenance = {
      trusted: true,
      event: "push",
      repository: "acme/toy",
      headRepository: "acme/toy",
      workflow: ".github/workflows/lockstep-promote.yml",
      workflowCommit: document.commit,
      runId: "1",
      runAttempt: 1,
      actor: "acme",
    };
    const records = openRecords(this.context(), {
      branch: "lockstep-records",
      remote: "origin",
      author: { name: "bot", email: "bot@example.com" },
    });
    const vouched = {
      stages: document.stages.map((one) => ({ ...one, provenance })),
      runs: document.runs.map((one) => ({ ...one, provenance })),
    };
    value(await records.publish(vouched));
  }

  async api(method: string, path: string, login: string, body?: unknown): Promise<unknown> {
    const text = await this.call(method, path, login, body);
    return JSON.parse(text);
  }

  /** A request whose answer may be empty. */
  async call(method: string, path: string, login: string, body?: unknown): Promise<string> {
    const response = await fetch(`${this.sandbox.apiUrl}${path}`, {
      method,
      headers: { authorization: `token ${this.sandbox.token(login)}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text;
  }

  /** Our comments on a pull request, as they stand. */
  comments(change: Change): string[] {
    return this.repository.comments.filter(({ issue }) => issue === change.number).map(({ body }) => body);
  }

  /** Those that the report's job wrote. */
  ours(change: Change): string[] {
    const bot = "github-actions[bot]";
    return this.repository.comments
      .filter(({ issue, user }) => issue === change.number && user === bot)
      .map(({ body }) => body);
  }

  /** What a person sees of a pull request. */
  shown(change: Change): unknown[] {
    return [this.ours(change), this.checks(change), this.status(change)];
  }

  /** Takes away what was ever written about pull requests. */
  forget(): void {
    for (const list of [this.repository.comments, this.repository.checkRuns, this.repository.statuses]) list.splice(0);
  }

  checks(change: Change): { name: string; conclusion: string | null; title: string | null }[] {
    return this.repository.checkRuns
      .filter(({ headSha }) => headSha === change.head)
      .map(({ name, conclusion, output }) => ({ name, conclusion, title: output.title }));
  }

  status(change: Change): { state: string; context: string } | undefined {
    const found = this.repository.statuses.filter(({ sha }) => sha === change.head).at(-1);
    return found && { state: found.state, context: found.context };
  }
}

/** An artifact as the experiment's job uploads it. */
export function resultZip(document: unknown): Buffer {
  return zip([{ name: "lockstep-result.json", bytes: JSON.stringify(document) }]);
}

/** What an experiment says of its progress, as its job uploads it. */
export function progressZip(document: unknown): Buffer {
  return zip([{ name: "lockstep-progress.json", bytes: JSON.stringify(document) }]);
}
