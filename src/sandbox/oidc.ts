import { randomUUID } from "node:crypto";
import type { Hono } from "hono";
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from "jose";
import { authenticate, hasRight } from "./http/access.ts";
import { ApiError, notAccessible, requiresAuthentication } from "./http/errors.ts";
import type { Repository, Token, World } from "./world.ts";

const LIFETIME_S = 5 * 60;

interface Keys {
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

async function makeKeys(): Promise<Keys> {
  const { privateKey, publicKey } = await generateKeyPair("RS256");
  const jwk = { ...(await exportJWK(publicKey)), kid: randomUUID(), alg: "RS256", use: "sig" };
  return { privateKey, jwk };
}

function claims(world: World, token: Token, repository: Repository): Record<string, string> {
  const run = repository.runs.find((other) => other.id === token.runId);
  const name = token.repository ?? "";
  const ref = run?.ref ?? `refs/heads/${repository.defaultBranch}`;
  const workflow = `${name}/${run?.path ?? ""}@${ref}`;
  return {
    sub: run?.event === "pull_request" ? `repo:${name}:pull_request` : `repo:${name}:ref:${ref}`,
    ref,
    ref_type: ref.startsWith("refs/tags/") ? "tag" : "branch",
    sha: run?.sha ?? "",
    repository: name,
    repository_id: String(repository.id),
    repository_owner: repository.owner,
    repository_owner_id: String(world.user(repository.owner).id),
    repository_visibility: repository.private ? "private" : "public",
    event_name: run?.event ?? "",
    workflow: run?.name ?? "",
    workflow_ref: workflow,
    workflow_sha: run?.sha ?? "",
    job_workflow_ref: workflow,
    job_workflow_sha: run?.sha ?? "",
    run_id: String(token.runId ?? ""),
    run_number: String(run?.runNumber ?? ""),
    run_attempt: String(run?.attempt ?? 1),
    actor: run?.actor ?? "",
    actor_id: run === undefined ? "" : String(world.user(run.actor).id),
    runner_environment: "self-hosted",
  };
}

/** Path a job asks for its identity at: `ACTIONS_ID_TOKEN_REQUEST_URL` is the origin with this behind it. */
export const ID_TOKEN_PATH = "/_oidc/token?api-version=2.0";

/** Identity tokens of jobs that have `id-token: write`, and what is needed to verify them. The issuer is the origin. */
export function mountOidc(app: Hono, world: World): void {
  let keys: Promise<Keys> | undefined;
  const signingKeys = (): Promise<Keys> => (keys ??= makeKeys());

  app.get("/.well-known/openid-configuration", (context) =>
    context.json({
      issuer: world.origin,
      jwks_uri: `${world.origin}/.well-known/jwks`,
      subject_types_supported: ["public", "pairwise"],
      response_types_supported: ["id_token"],
      id_token_signing_alg_values_supported: ["RS256"],
      scopes_supported: ["openid"],
      claims_supported: ["sub", "aud", "exp", "iat", "iss", "jti", "nbf", "ref", "repository", "workflow_ref"],
    }),
  );
  app.get("/.well-known/jwks", async (context) => context.json({ keys: [(await signingKeys()).jwk] }));
  app.get("/_oidc/token", async (context) => {
    try {
      const token = authenticate(world, context.req.header("authorization"));
      const repository = world.repositories.get(token?.repository ?? "");
      if (token === undefined || repository === undefined) throw requiresAuthentication();
      if (!hasRight(token, "id-token:write")) throw notAccessible(["id-token:write"]);
      const { privateKey, jwk } = await signingKeys();
      const now = Math.floor(world.clock.now().getTime() / 1000);
      const value = await new SignJWT(claims(world, token, repository))
        .setProtectedHeader({ alg: "RS256", typ: "JWT", kid: jwk.kid ?? "" })
        .setIssuer(world.origin)
        .setAudience(context.req.query("audience") ?? `${world.origin}/${repository.owner}`)
        .setJti(randomUUID())
        .setIssuedAt(now)
        .setNotBefore(now)
        .setExpirationTime(now + LIFETIME_S)
        .sign(privateKey);
      return context.json({ value });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return Response.json(error.body, { status: error.status });
    }
  });
}
