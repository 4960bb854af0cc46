import { z } from "zod";
import { ACTIONS_BOT } from "../state.ts";
import type { Mover } from "../repository/refs.ts";
import type { Repository, Token, World } from "../world.ts";
import { invalidRequest, requiresAuthentication } from "./errors.ts";

export interface Reply {
  readonly status: number;
  /** JSON; undefined for none. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Instead of `body`: bytes as they are. */
  readonly bytes?: Uint8Array | ReadableStream<Uint8Array>;
}

export const reply = (status: number, body?: unknown, headers: Readonly<Record<string, string>> = {}): Reply => ({
  status,
  ...(body === undefined ? {} : { body }),
  headers,
});

/** One API request, authorised and with its repository found. */
export interface Call {
  readonly world: World;
  readonly token: Token | undefined;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The URL that was asked for. */
  readonly url: URL;
  readonly request: Request;
  /** Parsed JSON body; undefined when there was none. */
  readonly body: unknown;
  /** The repository of the path; a route without one must not ask. */
  readonly repository: Repository;
}

export type Handler = (call: Call) => Promise<Reply> | Reply;

/** Login of the caller; every route that changes something needs one. */
export function actor(call: Call): string {
  if (call.token === undefined) throw requiresAuthentication();
  return call.token.login;
}

export function mover(call: Call): Mover {
  return { login: actor(call), byJobToken: actor(call) === ACTIONS_BOT.login };
}

/** The JSON body by a schema; what does not fit is a 422 that says where. */
export function body<T>(call: Call, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(call.body ?? {});
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = issue?.path.join("/") ?? "";
  const missing = issue?.code === "invalid_type" && /received undefined/.test(issue.message);
  throw invalidRequest(
    missing ? `"${path}" wasn't supplied.` : `For '${path === "" ? "/" : `properties/${path}`}', ${issue?.message}.`,
  );
}

/** A path parameter that is a number; anything else names nothing. */
export function numberParam(call: Call, name: string): number {
  const value = call.params[name] ?? "";
  return /^\d+$/.test(value) ? Number(value) : -1;
}

const MAX_PER_PAGE = 100;
const DEFAULT_PER_PAGE = 30;

/** One page of a list, with GitHub's `Link` header. `wrap` makes the body, for lists with a total. */
export function page<T>(
  call: Call,
  items: readonly T[],
  wrap: (items: readonly T[], total: number) => unknown = (some) => some,
): Reply {
  const positive = (name: string, otherwise: number): number => {
    const value = Number(call.query.get(name) ?? otherwise);
    return Number.isInteger(value) && value > 0 ? value : otherwise;
  };
  const perPage = Math.min(positive("per_page", DEFAULT_PER_PAGE), MAX_PER_PAGE);
  const current = positive("page", 1);
  const last = Math.max(1, Math.ceil(items.length / perPage));
  const link = (number: number, rel: string): string => {
    const url = new URL(call.url);
    url.searchParams.set("page", String(number));
    return `<${url.href}>; rel="${rel}"`;
  };
  const links = [
    ...(current > 1 ? [link(current - 1, "prev")] : []),
    ...(current < last ? [link(current + 1, "next"), link(last, "last")] : []),
    ...(current > 1 ? [link(1, "first")] : []),
  ];
  const some = items.slice((current - 1) * perPage, current * perPage);
  return reply(200, wrap(some, items.length), links.length === 0 ? {} : { link: links.join(", ") });
}
