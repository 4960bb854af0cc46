import type { Hono } from "hono";
import { z } from "zod";
import type { Repository, Token, World, WorkflowRun } from "../world.ts";

/** An error of the protocol; clients read `msg`, and retry on 5xx only. */
export class TwirpError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** The job that calls, by its runtime token. */
export interface Caller {
  readonly world: World;
  readonly token: Token;
  readonly repository: Repository;
  readonly run: WorkflowRun | undefined;
  readonly runId: number;
  readonly jobId: number;
}

export type Method = (caller: Caller, request: unknown) => Promise<object> | object;

/** Reads a request by schema; unknown fields are left alone, as the protocol wants. */
export function parse<T>(schema: z.ZodType<T>, request: unknown): T {
  const parsed = schema.safeParse(request);
  if (parsed.success) return parsed.data;
  throw new TwirpError(400, "malformed", z.prettifyError(parsed.error));
}

function callerOf(world: World, authorization: string | undefined): Caller {
  const token = world.tokens.get((authorization ?? "").replace(/^Bearer /i, ""));
  const repository = world.repositories.get(token?.repository ?? "");
  if (token?.runId === undefined || token.jobId === undefined || repository === undefined) {
    throw new TwirpError(401, "unauthenticated", "the runtime token is not that of a job");
  }
  const run = repository.runs.find((other) => other.id === token.runId);
  return { world, token, repository, run, runId: token.runId, jobId: token.jobId };
}

/** Serves `service` as JSON over HTTP at the path its clients expect. */
export function mountService(
  app: Hono,
  world: World,
  service: string,
  methods: Readonly<Record<string, Method>>,
): void {
  app.post(`/twirp/github.actions.results.api.v1.${service}/:method`, async (context) => {
    try {
      const caller = callerOf(world, context.req.header("authorization"));
      const method = methods[context.req.param("method")];
      if (method === undefined)
        throw new TwirpError(404, "bad_route", `${service} has no ${context.req.param("method")}`);
      return context.json(await method(caller, await context.req.json()));
    } catch (error) {
      if (!(error instanceof TwirpError)) throw error;
      return Response.json({ code: error.code, msg: error.message }, { status: error.status });
    }
  });
}
