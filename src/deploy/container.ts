import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { attempt, fail, isDigest, ok, spawn } from "../core/index.ts";
import type { Context, Digest, Result } from "../core/index.ts";
import type { PackageSource } from "../serve/index.ts";
import type { Store } from "../store/index.ts";
import { findEngine } from "./engine.ts";
import { exclusively } from "./home.ts";
import { buildImage, CONTAINER_PORT, pushImage } from "./image.ts";
import { smoke, until } from "./probe.ts";

export interface ContainerOptions {
  readonly source: PackageSource;
  readonly stores: readonly Store[];
  readonly folder: string;
  readonly environment: string;
  /** Image repository without tag; absent: the image stays on this machine. */
  readonly repository: string | undefined;
  readonly baseImage: string | undefined;
  readonly program: string | undefined;
  readonly logUrl: string;
  readonly port: number;
  readonly announce: () => Promise<Result<number | null>>;
}

export interface ContainerOutcome {
  readonly url: string | null;
  readonly image: string;
  readonly changed: boolean;
  readonly deployment: number | null;
}

const stateSchema = z.strictObject({
  stateVersion: z.literal(1),
  digest: z.custom<Digest>((value) => typeof value === "string" && isDigest(value), "not a digest"),
  version: z.number().int(),
  image: z.string(),
  /** Of the running container; null when the image was only pushed. */
  container: z.string().nullable(),
  engine: z.string(),
  url: z.string().nullable(),
  deployment: z.number().int().nullable(),
});
type ContainerState = z.infer<typeof stateSchema>;

const START_MS = 60_000;

/**
 * Builds the image, pushes it by digest and, where podman or docker can run a container here, runs it: the new one
 * beside the old one until it has answered. Where nothing can be run, the pushed image is the deployment: whoever
 * runs it pulls it by the digest in the GitHub Deployment.
 */
export async function deployContainer(context: Context, options: ContainerOptions): Promise<Result<ContainerOutcome>> {
  const { folder, source } = options;
  return exclusively(folder, async (): Promise<Result<ContainerOutcome>> => {
    const old = await readState(folder);
    if (old?.digest === source.version.digest && old.version === source.version.version && (await isUp(context, old))) {
      return ok({ url: old.url, image: old.image, changed: false, deployment: old.deployment });
    }
    const engine = await findEngine(context);
    if (!engine.ok) return engine;
    const deployment = await options.announce();
    if (!deployment.ok) return deployment;
    const built = await buildImage(context, engine.value, options);
    if (!built.ok) return built;
    let image = built.value;
    if (options.repository !== undefined) {
      const pushed = await pushImage(engine.value, source, options.repository);
      if (!pushed.ok) return pushed;
      image = pushed.value.reference;
      context.emit({ type: "effect", name: "image pushed" });
    }
    const runner = await findRunner(context, built.value);
    const started = runner === undefined ? ok(undefined) : await start(context, options, runner, built.value);
    if (!started.ok) return started;
    if (runner === undefined) context.emit({ type: "note", message: `${image} is not run here: no engine can` });
    if (old !== undefined) await removeContainer(context, old);
    const { version, digest } = source.version;
    const url = started.value?.url ?? null;
    const state: ContainerState = {
      stateVersion: 1,
      digest,
      version,
      image,
      container: started.value?.container ?? null,
      engine: runner ?? engine.value.name,
      url,
      deployment: deployment.value,
    };
    const written = await attempt(folder, async () =>
      writeFile(join(folder, "container.json"), `${JSON.stringify(state, null, 2)}\n`),
    );
    return written.ok ? ok({ url, image, changed: true, deployment: deployment.value }) : written;
  });
}

/** Ends the container of an environment; false when none was running. */
export async function stopContainer(context: Context, folder: string): Promise<boolean> {
  const state = await readState(folder);
  if (state === undefined) return false;
  await rm(join(folder, "container.json"), { force: true });
  return removeContainer(context, state);
}

/** The server in it drains on SIGTERM, for which `--time` gives it long enough. */
async function removeContainer(context: Context, { engine, container }: ContainerState): Promise<boolean> {
  if (container === null) return false;
  await spawn(engine, ["stop", "--time", "20", container], { env: context.env });
  const removed = await spawn(engine, ["rm", "--force", container], { env: context.env });
  return removed.exitCode === 0;
}

async function readState(folder: string): Promise<ContainerState | undefined> {
  const text = await readFile(join(folder, "container.json"), "utf8").catch(() => "null");
  return stateSchema.safeParse(JSON.parse(text)).data;
}

async function isUp(context: Context, { url }: ContainerState): Promise<boolean> {
  if (url === null) return true; // only pushed: the registry keeps what it was given
  try {
    const response = await context.fetch(`${url}/v2/health/ready`, { signal: AbortSignal.timeout(5_000) });
    return response.ok;
  } catch {
    return false;
  }
}

/** The engine that can really run the image here: being installed is not enough inside of another container. */
async function findRunner(context: Context, image: string): Promise<"podman" | "docker" | undefined> {
  for (const name of ["podman", "docker"] as const) {
    // oxlint-disable-next-line no-await-in-loop -- the first one that can is the one
    const probe = await spawn(name, ["run", "--rm", "--network=none", "--entrypoint", "node", image, "--version"], {
      env: context.env,
    });
    if (probe.exitCode === 0) return name;
  }
  return undefined;
}

async function start(
  context: Context,
  { source, port, logUrl }: ContainerOptions,
  engine: "podman" | "docker",
  image: string,
): Promise<Result<{ url: string; container: string }>> {
  const failed = (problem: string): Result<never> => fail({ code: "external", what: `\`${engine} run\``, problem });
  const call = async (...args: string[]): ReturnType<typeof spawn> => spawn(engine, args, { env: context.env });
  const store = logUrl.startsWith("file:") ? logUrl.slice("file:".length) : undefined;
  const user = `${process.getuid?.() ?? 65534}:${process.getgid?.() ?? 65534}`;
  const log = store === undefined ? [] : ["--volume", `${store}:/store`, "--user", user];
  const publish = `127.0.0.1:${port === 0 ? "" : port}:${CONTAINER_PORT}`;
  const command = [
    "--host",
    "0.0.0.0",
    "--port",
    String(CONTAINER_PORT),
    ...(store === undefined ? [] : ["--logs", "file:/store"]),
  ];
  const run = await call("run", "--detach", "--publish", publish, ...log, image, ...command);
  if (run.exitCode !== 0) return failed(run.stderr.trim());
  const container = run.stdout.toString().trim();
  const give = async (result: Result<never>): Promise<Result<never>> => {
    await call("rm", "--force", container);
    return result;
  };
  const mapped = await call("port", container, String(CONTAINER_PORT));
  const found = /:(\d+)\s*$/m.exec(mapped.stdout.toString())?.[1];
  if (found === undefined) return give(failed(`no port: ${mapped.stderr.trim()}`));
  const url = `http://127.0.0.1:${found}`;
  const ready = await until(async () => {
    try {
      return (await context.fetch(`${url}/v2/health/ready`)).ok;
    } catch {
      return false;
    }
  }, START_MS);
  if (!ready) return give(failed(`it does not get ready: ${(await call("logs", container)).stderr.slice(-2000)}`));
  const works = await smoke(context, url, source.name, source.version.version);
  return works.ok ? ok({ url, container }) : give(works);
}
