import { hash } from "node:crypto";
import type { Context, Result } from "../core/index.ts";
import { message, ok } from "../core/index.ts";
import { encodeFeedback, encodePredictions } from "../monitor/index.ts";
import type { FeedbackRow, LogStore, PredictionRow } from "../monitor/index.ts";
import type { Metrics } from "./metrics.ts";
import type { LoadedModel } from "./model.ts";
import type { Batch } from "./rows.ts";

export interface LogOptions {
  readonly logs: LogStore;
  /** A segment is written when so many rows wait. 500 when absent. */
  readonly flushRows?: number;
  /** A row waits at most so long. 10,000 ms when absent. */
  readonly flushMs?: number;
}

/** A store that is down must not fill the memory: beyond so many waiting rows the newest are dropped and counted. */
const MOST_WAITING = 20_000;

interface Waiting {
  readonly encode: (rows: readonly object[]) => Buffer;
  readonly model: string;
  readonly kind: "predictions" | "feedback";
  rows: { readonly time: number }[];
}

/** Rows on their way to the log. Logging never fails a request: what cannot be written is retried, then dropped. */
export class PredictionLog {
  readonly #context: Context;
  readonly #metrics: Metrics;
  readonly #logs: LogStore;
  readonly #flushRows: number;
  readonly #flushMs: number;
  readonly #waiting = new Map<string, Waiting>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<Result<number>> = Promise.resolve(ok(0));

  constructor(context: Context, metrics: Metrics, options: LogOptions) {
    this.#context = context;
    this.#metrics = metrics;
    this.#logs = options.logs;
    this.#flushRows = options.flushRows ?? 500;
    this.#flushMs = options.flushMs ?? 10_000;
  }

  /** Whether the requests of this id are in the sample: by hash, so that it can be told again later. */
  static sampled(id: string, share: number): boolean {
    return parseInt(hash("sha256", id, "hex").slice(0, 12), 16) / 2 ** 48 < share;
  }

  predictions(model: LoadedModel, batch: Batch): void {
    const { inputs, outputs } = batch;
    const key = JSON.stringify(["predictions", model.name, model.version, inputs.length, outputs.length]);
    const header = { model: model.name, version: model.version, inputs: [...inputs], outputs: [...outputs] };
    this.#add(key, batch.rows, () => ({
      model: model.name,
      kind: "predictions",
      encode: (rows) => encodePredictions(header, rows as PredictionRow[]),
      rows: [],
    }));
  }

  feedback(model: string, row: FeedbackRow): void {
    this.#add(JSON.stringify(["feedback", model]), [row], () => ({
      model,
      kind: "feedback",
      encode: (rows) => encodeFeedback(model, rows as FeedbackRow[]),
      rows: [],
    }));
  }

  #add(key: string, rows: readonly { readonly time: number }[], make: () => Waiting): void {
    const waiting = this.#waiting.get(key) ?? make();
    this.#waiting.set(key, waiting);
    const room = MOST_WAITING - waiting.rows.length;
    if (rows.length > room) this.#metrics.count("lockstep_log_rows_dropped_total", rows.length - Math.max(0, room));
    waiting.rows.push(...rows.slice(0, Math.max(0, room)));
    if (waiting.rows.length >= this.#flushRows) void this.flush();
    else this.#timer ??= setTimeout(() => void this.flush(), this.#flushMs).unref();
  }

  /** Writes all that waits; the number of rows written. One at a time, so that a row is in one segment only. */
  flush(): Promise<Result<number>> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(async () => this.#write());
    return this.#writing;
  }

  async #write(): Promise<Result<number>> {
    let written = 0;
    for (const waiting of this.#waiting.values()) {
      const { rows, model, kind } = waiting;
      if (rows.length === 0) continue;
      waiting.rows = [];
      const times = rows.map(({ time }) => time);
      const segment = { model, kind, rows: rows.length, from: Math.min(...times), to: Math.max(...times) };
      // oxlint-disable-next-line no-await-in-loop -- segments of one model stay in their order
      const appended = await this.#logs.append(segment, waiting.encode(rows));
      if (!appended.ok) {
        waiting.rows = [...rows, ...waiting.rows].slice(0, MOST_WAITING);
        this.#timer ??= setTimeout(() => void this.flush(), this.#flushMs).unref();
        const [failure] = appended.failures;
        this.#context.emit({ type: "warning", message: `the prediction log is not written: ${message(failure)}` });
        return appended;
      }
      written += rows.length;
      this.#metrics.count("lockstep_log_rows_total", rows.length);
    }
    return ok(written);
  }
}
