import { randomUUID } from "node:crypto";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { all, fail, ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { createApp } from "./app.ts";
import { Metrics } from "./metrics.ts";
import { loadModel } from "./model.ts";
import type { ServedModel } from "./model.ts";
import { PredictionLog } from "./prediction-log.ts";
import type { LogOptions } from "./prediction-log.ts";
import { loadRuntime } from "../onnx/index.ts";

export interface ServerOptions {
  readonly models: readonly ServedModel[];
  /** 127.0.0.1 when absent: who wants the world to ask says so. */
  readonly host?: string;
  /** 0 or absent: the system chooses. */
  readonly port?: number;
  /** Absent: nothing is logged and no feedback is taken. */
  readonly log?: LogOptions;
  /** Folders to look for onnxruntime-node in, after the place this code is installed in. */
  readonly runtimeRoots?: readonly string[];
  /** Value of the `lockstep-instance` header of every answer. */
  readonly instance?: string;
}

export interface RunningServer {
  /** Without a final slash. */
  readonly url: string;
  readonly port: number;
  /** Answers on a second port too, shared with whoever has it now: how a new version takes over without a gap. */
  listenAlso(port: number): Promise<Result<void>>;
  /** Writes the rows that wait for the log now; their number. */
  flush(): Promise<Result<number>>;
  /** Takes no new connection, finishes what it has begun, writes the log. Calling it twice is calling it once. */
  drain(): Promise<Result<void>>;
}

/** A connection that stays idle is closed at once; one that is still answering gets so long. */
const LONGEST_ANSWER_MS = 10_000;

/** Starts the inference server. It answers when this returns; models that do not load are failures. */
export async function startServer(context: Context, options: ServerOptions): Promise<Result<RunningServer>> {
  const ort = await loadRuntime(options.runtimeRoots ?? [context.cwd]);
  if (!ort.ok) return ort;
  const models = all(await Promise.all(options.models.map(async (model) => loadModel(ort.value, model))));
  if (!models.ok) return models;
  const metrics = new Metrics();
  const log = options.log === undefined ? undefined : new PredictionLog(context, metrics, options.log);
  let draining: Promise<Result<void>> | undefined;
  const app = createApp(context, {
    ort: ort.value,
    models: models.value,
    metrics,
    log,
    draining: () => draining !== undefined,
    instance: options.instance ?? randomUUID(),
  });
  const host = options.host ?? "127.0.0.1";
  const servers: Server[] = [];
  const listen = async (port: number, shared: boolean): Promise<Result<number>> => {
    const server = createAdaptorServer({ fetch: app.fetch }) as Server;
    const listening = await open(server, host, port, shared);
    if (listening.ok) servers.push(server);
    return listening;
  };
  const port = await listen(options.port ?? 0, false);
  if (!port.ok) return port;
  const finish = async (): Promise<Result<void>> => {
    await Promise.all(servers.map(close));
    const flushed = (await log?.flush()) ?? ok(0);
    await Promise.all(models.value.map(async ({ session }) => session.release()));
    return flushed.ok ? ok() : flushed;
  };
  return ok({
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port.value}`,
    port: port.value,
    async listenAlso(also) {
      const listening = await listen(also, true);
      return listening.ok ? ok() : listening;
    },
    async flush() {
      return (await log?.flush()) ?? ok(0);
    },
    drain: () => (draining ??= finish()),
  });
}

async function open(server: Server, host: string, port: number, shared: boolean): Promise<Result<number>> {
  return new Promise((resolve) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const problem = error.code === "EADDRINUSE" ? "another program has this port" : error.message;
      resolve(fail({ code: "external", what: `listening on ${host}:${port}`, problem, cause: error }));
    });
    server.listen({ host, port, reusePort: shared }, () => resolve(ok((server.address() as AddressInfo).port)));
  });
}

async function close(server: Server): Promise<void> {
  const late = setTimeout(() => server.closeAllConnections(), LONGEST_ANSWER_MS);
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeIdleConnections();
  await closed;
  clearTimeout(late);
}
