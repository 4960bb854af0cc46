import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as core from "@actions/core";
import type { z } from "zod";
import type { Provenance } from "../../src/config/index.ts";
import { declineTelemetry, listenForInterruption, ok } from "../../src/core/index.ts";
import type { Context, Result } from "../../src/core/index.ts";
import { ACTIONS_BOT, connect } from "../../src/github/client.ts";
import type { GitHub } from "../../src/github/client.ts";
import { gitWithToken, withoutCredentials } from "./credentials.ts";
import { readEvent, readInputs } from "./inputs.ts";
import { Log } from "./log.ts";

/** What the runner gave an action, read once. The one place of the actions that looks at `process`. */
export interface Action {
  /** Without any credential in its environment: what user code is started with. */
  readonly context: Context;
  readonly repository: string;
  readonly defaults: { readonly remote: "origin"; readonly author: { name: string; email: string } };
  /** URL of this run's page. */
  readonly runUrl: string;
  readonly order: { readonly runId: number; readonly attempt: number };
  /** Who vouches for what this run makes. */
  readonly provenance: (trusted: boolean) => Provenance;
  readonly sha: string;
  /** Branch the run is for. */
  readonly refName: string;
  /** Folder that is emptied after the job. */
  readonly temp: string;
  readonly eventName: string;
  event<Schema extends z.ZodType>(schema: Schema): Result<z.infer<Schema>>;
  inputs<Shape extends Record<string, z.ZodType>>(
    shape: Shape,
  ): Result<{ [Name in keyof Shape]: z.infer<Shape[Name]> }>;
  github(token: string, login: string): GitHub;
  /** The context whose git commands and requests to GitHub may use the token; never handed to user code. */
  withGit(token: string): Promise<Result<Context>>;
  output(name: string, value: string): void;
  /** Adds Markdown to the job's summary. */
  summary(markdown: string): Promise<void>;
}

/** Runs an action's body and tells the runner how it went: failures are values, and anything thrown is a bug. */
export async function start(body: (action: Action) => Promise<Result<unknown>>): Promise<void> {
  const log = new Log(process.env["RUNNER_TEMP"] || tmpdir(), process.env["RUNNER_DEBUG"] === "1");
  // A job that is cancelled, or whose machine is taken away, asks first.
  const { signal } = listenForInterruption(() => process.exit(130));
  declineTelemetry(process.env);
  try {
    const result = await body(read(process.env, log, signal));
    if (!result.ok) log.failed(result.failures);
  } catch (error) {
    log.crashed(error);
  }
  log.close();
  // Sockets that servers keep open must not keep the step running.
  process.stdout.write("", () => process.exit());
}

function read(env: NodeJS.ProcessEnv, log: Log, signal: AbortSignal): Action {
  const variable = (name: string): string => env[name] ?? "";
  const context: Context = {
    cwd: variable("GITHUB_WORKSPACE") || process.cwd(),
    env: withoutCredentials(env),
    now: () => new Date(),
    fetch: globalThis.fetch,
    emit: log.emit,
    signal,
  };
  const repository = variable("GITHUB_REPOSITORY");
  const order = { runId: Number(variable("GITHUB_RUN_ID")), attempt: Number(variable("GITHUB_RUN_ATTEMPT") || "1") };
  const eventName = variable("GITHUB_EVENT_NAME");
  let login = "";
  return {
    context,
    repository,
    get defaults() {
      const name = login || ACTIONS_BOT;
      // The number is that of the account; with it GitHub shows the commits as the bot's.
      const prefix = name === ACTIONS_BOT ? "41898282+" : "";
      return { remote: "origin" as const, author: { name, email: `${prefix}${name}@users.noreply.github.com` } };
    },
    runUrl: `${variable("GITHUB_SERVER_URL")}/${repository}/actions/runs/${order.runId}`,
    order,
    provenance: (trusted) => ({
      trusted,
      event: eventName,
      repository,
      headRepository: repository,
      workflow: variable("GITHUB_WORKFLOW_REF"),
      workflowCommit: variable("GITHUB_WORKFLOW_SHA"),
      runId: String(order.runId),
      runAttempt: order.attempt,
      actor: variable("GITHUB_ACTOR"),
    }),
    sha: variable("GITHUB_SHA"),
    refName: variable("GITHUB_REF_NAME"),
    temp: variable("RUNNER_TEMP") || tmpdir(),
    eventName,
    event: (schema) => {
      const path = variable("GITHUB_EVENT_PATH");
      return readEvent(schema, path === "" ? undefined : JSON.parse(readFileSync(path, "utf8")), eventName);
    },
    inputs: (shape) => readInputs(shape, (name) => core.getInput(name)),
    github: (token, name) => {
      log.mask(token);
      login = name;
      return connect({
        token,
        apiUrl: variable("GITHUB_API_URL") || "https://api.github.com",
        repository,
        emit: log.emit,
        ...(name === "" ? {} : { login: name }),
      });
    },
    withGit: async (token) => {
      log.mask(token);
      const auth = await gitWithToken(context, "origin", token);
      // The records and a store on GitHub are asked for with the same token.
      return auth.ok ? ok({ ...context, env: { ...context.env, ...auth.value, GITHUB_TOKEN: token } }) : auth;
    },
    output: (name, value) => core.setOutput(name, value),
    summary: async (markdown) => {
      if (variable("GITHUB_STEP_SUMMARY") !== "") await core.summary.addRaw(markdown, true).write();
    },
  };
}
