import { z } from "zod";
import { fail, ok } from "../../../core/index.ts";
import type { Context, Result } from "../../../core/index.ts";
import { isNetworkError, isTransientStatus, networkProblem, retryAfterMs, troubled } from "../retry.ts";
import type { Outcome } from "../retry.ts";
import type { Address } from "./address.ts";
import { parseChallenges } from "./challenge.ts";
import type { Challenge } from "./challenge.ts";
import { findCredentials } from "./credentials.ts";
import type { Credentials } from "./credentials.ts";

/** What a request does to a repository. A registry grants each by itself. */
export type Access = "pull" | "push" | "delete";

/** `Authorization` for the requests to one registry. */
export interface Authorization {
  /** The header as far as is known; undefined before the registry has asked for one. */
  header(access: Access): Promise<Outcome<string | undefined>>;
  /** The header after a 401. Undefined: there is none better than `used`, which was refused. */
  renew(access: Access, challenge: string | null, used: string | undefined): Promise<Outcome<string | undefined>>;
}

interface Token {
  readonly header: string;
  /** ms since the epoch, by our clock. */
  readonly until: number;
}

const tokenSchema = z.object({
  token: z.string().optional(),
  access_token: z.string().optional(),
  expires_in: z.number().optional(),
});
/** s; what a token without `expires_in` lives, as the token specification says. */
const DEFAULT_LIFE = 60;
/** A token is renewed when this part of its life has gone, so that it does not expire on the way. */
const USED_LIFE = 0.8;
const MAX_ANSWER = 1024 * 1024;

/** Answers challenges with the credentials there are: basic, and bearer with tokens kept until they expire. */
export function createAuthorization(context: Context, address: Address, timeLimitMs: number): Authorization {
  let challenge: Challenge | undefined;
  let finding: Promise<Result<Credentials | undefined>> | undefined;
  const kept = new Map<Access, Token>();
  const asking = new Map<Access, Promise<Outcome<Token>>>();
  const credentials = async (): Promise<Result<Credentials | undefined>> =>
    (finding ??= findCredentials(context, address.registry));

  const bearer = async (access: Access, offered: Challenge): Promise<Outcome<Token>> => {
    const token = kept.get(access);
    if (token !== undefined && token.until > context.now().getTime()) return ok(token);
    const ask = async (): Promise<Outcome<Token>> => {
      const found = await credentials();
      return found.ok
        ? requestToken(context, address, { access, offered, credentials: found.value, timeLimitMs })
        : found;
    };
    // Whoever comes first asks; the others wait for the same answer.
    const request = asking.get(access) ?? ask().finally(() => asking.delete(access));
    asking.set(access, request);
    const answer = await request;
    if (answer.ok) kept.set(access, answer.value);
    return answer;
  };

  const header: Authorization["header"] = async (access) => {
    if (challenge === undefined) return ok(undefined);
    if (challenge.scheme === "bearer") {
      const token = await bearer(access, challenge);
      return token.ok ? ok(token.value.header) : token;
    }
    const found = await credentials();
    if (!found.ok) return found;
    if (found.value === undefined || !("username" in found.value)) return ok(undefined);
    return ok(basic(found.value));
  };

  return {
    header,
    async renew(access, text, used) {
      const offered = parseChallenges(text ?? "");
      challenge =
        offered.find(({ scheme, parameters }) => scheme === "bearer" && parameters["realm"] !== undefined) ??
        offered.find(({ scheme }) => scheme === "basic");
      if (challenge === undefined) return ok(undefined);
      if (kept.get(access)?.header === used) kept.delete(access);
      const renewed = await header(access);
      return renewed.ok && renewed.value === used ? ok(undefined) : renewed;
    },
  };
}

interface TokenRequest {
  readonly access: Access;
  readonly offered: Challenge;
  readonly credentials: Credentials | undefined;
  readonly timeLimitMs: number;
}

async function requestToken(
  context: Context,
  address: Address,
  { access, offered, credentials, timeLimitMs }: TokenRequest,
): Promise<Outcome<Token>> {
  const what = `the token for ${address.url}`;
  const realm = URL.parse(offered.parameters["realm"] ?? "");
  const allowed = address.origin.startsWith("http:") ? ["https:", "http:"] : ["https:"];
  if (realm === null || !allowed.includes(realm.protocol)) {
    // The secret goes there: an address in the clear would hand it to everybody on the way.
    return fail({ code: "external", what, problem: "the registry names a token server that is not an https: URL" });
  }
  const form = new URLSearchParams();
  if (offered.parameters["service"] !== undefined) form.set("service", offered.parameters["service"]);
  for (const scope of scopesOf(address, access)) form.append("scope", scope);
  const limit = AbortSignal.timeout(timeLimitMs);
  const signal = context.signal === undefined ? limit : AbortSignal.any([context.signal, limit]);
  const asked = context.now();
  try {
    const response = await ask(context, realm, form, credentials, signal);
    if (isTransientStatus(response.status)) {
      await response.body?.cancel();
      const problem = `the token server answered ${response.status}`;
      return troubled({ problem, afterMs: retryAfterMs(response.headers, context.now()) });
    }
    if (!response.ok) {
      await response.body?.cancel();
      const who = credentials === undefined ? "no credentials were found for it" : "it refused the credentials";
      const problem = `the token server ${realm.host} answered ${response.status}: ${who}`;
      return fail({ code: "external", what, problem, hint: loginHint(address) });
    }
    return tokenFrom(what, await limitedText(response, MAX_ANSWER), asked);
  } catch (error) {
    if (context.signal?.aborted === true) return fail({ code: "interrupted" });
    if (limit.aborted) return troubled({ problem: `the token server ${realm.host} does not answer`, cause: error });
    if (!isNetworkError(error)) throw error;
    return troubled({ problem: `the token server ${realm.host}: ${networkProblem(error)}`, cause: error });
  }
}

async function ask(
  context: Context,
  realm: URL,
  form: URLSearchParams,
  credentials: Credentials | undefined,
  signal: AbortSignal,
): Promise<Response> {
  if (credentials !== undefined && "identityToken" in credentials) {
    form.set("grant_type", "refresh_token");
    form.set("client_id", "lockstep");
    form.set("refresh_token", credentials.identityToken);
    // OAuth 2.0 takes one scope with spaces.
    form.set("scope", form.getAll("scope").join(" "));
    return context.fetch(realm, { method: "POST", body: form, signal, redirect: "error", credentials: "omit" });
  }
  const url = new URL(realm);
  for (const [name, value] of form) url.searchParams.append(name, value);
  const headers = credentials === undefined ? {} : { authorization: basic(credentials) };
  return context.fetch(url, { headers, signal, credentials: "omit" });
}

function tokenFrom(what: string, text: string, asked: Date): Outcome<Token> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  const { data } = tokenSchema.safeParse(json);
  const token = data?.token ?? data?.access_token ?? "";
  if (!/^[\x21-\x7e]+$/.test(token)) {
    return fail({ code: "external", what, problem: "the token server's answer holds no token" });
  }
  const life = (data?.expires_in ?? DEFAULT_LIFE) * 1000 * USED_LIFE;
  return ok({ header: `Bearer ${token}`, until: asked.getTime() + life });
}

/** Pushing asks for pulling too (it looks before it sends) and, to mount, for the other repository. */
function scopesOf({ repository, mount }: Address, access: Access): string[] {
  const actions = { pull: "pull", push: "pull,push", delete: "pull,push,delete" }[access];
  const own = `repository:${repository}:${actions}`;
  return access === "push" && mount !== undefined ? [own, `repository:${mount}:pull`] : [own];
}

function basic({ username, password }: { readonly username: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

/** What to do when a registry does not take us for anybody. */
export function loginHint({ registry }: Address): string {
  const github =
    registry === "ghcr.io" ? "; in a workflow: `permissions: {packages: write}` and GITHUB_TOKEN in env" : "";
  return `\`docker login ${registry}\`, or LOCKSTEP_OCI_USERNAME and LOCKSTEP_OCI_PASSWORD${github}`;
}

/** A body as text, cut where it is longer than anything that is meant. */
export async function limitedText(response: Response, limit: number, moved = (): void => {}): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    moved();
    chunks.push(chunk);
    size += chunk.length;
    if (size > limit) break;
  }
  return Buffer.concat(chunks).toString("utf8", 0, limit);
}
