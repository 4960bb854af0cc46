import { Command } from "commander";
import { fail, ok } from "../../core/index.ts";
import type { Context, Result } from "../../core/index.ts";
import type { Answer, Edge } from "../command.ts";

interface Options {
  readonly port: string;
  readonly host: string;
  readonly log: boolean;
  readonly flushRows: string;
  readonly flushMs: string;
}

export function build(edge: Edge): Command {
  return new Command("serve")
    .summary("answer inference requests for a version of a model")
    .description("Serves a version over the Open Inference Protocol v2, until Ctrl-C.")
    .argument("<model>", "name, name@alias or name@version (churn@3, churn@v3); production when none is said")
    .option("--port <n>", "port; 0 for any", "8080")
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--no-log", "keep no prediction log and take no feedback")
    .option("--flush-rows <n>", "rows that make a segment of the log", "500")
    .option("--flush-ms <n>", "longest wait of a row for its segment", "10000")
    .action(async (model: string, options: Options) => edge.out.answer(await run(edge, model, options)));
}

async function run(edge: Edge, reference: string, options: Options): Promise<Result<Answer>> {
  const numbers = [options.port, options.flushRows, options.flushMs];
  if (!numbers.every((text) => /^\d{1,9}$/.test(text)) || Number(options.port) > 65_535) {
    return fail({ code: "usage", message: "--port, --flush-rows and --flush-ms are whole numbers" });
  }
  const context = edge.context();
  const { fetchModel, resolveModel, startServer } = await import("../../serve/index.ts");
  const { workingTree } = await import("../../git/index.ts");
  const { localCache, openStore, storeUrl } = await import("../../store/index.ts");
  const source = workingTree(context);
  const resolved = await resolveModel(source, reference);
  if (!resolved.ok) return resolved;
  const url = await storeUrl(context, source);
  if (!url.ok) return url;
  const store = openStore(context, url.value);
  if (!store.ok) return store;
  const model = await fetchModel(resolved.value, [localCache(context), store.value]);
  if (!model.ok) return model;
  const log = options.log ? await openLog(context, url.value, options) : ok(undefined);
  if (!log.ok) return log;
  const server = await startServer(context, {
    models: [model.value],
    port: Number(options.port),
    host: options.host,
    ...(log.value === undefined ? {} : { log: log.value }),
  });
  if (!server.ok) return server;
  const { name, version } = model.value;
  edge.out.line(`${name} version ${version} answers at ${server.value.url}/v2/models/${name}`);
  await new Promise<void>((resolve) => {
    if (context.signal?.aborted) resolve();
    context.signal?.addEventListener("abort", () => resolve(), { once: true });
  });
  const drained = await server.value.drain();
  return drained.ok ? ok({ json: { model: name, version, url: server.value.url }, text: "" }) : drained;
}

async function openLog(
  context: Context,
  url: string,
  { flushRows, flushMs }: Options,
): Promise<Result<{ logs: import("../../monitor/index.ts").LogStore; flushRows: number; flushMs: number }>> {
  const { openLogs } = await import("../../monitor/index.ts");
  const logs = openLogs(context, url);
  return logs.ok ? ok({ logs: logs.value, flushRows: Number(flushRows), flushMs: Number(flushMs) }) : logs;
}
