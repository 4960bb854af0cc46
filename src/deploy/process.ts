import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { open, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { attempt, fail, ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { writePackage } from "../serve/index.ts";
import type { PackageSource } from "../serve/index.ts";
import type { Store } from "../store/index.ts";
import { exclusively, isAlive, readState, writeState } from "./home.ts";
import type { RunningState } from "./home.ts";
import { isServing, smoke, until } from "./probe.ts";

const START_MS = 60_000;
const DRAIN_MS = 20_000;
/** All that a served process gets of the environment: no token can be among it. */
const PASSED = ["PATH", "HOME", "LANG", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "NODE_EXTRA_CA_CERTS"];

export interface ProcessOptions {
  readonly source: PackageSource;
  readonly stores: readonly Store[];
  /** Of `deploymentFolder`. */
  readonly folder: string;
  /** The server's program. */
  readonly program: string;
  /** Absolute URL of the store the log goes to. */
  readonly logUrl: string;
  /** Fixed port; 0: any. */
  readonly port: number;
  /** Called when the running process is about to change: the GitHub deployment to remember with it. */
  readonly announce: () => Promise<Result<number | null>>;
}

export interface ProcessOutcome {
  readonly url: string;
  readonly changed: boolean;
  readonly deployment: number | null;
}

/**
 * Puts a version to work as a process of this machine. The new one is started beside the old one, has to be ready and
 * answer, and only then takes over and the old one is drained; whatever fails, the old one goes on serving. Nothing
 * happens when the version already serves.
 */
export async function deployProcess(context: Context, options: ProcessOptions): Promise<Result<ProcessOutcome>> {
  const { folder, source } = options;
  return exclusively(folder, async (): Promise<Result<ProcessOutcome>> => {
    const old = await readState(folder);
    const serves = old !== undefined && (await isServing(context, old.url, old.instance));
    if (serves && old.digest === source.version.digest && old.version === source.version.version) {
      return ok({ url: old.url, changed: false, deployment: old.deployment });
    }
    const deployment = await options.announce();
    if (!deployment.ok) return deployment;
    // What a deployment left that was killed half way: never the one that serves.
    await cleanUp(folder, old?.instance);
    const started = await startBeside(context, options, deployment.value);
    if (!started.ok) return started;
    const written = await writeState(folder, started.value);
    if (!written.ok) return written;
    context.emit({ type: "effect", name: "process started" });
    if (old !== undefined) await stopProcess(context, old);
    await cleanUp(folder, started.value.instance);
    return ok({ url: started.value.url, changed: true, deployment: deployment.value });
  });
}

async function startBeside(
  context: Context,
  options: ProcessOptions,
  deployment: number | null,
): Promise<Result<RunningState>> {
  const { folder, source } = options;
  const { name, version } = source;
  const instance = randomUUID();
  const own = join(folder, `instance-${instance}`);
  const written = await writePackage(source, options.stores, own);
  if (!written.ok) return written;
  const ready = join(own, "ready.json");
  const child = await attempt(own, async () => {
    await using log = await open(join(own, "log.txt"), "a");
    const args = [options.program, "--package", own, "--instance", instance, "--ready", ready];
    args.push("--logs", options.logUrl, "--modules", context.cwd);
    if (options.port !== 0) args.push("--public-port", String(options.port));
    const env = Object.fromEntries(PASSED.map((key) => [key, context.env[key]]));
    return spawn(process.execPath, args, {
      cwd: own,
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
      // The runner ends every process that carries its tracking id when the job ends.
      env: { ...env, RUNNER_TRACKING_ID: "" },
    });
  });
  if (!child.ok) return child;
  const { pid } = child.value;
  if (pid !== undefined) await writeFile(join(own, "pid"), String(pid));
  let exited = false;
  child.value.once("exit", () => (exited = true));
  child.value.once("error", () => (exited = true));
  child.value.unref();
  const give = async (result: Result<never>): Promise<Result<never>> => {
    if (pid !== undefined && !exited) process.kill(pid, "SIGKILL");
    await rm(own, { recursive: true, force: true });
    return result;
  };
  const tell = async (problem: string): Promise<Result<never>> => {
    const log = await readFile(join(own, "log.txt"), "utf8").catch(() => "");
    return give(
      fail({
        code: "external",
        what: `version ${version.version} of model "${name}"`,
        problem: `${problem}\n${log}`.trim(),
      }),
    );
  };
  const readReady = async (): Promise<{ port: number; publicPort?: number } | undefined> => {
    const text = await readFile(ready, "utf8").catch(() => undefined);
    return text === undefined ? undefined : (JSON.parse(text) as { port: number; publicPort?: number });
  };
  await until(async () => exited || (await readReady()) !== undefined, START_MS);
  const facts = await readReady();
  if (pid === undefined || exited || facts === undefined)
    return tell(exited ? "it ended at once" : "it did not get ready");
  const url = `http://127.0.0.1:${facts.port}`;
  const works = await smoke(context, url, name, version.version);
  if (!works.ok) return give(works);
  if (options.port !== 0) {
    // It has shown that it works; now it answers where clients ask, together with the old one until that is gone.
    process.kill(pid, "SIGUSR2");
    const moved = await until(async () => exited || (await readReady())?.publicPort === options.port, START_MS);
    if (!moved || exited) return tell(`port ${options.port} could not be had`);
  }
  const port = options.port === 0 ? facts.port : options.port;
  return ok({
    stateVersion: 1,
    model: name,
    version: version.version,
    digest: version.digest,
    pid,
    instance,
    url: `http://127.0.0.1:${port}`,
    port,
    startedAt: context.now().toISOString(),
    deployment,
  });
}

/** Lets a process finish its requests and end; ends it hard when it takes too long. True when one was running. */
export async function stopProcess(context: Context, state: RunningState): Promise<boolean> {
  const { pid } = state;
  if (!isAlive(pid) || !(await isOurs(context, state))) return false;
  process.kill(pid, "SIGTERM");
  if (!(await until(() => !isAlive(pid), DRAIN_MS)) && isAlive(pid)) process.kill(pid, "SIGKILL");
  return until(() => !isAlive(pid), 5_000);
}

/** The pid's command line names the instance (Linux), or the port still answers with it. */
async function isOurs(context: Context, { pid, url, instance }: RunningState): Promise<boolean> {
  const command = await commandOf(pid);
  return command === undefined ? isServing(context, url, instance) : command.includes(instance);
}

/** Undefined where the system does not tell (other than Linux), or the process is gone. */
async function commandOf(pid: number): Promise<string | undefined> {
  return readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => undefined);
}

/** Removes all instances but one, and ends their processes where they still run. */
async function cleanUp(folder: string, keep: string | undefined): Promise<void> {
  for (const entry of await readdir(folder)) {
    const instance = /^instance-(.+)$/.exec(entry)?.[1];
    if (instance === undefined || instance === keep) continue;
    const own = join(folder, entry);
    const pid = Number(await readFile(join(own, "pid"), "utf8").catch(() => "0"));
    if (pid > 1 && (await commandOf(pid))?.includes(instance) === true) process.kill(pid, "SIGKILL");
    await rm(own, { recursive: true, force: true });
  }
}
