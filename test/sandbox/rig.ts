import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { getOctokit } from "@actions/github";
import {
  startSandbox,
  type Permissions,
  type Sandbox,
  type SandboxOptions,
  type TriggerEvent,
} from "../../src/sandbox/index.ts";
import { openApiObserver } from "../helpers/openapi.ts";

export type Octokit = ReturnType<typeof getOctokit>;

const IDENTITY = {
  GIT_AUTHOR_NAME: "Ada",
  GIT_AUTHOR_EMAIL: "ada@example.com",
  GIT_COMMITTER_NAME: "Ada",
  GIT_COMMITTER_EMAIL: "ada@example.com",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_TERMINAL_PROMPT: "0",
};

/** A sandbox with the repository `ada/digits`, whose API is watched, and a work tree of it. */
export class Rig implements AsyncDisposable {
  readonly folder: string;
  readonly sandbox: Sandbox;
  readonly events: TriggerEvent[] = [];
  readonly openapi: ReturnType<typeof openApiObserver>;
  readonly repo = { owner: "ada", repo: "digits" } as const;

  private constructor(folder: string, sandbox: Sandbox, openapi: ReturnType<typeof openApiObserver>) {
    this.folder = folder;
    this.sandbox = sandbox;
    this.openapi = openapi;
    sandbox.world.on((event) => this.events.push(event));
  }

  static async start(options: Partial<SandboxOptions> & { readonly private?: boolean } = {}): Promise<Rig> {
    const folder = await mkdtemp(join(tmpdir(), "lockstep-sandbox-"));
    const openapi = openApiObserver();
    const sandbox = await startSandbox({ dir: join(folder, "state"), observer: openapi.observer, ...options });
    const rig = new Rig(folder, sandbox, openapi);
    await sandbox.createRepository({
      ...rig.repo,
      name: "digits",
      private: options.private ?? false,
      collaborators: { bob: "write" },
    });
    await rig.git("init", "--quiet", "--initial-branch=main", rig.work);
    await rig.git("-C", rig.work, "remote", "add", "origin", sandbox.cloneUrl("ada/digits", "ada"));
    return rig;
  }

  get work(): string {
    return join(this.folder, "work");
  }

  /** Standard output of a git command; rejects with its standard error. */
  async git(...args: readonly string[]): Promise<string> {
    const env = { ...process.env, ...IDENTITY };
    const { stdout } = await promisify(execFile)("git", [...args], { cwd: this.folder, env });
    return stdout.trim();
  }

  /** Commits files on a branch of the work tree and pushes it; gives the commit. */
  async push(branch: string, files: Readonly<Record<string, string>>, from?: string): Promise<string> {
    const at = ["-C", this.work];
    if (from !== undefined) await this.git(...at, "checkout", "--quiet", "-B", branch, from);
    for (const [path, text] of Object.entries(files)) {
      await mkdir(join(this.work, path, ".."), { recursive: true });
      await writeFile(join(this.work, path), text);
    }
    await this.git(...at, "add", "--all");
    await this.git(...at, "commit", "--quiet", "--allow-empty", "--message", `change ${branch}`);
    await this.git(...at, "push", "--quiet", "--force", "origin", `HEAD:refs/heads/${branch}`);
    return this.git(...at, "rev-parse", "HEAD");
  }

  octokit(login: string): Octokit {
    return getOctokit(this.sandbox.token(login), { baseUrl: this.sandbox.apiUrl });
  }

  jobToken(permissions: Permissions, runId = 1, jobId = 2): string {
    return this.sandbox.world.mintToken({ repository: "ada/digits", permissions, runId, jobId });
  }

  job(permissions: Permissions): Octokit {
    return getOctokit(this.jobToken(permissions), { baseUrl: this.sandbox.apiUrl });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sandbox.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** The error a request is refused with. */
export async function refused(request: Promise<unknown>): Promise<{
  status: number;
  message: string;
  response: { headers: Record<string, string>; data: Record<string, unknown> };
}> {
  const outcome = await request.then(
    () => undefined,
    (error: unknown) => error as never,
  );
  if (outcome === undefined) throw new Error("the request was not refused");
  return outcome;
}
