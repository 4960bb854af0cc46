import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Provenance } from "../../src/config/index.ts";
import type { Context, ProgressEvent } from "../../src/core/index.ts";
import type { PromoteOptions } from "../../src/registry/index.ts";

export const NOW = "2026-03-01T12:00:00.000Z";

export function contextFor(cwd: string, emit: (event: ProgressEvent) => void = () => {}): Context {
  const { PATH, HOME } = process.env;
  const env = { PATH, HOME, GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null" };
  return { cwd, env, now: () => new Date(NOW), fetch: globalThis.fetch, emit };
}

export const provenance: Provenance = {
  trusted: true,
  event: "push",
  repository: "acme/digits",
  headRepository: "acme/digits",
  workflow: "acme/digits/.github/workflows/lockstep-promote.yml@refs/heads/main",
  workflowCommit: "c".repeat(40),
  runId: "77",
  runAttempt: 1,
  actor: "ann",
};

export function optionsFor(context: Context, commit: string): PromoteOptions {
  return {
    remote: "origin",
    branch: "main",
    commit,
    provenance,
    author: { name: "bot", email: "bot@users.noreply.github.com" },
    runUrl: "https://github.test/acme/digits/actions/runs/77",
    forGit: context,
  };
}

/** Writes a model file and predictions of which `params.wrong` are wrong; says in `ran` that it was started. */
const MAKE = `
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
const wrong = Number(/wrong: (\\d+)/.exec(readFileSync("params.yaml", "utf8"))[1]);
appendFileSync(process.env.RAN ?? "ran.log", "ran\\n");
mkdirSync("build", { recursive: true });
writeFileSync("build/model.bin", "weights with " + wrong + " mistakes");
const rows = Array.from({ length: 200 }, (_, i) => [i, i % 2, i < wrong ? 1 - (i % 2) : i % 2].join(","));
writeFileSync("build/predictions.csv", "id,label,prediction\\n" + rows.join("\\n") + "\\n");
writeFileSync("build/metrics.json", JSON.stringify({ loss: wrong / 200 }));
`;

export const FILES: Record<string, string> = {
  ".gitignore": ".lockstep/\nbuild/\nran.log\n",
  ".github/lockstep.yml": "version: 1\nstore: file:../store\n",
  "params.yaml": "wrong: 20\n",
  "pipelines/toy/make.mjs": MAKE,
  "pipelines/toy.yaml": `
stages:
  make:
    cmd: node pipelines/toy/make.mjs
    deps: [pipelines/toy/make.mjs]
    params: [wrong]
    outs: [build/model.bin]
    metrics: [build/metrics.json]
    predictions: build/predictions.csv
`,
  "models/toy/model.yaml": modelYaml(0.8),
};

export function modelYaml(minimum: number): string {
  return `
version: 1
pipeline: toy
files: {model.bin: build/model.bin}
evaluation:
  predictions: build/predictions.csv
  task: binary
  columns: {id: id, label: label, prediction: prediction}
  metrics: [accuracy]
gates:
  - {metric: accuracy, min: ${minimum}}
`;
}

/** A bare repository as `origin`, a store beside its clones, and clones made when asked for. */
export class Rig {
  readonly root: string;
  #clones = 0;

  private constructor(root: string) {
    this.root = root;
  }

  static async create(files: Readonly<Record<string, string>> = FILES): Promise<Rig> {
    const rig = new Rig(await mkdtemp(join(tmpdir(), "lockstep-registry-")));
    execFileSync("git", ["init", "--quiet", "--bare", "-b", "main", rig.bare]);
    const clone = await rig.clone();
    await rig.commit(clone, files, "first");
    return rig;
  }

  get bare(): string {
    return join(this.root, "origin.git");
  }

  async clone(): Promise<string> {
    const folder = join(this.root, `clone-${this.#clones++}`);
    execFileSync("git", ["clone", "--quiet", this.bare, folder], { stdio: "pipe" });
    return folder;
  }

  /** Commits on top of origin's main and pushes; the new head. */
  async commit(clone: string, files: Readonly<Record<string, string>>, message: string): Promise<string> {
    const git = (...args: string[]): string => this.git(clone, ...args);
    if (this.git(this.bare, "branch", "--list", "main") !== "") git("pull", "--quiet", "--ff-only");
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(clone, path)), { recursive: true });
      await writeFile(join(clone, path), text);
    }
    git("add", "--all");
    git("-c", "user.name=ann", "-c", "user.email=ann@x", "commit", "--quiet", "--allow-empty", "-m", message);
    git("push", "--quiet", "origin", "HEAD:main");
    return git("rev-parse", "HEAD");
  }

  git(folder: string, ...args: string[]): string {
    // Fixed dates: the same commits in every world.
    const env = { ...process.env, GIT_AUTHOR_DATE: NOW, GIT_COMMITTER_DATE: NOW };
    return execFileSync("git", args, { cwd: folder, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
  }

  /** A file on a branch of origin. */
  file(path: string, branch = "main"): string {
    return this.git(this.bare, "show", `${branch}:${path}`);
  }

  /** Everything on a branch of origin, as text; a commit's own date and parents aside. */
  tree(branch: string): string {
    return this.git(this.bare, "ls-tree", "-r", branch);
  }

  files(branch: string): string[] {
    return this.git(this.bare, "ls-tree", "-r", "--name-only", branch).split("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
  }
}
