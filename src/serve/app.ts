import { hash, randomUUID } from "node:crypto";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { Context } from "../core/index.ts";
import { message } from "../core/index.ts";
import { ROW_ID } from "../monitor/index.ts";
import { parseFeedback } from "./feedback.ts";
import { Metrics } from "./metrics.ts";
import type { LoadedModel } from "./model.ts";
import { PredictionLog } from "./prediction-log.ts";
import { metadata, parseRequest, toFeeds, toResponse } from "./protocol.ts";
import type { Parsed, Refusal } from "./protocol.ts";
import { toRows } from "./rows.ts";
import type { Ort, Tensor } from "../onnx/index.ts";
import manifest from "../../package.json" with { type: "json" };

export interface AppOptions {
  readonly ort: Ort;
  /** Several versions of one model, or several models; the last of a name answers where no version is asked for. */
  readonly models: readonly LoadedModel[];
  readonly metrics: Metrics;
  readonly log: PredictionLog | undefined;
  /** True once the server is going away: it still answers, but is not ready. */
  readonly draining: () => boolean;
  /** Tells one process from another that has the same port later. */
  readonly instance: string;
}

const MAX_BODY = 32 * 1024 * 1024;

/** The Open Inference Protocol's REST routes, `/metrics`, feedback and the log's flush. */
export function createApp(context: Context, options: AppOptions): Hono {
  const { models, metrics, log } = options;
  const app = new Hono();
  const find = (name: string, version: string | undefined): LoadedModel | undefined =>
    models.findLast((model) => model.name === name && (version === undefined || String(model.version) === version));

  app.use(async (c, next) => {
    await next();
    c.header("lockstep-instance", options.instance);
    if (options.draining()) c.header("connection", "close");
  });
  app.use(
    bodyLimit({ maxSize: MAX_BODY, onError: (c) => c.json({ error: `a body is at most ${MAX_BODY} bytes` }, 413) }),
  );
  app.notFound((c) => c.json({ error: `there is no ${c.req.method} ${c.req.path}` }, 404));
  app.onError((error, c) => {
    context.emit({ type: "warning", message: `a request failed: ${error.stack ?? error.message}` });
    return c.json({ error: "the server failed at this request" }, 500);
  });

  app.get("/v2/health/live", (c) => c.json({ live: true }));
  app.get("/v2/health/ready", (c) => c.json({ ready: !options.draining() }, options.draining() ? 503 : 200));
  app.get("/v2", (c) => c.json({ name: "lockstep", version: manifest.version, extensions: [] }));
  app.get("/metrics", (c) => c.text(metrics.text(), 200, { "content-type": "text/plain; version=0.0.4" }));

  const versionsOf = (name: string): number[] =>
    models.filter((model) => model.name === name).map(({ version }) => version);
  for (const base of ["/v2/models/:model", "/v2/models/:model/versions/:version"] as const) {
    app.get(base, (c) => {
      const model = find(c.req.param("model"), versionParam(c.req.param()));
      return model === undefined ? unknown(c.req.param()) : c.json(metadata(model, versionsOf(model.name)));
    });
    app.get(`${base}/ready`, (c) => {
      const model = find(c.req.param("model"), versionParam(c.req.param()));
      if (model === undefined) return unknown(c.req.param());
      return c.json({ name: model.name, ready: !options.draining() }, options.draining() ? 503 : 200);
    });
    app.post(`${base}/infer`, async (c) => {
      const started = performance.now();
      const model = find(c.req.param("model"), versionParam(c.req.param()));
      if (model === undefined) return unknown(c.req.param());
      const labels = { model: model.name, version: String(model.version) };
      const answer = await infer(context, options, model, await json(c.req.raw));
      const status = "value" in answer ? 200 : answer.refusal.status;
      metrics.request({ ...labels, status }, (performance.now() - started) / 1000);
      return "value" in answer ? c.json(answer.value) : c.json({ error: answer.refusal.error }, answer.refusal.status);
    });
  }

  app.post("/v2/models/:model/feedback", async (c) => {
    const model = find(c.req.param("model"), undefined);
    if (model === undefined) return unknown(c.req.param());
    if (log === undefined) return c.json({ error: "this server keeps no log" }, 404);
    const body = await json(c.req.raw);
    const feedback = "value" in body ? parseFeedback(body.value, model.signature.classes) : body;
    if ("refusal" in feedback) return c.json({ error: feedback.refusal.error }, feedback.refusal.status);
    const time = context.now().getTime();
    for (const { id, label } of feedback.value) log.feedback(model.name, { id: logId(id), time, label });
    return c.json({ accepted: feedback.value.length });
  });
  app.post("/v2/logs/flush", async (c) => {
    if (log === undefined) return c.json({ error: "this server keeps no log" }, 404);
    const flushed = await log.flush();
    return flushed.ok ? c.json({ rows: flushed.value }) : c.json({ error: message(flushed.failures[0]) }, 503);
  });
  return app;
}

async function infer(
  context: Context,
  { ort, log }: AppOptions,
  model: LoadedModel,
  body: Parsed<unknown>,
): Promise<Parsed<ReturnType<typeof toResponse>>> {
  if ("refusal" in body) return body;
  const request = parseRequest(body.value);
  if ("refusal" in request) return request;
  const feeds = toFeeds(ort, model, request.value);
  if ("refusal" in feeds) return feeds;
  let results: Record<string, Tensor>;
  try {
    results = (await model.session.run(feeds.value)) as Record<string, Tensor>;
  } catch (error) {
    // Shapes that pass the declared ones can still not fit each other inside the network.
    const problem = error instanceof Error ? error.message : String(error);
    return { refusal: { status: 422, error: `the network refuses these inputs: ${problem}` } };
  }
  const id = request.value.id ?? randomUUID();
  const loggedId = logId(id);
  const wanted = request.value.parameters?.["log"] !== false && PredictionLog.sampled(loggedId, model.logSample);
  if (log !== undefined && wanted) {
    const batch = toRows(model, { id: loggedId, time: context.now().getTime() }, feeds.value, results);
    if (batch !== undefined) log.predictions(model, batch);
  }
  return {
    value: toResponse(
      model,
      id,
      results,
      request.value.outputs?.map(({ name }) => name),
    ),
  };
}

/** Any text may be an id in the protocol; one that is not plain or short is logged under its hash. */
function logId(id: string): string {
  return ROW_ID.test(id) && id.length <= 100 ? id : `h-${hash("sha256", id, "hex").slice(0, 32)}`;
}

async function json(request: Request): Promise<Parsed<unknown>> {
  try {
    return { value: await request.json() };
  } catch {
    return { refusal: { status: 400, error: "the body is not JSON" } satisfies Refusal };
  }
}

function versionParam(params: Readonly<Record<string, string>>): string | undefined {
  return params["version"];
}

function unknown({ model, version }: Readonly<Record<string, string>>): Response {
  const what = version === undefined ? `model "${model}"` : `version "${version}" of model "${model}"`;
  return Response.json({ error: `there is no ${what} here` }, { status: 404 });
}
