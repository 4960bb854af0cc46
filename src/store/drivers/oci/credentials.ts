import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { fail, isSystemError, ok, spawn } from "../../../core/index.ts";
import type { Context, Result } from "../../../core/index.ts";

/** Who we are to a registry. */
export type Credentials =
  | { readonly username: string; readonly password: string }
  /** A token that is only good for getting tokens (OAuth 2.0's refresh token). */
  | { readonly identityToken: string };

const entrySchema = z.object({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
});
const configSchema = z.object({
  auths: z.record(z.string(), entrySchema).optional(),
  credsStore: z.string().optional(),
  credHelpers: z.record(z.string(), z.string()).optional(),
});
const helperSchema = z.object({ Username: z.string(), Secret: z.string() });

/** The name under which Docker keeps the login to its own registry. */
const HUB = "https://index.docker.io/v1/";

/**
 * Credentials for a registry, from the first place that has some: LOCKSTEP_OCI_USERNAME and LOCKSTEP_OCI_PASSWORD,
 * Docker's config.json with its credential helpers, and GITHUB_TOKEN for ghcr.io. Undefined: we are nobody.
 */
export async function findCredentials(context: Context, registry: string): Promise<Result<Credentials | undefined>> {
  const { env } = context;
  const username = env["LOCKSTEP_OCI_USERNAME"] ?? "";
  const password = env["LOCKSTEP_OCI_PASSWORD"] ?? "";
  if ((username === "") !== (password === "")) {
    const message = "of LOCKSTEP_OCI_USERNAME and LOCKSTEP_OCI_PASSWORD only one is set";
    return fail({ code: "usage", message, hint: "set both, or none" });
  }
  if (username !== "") return ok({ username, password });
  const configured = await fromDocker(context, registry);
  if (!configured.ok || configured.value !== undefined) return configured;
  const token = env["GITHUB_TOKEN"] ?? "";
  // GitHub looks at the token only; the name may be any.
  if (registry === "ghcr.io" && token !== "")
    return ok({ username: env["GITHUB_ACTOR"] || "lockstep", password: token });
  return ok(undefined);
}

async function fromDocker(context: Context, registry: string): Promise<Result<Credentials | undefined>> {
  const home = context.env["HOME"] ?? context.env["USERPROFILE"] ?? homedir();
  const path = join(context.env["DOCKER_CONFIG"] || join(home, ".docker"), "config.json");
  const refuse = (problem: string): Result<never> =>
    fail({ code: "external", what: path, problem, hint: "`docker login` writes it" });
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return error.code === "ENOENT" || error.code === "ENOTDIR" ? ok(undefined) : refuse(error.message);
  }
  const config = configSchema.safeParse(parseJson(text));
  if (!config.success) return refuse("it is not a configuration of Docker's");
  const { auths = {}, credHelpers = {}, credsStore } = config.data;
  const names = registry === "docker.io" || registry === "index.docker.io" ? [HUB, registry] : [registry];
  const key = Object.keys(auths).find((name) => names.some((wanted) => hostOf(name) === hostOf(wanted)));
  const helper = names.map((name) => credHelpers[name]).find((name) => name !== undefined) ?? credsStore;
  if (helper !== undefined && helper !== "") {
    const helped = await askHelper(context, helper, key ?? names[0] ?? registry);
    if (!helped.ok || helped.value !== undefined) return helped;
  }
  return ok(key === undefined ? undefined : credentialsOf(auths[key]));
}

/** Docker writes registries with and without scheme and path. */
function hostOf(name: string): string {
  return name.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
}

function credentialsOf(entry: z.infer<typeof entrySchema> | undefined): Credentials | undefined {
  if (entry?.identitytoken) return { identityToken: entry.identitytoken };
  if (entry?.username && entry.password) return { username: entry.username, password: entry.password };
  const [, username, password] = /^([^:]*):([\s\S]*)$/.exec(Buffer.from(entry?.auth ?? "", "base64").toString()) ?? [];
  // Docker pads the password with zero bytes in some versions.
  const secret = password?.replace(/\0+$/, "");
  return username && secret ? { username, password: secret } : undefined;
}

/** The protocol of Docker's credential helpers: the registry on standard input, JSON on standard output. */
async function askHelper(context: Context, name: string, registry: string): Promise<Result<Credentials | undefined>> {
  const program = `docker-credential-${name}`;
  const refuse = (problem: string): Result<never> =>
    fail({ code: "external", what: `\`${program} get\``, problem, hint: "Docker's config.json names this helper" });
  if (!/^[\w.-]+$/.test(name)) return refuse("that is not the name of a helper");
  const { exitCode, stdout, stderr } = await spawn(program, ["get"], { env: context.env, input: registry });
  const said = `${stdout.toString()}${stderr}`.trim();
  if (exitCode !== 0 && /credentials not found/i.test(said)) return ok(undefined);
  // What a helper printed may hold a secret, so only its end is told.
  if (exitCode !== 0) return refuse(exitCode === null ? "it cannot be started" : `it ended with ${exitCode}`);
  const answer = helperSchema.safeParse(parseJson(stdout.toString()));
  if (!answer.success) return refuse("its answer is not what the protocol says");
  const { Username: username, Secret: secret } = answer.data;
  if (secret === "") return ok(undefined);
  return ok(username === "<token>" ? { identityToken: secret } : { username, password: secret });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
