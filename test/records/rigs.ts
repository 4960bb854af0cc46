import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { spawn } from "../../src/core/index.ts";
import { startSandbox } from "../../src/sandbox/index.ts";
import type { Sandbox } from "../../src/sandbox/index.ts";
import { contextIn, origin, temporary } from "../git/repository.ts";
import { openApiObserver } from "../helpers/openapi.ts";
import type { RecordsRig } from "./contract.ts";
import { BRANCH } from "./fixture.ts";

/** Never synchronously: the server may live in this process. */
export async function runGit(cwd: string, args: readonly string[], input?: string): Promise<string> {
  const { env } = contextIn(cwd);
  const { exitCode, stdout, stderr } = await spawn("git", args, {
    cwd,
    env,
    ...(input === undefined ? {} : { input }),
  });
  if (exitCode !== 0) throw new Error(`git ${args.join(" ")}: ${stderr}`);
  return stdout.toString().trim();
}

function behind(bare: string): Pick<RecordsRig, "git" | "plant"> {
  return {
    git: (...args) => runGit(bare, args),
    async plant(branch, files) {
      const parts = Object.entries(files).map(
        ([path, text]) => `M 100644 inline ${path}\ndata ${Buffer.byteLength(text)}\n${text}\n`,
      );
      const commit = `commit refs/heads/${branch}\ncommitter Ada <ada@example.com> 1 +0000\ndata 0\n`;
      await runGit(bare, ["fast-import", "--quiet"], commit + parts.join(""));
    },
  };
}

/** Clones of a bare repository, every other one shallow. */
export async function byPush(): Promise<RecordsRig> {
  const folder = temporary();
  const bare = origin(folder.path);
  let machines = 0;
  return {
    ...behind(bare),
    async machine() {
      const name = `clone${machines++}`;
      const depth = machines % 2 === 0 ? ["--depth=1"] : [];
      await runGit(folder.path, ["clone", "--quiet", ...depth, `file://${bare}`, name]);
      return { context: contextIn(join(folder.path, name)), options: { branch: BRANCH, remote: "origin" } };
    },
    [Symbol.asyncDispose]: async () => folder[Symbol.dispose](),
  };
}

/** A sandbox whose every call is held to GitHub's API description, for rigs with a repository of their own each. */
export class ApiHost implements AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly #folder: ReturnType<typeof temporary>;
  readonly #openapi: ReturnType<typeof openApiObserver>;
  #repositories = 0;

  private constructor(
    folder: ReturnType<typeof temporary>,
    sandbox: Sandbox,
    openapi: ReturnType<typeof openApiObserver>,
  ) {
    this.#folder = folder;
    this.#openapi = openapi;
    this.sandbox = sandbox;
  }

  static async start(): Promise<ApiHost> {
    const folder = temporary();
    const openapi = openApiObserver();
    const sandbox = await startSandbox({ dir: join(folder.path, "state"), observer: openapi.observer });
    return new ApiHost(folder, sandbox, openapi);
  }

  /** A private repository; its machines are empty folders and a job's (or a person's) token: no clone, no git. */
  async rig(
    by: "job" | "person" = "job",
  ): Promise<RecordsRig & { readonly repository: string; readonly token: string }> {
    const name = `churn${this.#repositories++}`;
    const repository = `ada/${name}`;
    const { world, apiUrl } = this.sandbox;
    const { gitDir } = await this.sandbox.createRepository({ owner: "ada", name, private: true });
    const { git, plant } = behind(gitDir);
    await plant("main", { "README.md": "hello\n" });
    const token =
      by === "person"
        ? this.sandbox.token("ada")
        : world.mintToken({ repository, permissions: { contents: "write" }, runId: 1, jobId: 1 });
    let machines = 0;
    return {
      git,
      plant,
      repository,
      token,
      machine: async () => {
        const path = join(this.#folder.path, `${name}-${machines++}`);
        await mkdir(path);
        const context = { ...contextIn(path), fetch: globalThis.fetch };
        return { context, options: { branch: BRANCH, remote: null, api: { apiUrl, repository, token } } };
      },
      [Symbol.asyncDispose]: async () => {
        const wrong = this.#openapi.violations();
        if (wrong.length > 0) throw new Error(`against GitHub's API description: ${wrong.join("\n")}`);
      },
    };
  }

  /** Requests about a repository, as `METHOD /route`, git's included. */
  requests(repository: string): string[] {
    return this.sandbox.world.requestLog
      .filter(({ path }) => path.includes(`/${repository}`))
      .map(({ method, route }) => `${method} ${route}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sandbox.close();
    this.#folder[Symbol.dispose]();
  }
}
