import { hash, randomUUID } from "node:crypto";
import type { Observer } from "../observe.ts";
import { NEEDS } from "../rest/permissions.ts";
import { ROUTES } from "../rest/routes.ts";
import type { Repository, Token, World } from "../world.ts";
import { authenticate, authorize } from "./access.ts";
import type { Call, Reply } from "./call.ts";
import { ApiError, notFound } from "./errors.ts";
import { isSpent, rateHeaders, rateLimitExceeded, refund, spend, type Rate } from "./rate.ts";
import { router, type Match } from "./route.ts";

const find = router(ROUTES);

async function parseBody(request: Request, match: Match): Promise<unknown> {
  // An asset's body is the asset.
  if (match.template.endsWith("/assets") || request.body === null) return undefined;
  const text = await request.text();
  if (text === "") return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new ApiError(400, "Problems parsing JSON");
  }
}

/** Parameters are decoded once here; a path that cannot be decoded names nothing. */
function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw notFound();
  }
}

async function answer(world: World, request: Request, path: string, state: State): Promise<Reply> {
  state.token = authenticate(world, request.headers.get("authorization"));
  const match = find(request.method, decode(path));
  state.match = match;
  state.rate = spend(world, state.token, match?.template === "/rate_limit" ? 0 : 1);
  if (isSpent(world, state.token) && match?.template !== "/rate_limit") throw rateLimitExceeded(state.token);
  if (match === undefined) throw notFound();
  const { owner, repo } = match.params;
  const need = NEEDS[match.name];
  if (need === undefined) throw new Error(`no permission is written down for ${match.name}`);
  const repository =
    owner === undefined ? undefined : authorize(world.repositories.get(`${owner}/${repo}`), state.token, need);
  const url = new URL(request.url);
  const call: Omit<Call, "repository"> = {
    world,
    token: state.token,
    params: match.params,
    query: url.searchParams,
    url: new URL(`/api/v3${path}${url.search}`, world.origin),
    request,
    body: (state.body = await parseBody(request, match)),
  };
  // Only routes with `{owner}/{repo}` ask for the repository.
  return match.handler({ ...call, repository: repository as Repository });
}

interface State {
  token?: Token | undefined;
  match?: Match | undefined;
  rate?: Rate;
  body?: unknown;
}

/** Answers one API request below `prefix`, logs it and shows it to the observer. */
export async function handleRest(
  world: World,
  request: Request,
  prefix: string,
  observer: Observer | undefined,
): Promise<Response> {
  const path = new URL(request.url).pathname.slice(prefix.length);
  const state: State = {};
  const answered = await answer(world, request, path, state).catch((error: unknown): Reply => {
    if (!(error instanceof ApiError)) throw error;
    return { status: error.status, body: error.body, headers: error.headers };
  });
  const result = conditional(request, answered);
  if (result.status === 304) state.rate = refund(world, state.token);
  const headers: Record<string, string> = {
    "x-github-request-id": randomUUID().toUpperCase(),
    "x-github-media-type": "github.v3; format=json",
    "x-github-api-version-selected": request.headers.get("x-github-api-version") ?? "2022-11-28",
    "cache-control": "private, max-age=60, s-maxage=60",
    ...(state.rate === undefined ? {} : rateHeaders(state.rate)),
    ...(result.body === undefined ? {} : { "content-type": "application/json; charset=utf-8" }),
    ...result.headers,
  };
  record(world, request, path, state, result);
  observer?.({
    method: request.method,
    path,
    query: Object.fromEntries(new URL(request.url).searchParams),
    requestBody: state.body,
    status: result.status,
    responseHeaders: headers,
    responseBody: result.body,
  });
  if (result.bytes !== undefined) return new Response(result.bytes, { status: result.status, headers });
  return new Response(result.body === undefined ? null : JSON.stringify(result.body), {
    status: result.status,
    headers,
  });
}

/** Gives what is read an `ETag`, and no body to a client that has it already. */
function conditional(request: Request, result: Reply): Reply {
  if (request.method !== "GET" || result.status !== 200 || result.body === undefined) return result;
  const etag = `W/"${hash("sha256", JSON.stringify(result.body))}"`;
  const headers = { ...result.headers, etag };
  return request.headers.get("if-none-match") === etag ? { status: 304, headers } : { ...result, headers };
}

function record(world: World, request: Request, path: string, state: State, result: Reply): void {
  const { token, match } = state;
  world.requestLog.push({
    method: request.method,
    route: match?.template ?? path,
    path,
    status: result.status,
    login: token?.login ?? "",
    ...(token?.runId === undefined ? {} : { runId: token.runId }),
    ...(token?.jobId === undefined ? {} : { jobId: token.jobId }),
    at: world.clock.now().getTime(),
  });
}
