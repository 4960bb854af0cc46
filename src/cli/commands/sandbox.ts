import { join, resolve } from "node:path";
import { Command } from "commander";
import { fail, ok } from "../../core/index.ts";
import type { Context, Result } from "../../core/index.ts";
import type { Sandbox } from "../../sandbox/index.ts";
import type { Answer, Edge } from "../command.ts";
import { packageRoot } from "../package-root.ts";

interface Options {
  readonly port: string;
  readonly dir?: string;
}

const NAME = /^[\w.-]+\/[\w.-]+$/;

export function build(edge: Edge): Command {
  return new Command("sandbox")
    .summary("start a local GitHub to try the loop on")
    .description(
      "Starts a local stand-in for GitHub (git, API, workflows, pages) until Ctrl-C. Its state is kept and found again.",
    )
    .argument("[repositories...]", "OWNER/NAME of repositories to make, where they are not there yet")
    .option("--port <n>", "port; 0 for any", "0")
    .option("--dir <folder>", "where it keeps its state; .lockstep/sandbox when left out")
    .action(async (repositories: string[], options: Options) =>
      edge.out.answer(await run(edge, repositories, options)),
    );
}

async function run(edge: Edge, repositories: readonly string[], options: Options): Promise<Result<Answer>> {
  const context = edge.context();
  if (!/^\d{1,5}$/.test(options.port) || Number(options.port) > 65_535) {
    return fail({ code: "usage", message: "--port is a number from 0 to 65535" });
  }
  const wrong = repositories.find((name) => !NAME.test(name));
  if (wrong !== undefined) return fail({ code: "usage", message: `${wrong} is not OWNER/NAME` });
  const dir = options.dir === undefined ? join(context.cwd, ".lockstep", "sandbox") : resolve(edge.folder, options.dir);
  const sandbox = await start(context, dir, Number(options.port));
  if (!sandbox.ok) return sandbox;
  await present(edge, sandbox.value, dir, repositories);
  await new Promise<void>((done) => {
    if (context.signal?.aborted) done();
    context.signal?.addEventListener("abort", () => done(), { once: true });
  });
  await sandbox.value.close();
  return ok({
    json: { url: sandbox.value.url, dir, repositories: [...sandbox.value.world.repositories.keys()] },
    text: "",
  });
}

async function start(context: Context, dir: string, port: number): Promise<Result<Sandbox>> {
  const { startSandbox } = await import("../../sandbox/index.ts");
  try {
    return ok(await startSandbox({ dir, port, actionsDir: packageRoot(), env: context.env }));
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "EADDRINUSE") {
      return fail({
        code: "external",
        what: "the sandbox",
        problem: `port ${port} is taken`,
        hint: "--port 0 takes any free one",
      });
    }
    if (cause instanceof SyntaxError || code !== undefined) {
      return fail({
        code: "external",
        what: "the sandbox",
        problem: `its state in ${dir} cannot be used: ${message}`,
        cause,
      });
    }
    throw cause;
  }
}

/** Says where everything is, and makes what was asked for. */
async function present(edge: Edge, sandbox: Sandbox, dir: string, wanted: readonly string[]): Promise<void> {
  for (const fullName of wanted.filter((other) => !sandbox.world.repositories.has(other))) {
    const [owner = "", name = ""] = fullName.split("/");
    // Jobs check out into fresh folders, so what they keep has to lie outside of them.
    const variables = { LOCKSTEP_STORE: `file://${join(dir, "store", owner, name)}` };
    await sandbox.createRepository({ owner, name, variables, allowActionsPullRequests: true });
  }
  await sandbox.world.save();
  edge.out.line(`the sandbox is at ${sandbox.url} (state in ${dir}); Ctrl-C ends it`);
  for (const { owner, name } of sandbox.world.repositories.values()) {
    edge.out.line(`\n${owner}/${name}: ${sandbox.url}/${owner}/${name}`);
    edge.out.line(`  git remote add origin ${sandbox.cloneUrl(`${owner}/${name}`, owner)}`);
    edge.out.line(`  export GITHUB_API_URL=${sandbox.apiUrl} GITHUB_TOKEN=${sandbox.token(owner)}`);
  }
}
