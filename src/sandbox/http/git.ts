import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { Readable } from "node:stream";
import type { Hono } from "hono";
import { requestBody } from "../blobs.ts";
import { BY_JOB } from "../repository/create.ts";
import { envArguments } from "../repository/git.ts";
import { changeRefs } from "../repository/refs.ts";
import { fullName } from "../rest/shape.ts";
import { ACTIONS_BOT } from "../state.ts";
import type { Repository, Token, World } from "../world.ts";
import { authenticate, authorize } from "./access.ts";
import { ApiError } from "./errors.ts";

function refusal(repository: string, token: Token | undefined, error: ApiError): Response {
  const text = (status: number, message: string, headers: Record<string, string> = {}): Response =>
    new Response(`${message}\n`, { status, headers: { "content-type": "text/plain; charset=utf-8", ...headers } });
  // Git asks for a password only when it is told that one is wanted.
  if (error.status === 401 || token === undefined) {
    return text(401, "Invalid username or token.", { "www-authenticate": 'Basic realm="GitHub"' });
  }
  if (error.status === 404) return text(404, "Repository not found.");
  return text(403, `Permission to ${repository}.git denied to ${token.login}.`);
}

/** Git over smart HTTP, spoken by `git http-backend`. */
export function mountGit(app: Hono, world: World): void {
  app.on(["GET", "POST"], "/:owner/:name/:service{info/refs|git-upload-pack|git-receive-pack}", async (context) => {
    const url = new URL(context.req.url);
    const { owner, service } = context.req.param();
    const name = context.req.param("name").replace(/\.git$/, "");
    const writes = service === "git-receive-pack" || url.searchParams.get("service") === "git-receive-pack";
    let token: Token | undefined;
    let response: Response;
    try {
      token = authenticate(world, context.req.header("authorization"));
      const need = writes
        ? ({ person: "write", token: ["contents:write"], writes } as const)
        : ({ person: "anyone", token: ["contents:read"], writes } as const);
      const repository = authorize(world.repositories.get(`${owner}/${name}`), token, need);
      response = await serve(world, repository, token, context.req.raw, service);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      response = refusal(`${owner}/${name}`, token, error);
    }
    world.requestLog.push({
      method: context.req.method,
      route: url.pathname,
      path: url.pathname,
      status: response.status,
      login: token?.login ?? "",
      ...(token?.runId === undefined ? {} : { runId: token.runId }),
      ...(token?.jobId === undefined ? {} : { jobId: token.jobId }),
      at: world.clock.now().getTime(),
    });
    return response;
  });
}

async function serve(
  world: World,
  repository: Repository,
  token: Token | undefined,
  request: Request,
  service: string,
): Promise<Response> {
  if (service !== "git-receive-pack") return cgiResponse(backend(repository, token, request, service));
  // The answer is held back until the world knows what moved: when `git push` returns, its events have been sent.
  const mover = { login: token?.login ?? "", byJobToken: token?.login === ACTIONS_BOT.login };
  return changeRefs(world, repository, mover, async () => {
    const response = await cgiResponse(backend(repository, token, request, service));
    const body = await response.arrayBuffer();
    return new Response(body, { status: response.status, headers: response.headers });
  });
}

function backend(repository: Repository, token: Token | undefined, request: Request, service: string): ChildProcess {
  const length = request.headers.get("content-length");
  const env = {
    GIT_PROJECT_ROOT: repository.gitDir,
    GIT_HTTP_EXPORT_ALL: "1",
    GIT_PROTOCOL: request.headers.get("git-protocol") ?? "",
    PATH_INFO: `/${service}`,
    QUERY_STRING: new URL(request.url).search.slice(1),
    REQUEST_METHOD: request.method,
    REMOTE_ADDR: "127.0.0.1",
    REMOTE_USER: token?.login ?? "",
    CONTENT_TYPE: request.headers.get("content-type") ?? "",
    HTTP_CONTENT_ENCODING: request.headers.get("content-encoding") ?? "",
    ...(length === null ? {} : { CONTENT_LENGTH: length }),
    [BY_JOB]: token?.login === ACTIONS_BOT.login ? "1" : "0",
    // `git update-ref` writes a reflog entry for whoever this is.
    GIT_COMMITTER_NAME: fullName(repository),
    GIT_COMMITTER_EMAIL: "noreply@github.com",
  };
  const child = spawn("env", [...envArguments(env), "http-backend"], { stdio: ["pipe", "pipe", "ignore"] });
  child.stdin.on("error", () => {}); // it may end before it has read everything
  requestBody(request)
    .on("error", () => child.kill())
    .pipe(child.stdin);
  return child;
}

const MAX_HEAD = 64 * 1024;

/** Reads the CGI headers and gives the rest as the body. */
async function cgiResponse(child: ChildProcess): Promise<Response> {
  const stdout = child.stdout;
  if (stdout === null) throw new Error("git http-backend has no output");
  const failed = once(child, "error").then(([error]: unknown[]) => Promise.reject(error as Error));
  let head = Buffer.alloc(0);
  let end = -1;
  while (end < 0) {
    const chunk = stdout.read() as Buffer | null;
    if (chunk === null) {
      if (stdout.readableEnded || head.length > MAX_HEAD) throw new Error("git http-backend sent no headers");
      await Promise.race([once(stdout, "readable"), once(stdout, "end"), failed]);
      continue;
    }
    head = Buffer.concat([head, chunk]);
    end = head.indexOf("\r\n\r\n");
  }
  failed.catch(() => {});
  stdout.unshift(head.subarray(end + 4));
  const headers = new Headers();
  let status = 200;
  for (const line of head.subarray(0, end).toString("latin1").split("\r\n")) {
    const colon = line.indexOf(":");
    const [name, value] = [line.slice(0, colon), line.slice(colon + 1).trim()];
    if (name.toLowerCase() === "status") status = Number.parseInt(value, 10);
    else headers.append(name, value);
  }
  return new Response(Readable.toWeb(stdout) as ReadableStream<Uint8Array>, { status, headers });
}
