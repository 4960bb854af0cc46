import { rename, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { declineTelemetry, describe } from "../core/index.ts";
import type { Context, Failed } from "../core/index.ts";
import { openLogs } from "../monitor/index.ts";
import { readPackage } from "./package.ts";
import { startServer } from "./server.ts";

/**
 * The served process: `node serve.js --package DIR [--port N] [--host H] [--logs URL] [--ready FILE]
 * [--public-port N] [--instance TEXT] [--flush-rows N] [--flush-ms N]`. It reads nothing but the package and the
 * store of the log. SIGTERM drains and ends it; SIGUSR2 makes it take the public port.
 */
const { values } = parseArgs({
  options: {
    package: { type: "string" },
    host: { type: "string" },
    port: { type: "string", default: "0" },
    "public-port": { type: "string" },
    logs: { type: "string" },
    ready: { type: "string" },
    instance: { type: "string" },
    modules: { type: "string" },
    "flush-rows": { type: "string" },
    "flush-ms": { type: "string" },
  },
});
declineTelemetry(process.env);
const context: Context = {
  cwd: process.cwd(),
  env: process.env,
  now: () => new Date(),
  fetch: globalThis.fetch,
  emit: (event) => {
    if ("message" in event) process.stderr.write(`${event.type}: ${event.message}\n`);
  },
};

function stop({ failures }: Failed): never {
  process.stderr.write(`${failures.map((failure) => describe(failure)).join("\n")}\n`);
  process.exit(3);
}

/** Whoever started this process waits for the file; it appears whole. */
async function tell(facts: object): Promise<void> {
  if (values.ready === undefined) return;
  await writeFile(`${values.ready}.new`, JSON.stringify(facts));
  await rename(`${values.ready}.new`, values.ready);
}

const model = await readPackage(values.package ?? ".");
if (!model.ok) stop(model);
const logs = values.logs === undefined ? undefined : openLogs(context, values.logs);
if (logs?.ok === false) stop(logs);
const number = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));
const flushRows = number(values["flush-rows"]);
const flushMs = number(values["flush-ms"]);
const server = await startServer(context, {
  models: [model.value],
  port: Number(values.port),
  runtimeRoots: [values.modules ?? context.cwd],
  ...(values.host === undefined ? {} : { host: values.host }),
  ...(values.instance === undefined ? {} : { instance: values.instance }),
  ...(logs === undefined
    ? {}
    : {
        log: {
          logs: logs.value,
          ...(flushRows === undefined ? {} : { flushRows }),
          ...(flushMs === undefined ? {} : { flushMs }),
        },
      }),
});
if (!server.ok) stop(server);
const running = server.value;
const end = (): void => {
  void running.drain().then((drained) => {
    if (!drained.ok) stop(drained);
    process.exit(0);
  });
};
process.on("SIGTERM", end);
process.on("SIGINT", end);
process.on("SIGUSR2", () => {
  const port = Number(values["public-port"]);
  void running.listenAlso(port).then(async (listening) => {
    if (!listening.ok) stop(listening);
    return tell({ port: running.port, publicPort: port });
  });
});
process.stderr.write(`${model.value.name} version ${model.value.version} answers on ${running.url}\n`);
await tell({ port: running.port });
