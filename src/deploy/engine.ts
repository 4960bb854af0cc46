import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fail, isDigest, ok, spawn } from "../core/index.ts";
import type { Context, Digest, Result } from "../core/index.ts";

/** A program that builds and pushes images, of those that may be installed. */
export interface Engine {
  readonly name: "buildah" | "podman" | "docker";
  /** Builds a context folder with a `Containerfile` under a local tag. */
  build(folder: string, tag: string): Promise<Result<void>>;
  /** Pushes a local tag; the digest is the registry's name for what it now holds. */
  push(tag: string, repository: string, remoteTag: string, credentials?: Credentials): Promise<Result<Digest>>;
  /** Forgets a local tag; one that is not there is no failure. */
  remove(tag: string): Promise<void>;
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

const ENGINES = ["buildah", "podman", "docker"] as const;

/** The first engine that is there and works; docker counts only with its daemon. */
export async function findEngine(context: Context): Promise<Result<Engine>> {
  for (const name of ENGINES) {
    const probe = name === "docker" ? ["version", "--format", "{{.Server.Version}}"] : ["--version"];
    // oxlint-disable-next-line no-await-in-loop -- the first one found is the one
    const { exitCode } = await spawn(name, probe, { env: context.env });
    if (exitCode === 0) return ok(createEngine(context, name));
  }
  const hint = "install buildah or podman, or start the docker daemon";
  return fail({ code: "external", what: "building an image", problem: "there is no builder of images here", hint });
}

function createEngine(context: Context, name: Engine["name"]): Engine {
  const call = async (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Result<string>> => {
    const options = { env: { ...context.env, ...env }, ...(context.signal ? { signal: context.signal } : {}) };
    const { exitCode, stdout, stderr } = await spawn(name, args, options);
    if (exitCode === 0) return ok(stdout.toString());
    const problem = `ended with ${exitCode ?? "a signal"}: ${stderr.trim().slice(-2000)}`;
    return fail({ code: "external", what: `\`${name} ${args[0]}\``, problem });
  };
  return {
    name,
    async build(folder, tag) {
      // The time of every file and of the image is the epoch: equal content is an equal digest.
      const file = join(folder, "Containerfile");
      const fixed = name === "docker" ? [] : ["--timestamp", "0", "--format", "oci"];
      // Nothing is run in a build, so the weakest isolation is enough, and it works without any privilege to nest.
      const isolation = name === "buildah" ? ["--isolation", "chroot"] : [];
      const verb = name === "buildah" ? "bud" : "build";
      const built = await call([verb, ...fixed, ...isolation, "--file", file, "--tag", tag, folder], {
        SOURCE_DATE_EPOCH: "0",
      });
      return built.ok ? ok() : built;
    },
    async push(tag, repository, remoteTag, credentials) {
      const scratch = await mkdtemp(join(tmpdir(), "lockstep-push-"));
      try {
        // By a file, because what stands on a command line can be read by every user of the machine.
        const auth = join(scratch, "config.json");
        if (credentials !== undefined) await writeFile(auth, authFile(repository, credentials), { mode: 0o600 });
        const target = `${repository}:${remoteTag}`;
        return name === "docker"
          ? await pushDocker(call, tag, target, credentials === undefined ? {} : { DOCKER_CONFIG: scratch })
          : await pushByFile(call, tag, target, scratch, credentials === undefined ? [] : ["--authfile", auth]);
      } finally {
        await rm(scratch, { recursive: true, force: true });
      }
    },
    async remove(tag) {
      await call([...(name === "buildah" ? ["rmi"] : ["image", "rm"]), tag]);
    },
  };
}

type Call = (args: readonly string[], env?: Readonly<Record<string, string>>) => Promise<Result<string>>;

async function pushByFile(
  call: Call,
  tag: string,
  target: string,
  scratch: string,
  auth: readonly string[],
): Promise<Result<Digest>> {
  const file = join(scratch, "digest");
  const tls = isLoopback(target) ? ["--tls-verify=false"] : [];
  const pushed = await call(["push", ...auth, ...tls, "--digestfile", file, tag, `docker://${target}`]);
  if (!pushed.ok) return pushed;
  return digestFrom(await readFile(file, "utf8"));
}

async function pushDocker(
  call: Call,
  tag: string,
  target: string,
  env: Record<string, string>,
): Promise<Result<Digest>> {
  const tagged = await call(["tag", tag, target]);
  if (!tagged.ok) return tagged;
  const pushed = await call(["push", "--quiet", target], env);
  if (!pushed.ok) return pushed;
  const inspected = await call(["image", "inspect", "--format", "{{json .RepoDigests}}", target]);
  if (!inspected.ok) return inspected;
  const repository = target.slice(0, target.lastIndexOf(":"));
  const named = (JSON.parse(inspected.value) as string[]).find((entry) => entry.startsWith(`${repository}@`));
  return digestFrom(named?.slice(repository.length + 1) ?? "");
}

function digestFrom(text: string): Result<Digest> {
  const digest = text.trim();
  if (isDigest(digest)) return ok(digest);
  return fail({ code: "external", what: "pushing an image", problem: "the engine does not say the digest it pushed" });
}

function authFile(repository: string, { username, password }: Credentials): string {
  const auth = Buffer.from(`${username}:${password}`).toString("base64");
  return JSON.stringify({ auths: { [hostOf(repository)]: { auth } } });
}

function hostOf(reference: string): string {
  return reference.split("/")[0] ?? "";
}

/** Registries on this machine speak plain HTTP; no others may. */
export function isLoopback(reference: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/.test(hostOf(reference));
}
