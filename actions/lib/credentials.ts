import { ok } from "../../src/core/index.ts";
import type { Context, Result } from "../../src/core/index.ts";
import { git } from "../../src/git/index.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What user code may not inherit: tokens, the inputs (which hold tokens), the runner's file commands (by which a
 * child could set our outputs) and git configuration from the environment (by which tokens reach git).
 */
const CREDENTIALS =
  /^(INPUT_.*|ACTIONS_(RUNTIME|ID_TOKEN|RESULTS|CACHE)_.*|GIT_CONFIG_.*|(GITHUB|GH)_(ENTERPRISE_)?TOKEN|GITHUB_(ENV|OUTPUT|PATH|STATE|STEP_SUMMARY|ARTIFACTS|ARTIFACTS_LIST))$/i;

export function withoutCredentials(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !CREDENTIALS.test(name)));
}

/** The token as HTTP's basic authentication wants it. */
export function basic(token: string): string {
  return Buffer.from(`x-access-token:${token}`).toString("base64");
}

/**
 * Variables by which git sends the token to the server of a remote, and to no other. The host is that of the remote's
 * own URL: GITHUB_SERVER_URL may name another one. Nothing is written to disk, and what a checkout may have stored is
 * taken back first (the empty value), because two Authorization headers are refused.
 */
export async function gitWithToken(
  context: Context,
  remote: string,
  token: string,
): Promise<Result<Readonly<Record<string, string>>>> {
  const url = await git(context, ["remote", "get-url", remote]);
  if (!url.ok) return url;
  const parsed = URL.parse(url.value.trim());
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) return ok({});
  const key = `http.${parsed.origin}/.extraheader`;
  return ok({
    GIT_CONFIG_COUNT: "2",
    GIT_CONFIG_KEY_0: key,
    GIT_CONFIG_VALUE_0: "",
    GIT_CONFIG_KEY_1: key,
    GIT_CONFIG_VALUE_1: `AUTHORIZATION: basic ${basic(token)}`,
  });
}
