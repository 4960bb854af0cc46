import { fullName, roleOf } from "../rest/shape.ts";
import type { Repository, Role, Token, World } from "../world.ts";
import { ApiError, badCredentials, notAccessible, notFound, requiresAuthentication } from "./errors.ts";

/** What a route asks of its caller. */
export interface Need {
  /** Least role of a person. "anyone" is for what the public may see or, signed in, do on a public repository. */
  readonly person: "anyone" | Role;
  /** Rights of a job's token, spelled as in `permissions:`; any one of them will do. Empty: any token will do. */
  readonly token: readonly string[];
  readonly writes: boolean;
}

const RANK: Readonly<Record<string, number>> = { read: 1, write: 2, admin: 3 };

/** Token of an `Authorization` header: `token x`, `Bearer x`, or Basic with the token as password or user. */
export function authenticate(world: World, header: string | null | undefined): Token | undefined {
  if (header === null || header === undefined || header === "") return undefined;
  const [scheme = "", rest = ""] = header.split(/ +/, 2);
  if (/^basic$/i.test(scheme)) {
    const text = Buffer.from(rest, "base64").toString();
    const colon = text.indexOf(":");
    const token = world.tokens.get(text.slice(colon + 1)) ?? world.tokens.get(text.slice(0, colon));
    if (token === undefined) throw badCredentials();
    return token;
  }
  const token = /^(token|bearer)$/i.test(scheme) ? world.tokens.get(rest) : undefined;
  if (token === undefined) throw badCredentials();
  return token;
}

/** True when a job's token was given `need`, as in `issues:write`. */
export function hasRight(token: Token, need: string): boolean {
  const [name = "", level = ""] = need.split(":");
  return (RANK[token.permissions?.[name] ?? "none"] ?? 0) >= (RANK[level] ?? 0);
}

/**
 * Lets the caller pass or throws GitHub's answer: what is private is not there for those who may not see it; who may
 * see it but lacks the right is told so.
 */
export function authorize(repository: Repository | undefined, token: Token | undefined, need: Need): Repository {
  if (repository === undefined) throw notFound();
  if (token?.permissions !== undefined) return authorizeJob(repository, token, need);
  const role = token === undefined ? undefined : roleOf(repository, token.login);
  if (role === undefined && repository.private) throw notFound();
  if (need.writes && token === undefined) throw requiresAuthentication();
  if (need.person === "anyone") return repository;
  if (role === undefined || (RANK[role] ?? 0) < (RANK[need.person] ?? 0)) {
    throw role === undefined && need.person === "read"
      ? notFound()
      : new ApiError(403, "Must have admin rights to Repository.");
  }
  return repository;
}

function authorizeJob(repository: Repository, token: Token, need: Need): Repository {
  if (token.repository !== fullName(repository)) {
    if (repository.private) throw notFound();
    if (need.writes) throw notAccessible(need.token);
    return repository;
  }
  if (need.token.length > 0 && !need.token.some((right) => hasRight(token, right))) throw notAccessible(need.token);
  return repository;
}
