import type { Result } from "../core/index.ts";
import { ok } from "../core/index.ts";
import type { LogStore } from "./log-store.ts";
import { decodeFeedback, decodePredictions } from "./rows.ts";
import type { PredictionHeader, PredictionRow } from "./rows.ts";

/** One logged prediction with the truth, where it has arrived. */
export interface JoinedRow {
  readonly header: PredictionHeader;
  readonly row: PredictionRow;
  readonly label: string | undefined;
}

export interface WindowOptions {
  readonly model: string;
  readonly since: Date;
  /** Rows of other versions are left out; absent: all versions. */
  readonly version?: number;
  /** Only the newest so many. */
  readonly maxRows: number;
}

/**
 * The rows of a window, newest segment first, each id once (the newest wins), with the newest label said of it. Labels
 * are sought from the beginning of the window on: none is older than its request.
 */
export async function* readWindow(logs: LogStore, options: WindowOptions): AsyncGenerator<Result<JoinedRow>> {
  const { model, since, maxRows } = options;
  const labels = await readLabels(logs, model, since);
  if (!labels.ok) return yield labels;
  const segments = await logs.list(model, "predictions", since);
  if (!segments.ok) return yield segments;
  const seen = new Set<string>();
  for (const segment of segments.value) {
    const bytes = await logs.read(segment);
    if (!bytes.ok) return yield bytes;
    const decoded = decodePredictions(bytes.value);
    if (!decoded.ok) return yield decoded;
    const { header, rows } = decoded.value;
    if (options.version !== undefined && header.version !== options.version) continue;
    for (const row of rows.sort((a, b) => b.time - a.time)) {
      if (row.time < since.getTime() || seen.has(row.id)) continue;
      if (seen.size === maxRows) return;
      seen.add(row.id);
      yield ok({ header, row, label: labels.value.get(row.id) });
    }
  }
}

async function readLabels(logs: LogStore, model: string, since: Date): Promise<Result<ReadonlyMap<string, string>>> {
  const segments = await logs.list(model, "feedback", since);
  if (!segments.ok) return segments;
  const newest = new Map<string, { readonly time: number; readonly label: string }>();
  for (const segment of segments.value) {
    // oxlint-disable-next-line no-await-in-loop -- one segment in memory at a time
    const bytes = await logs.read(segment);
    if (!bytes.ok) return bytes;
    const decoded = decodeFeedback(bytes.value);
    if (!decoded.ok) return decoded;
    for (const { id, time, label } of decoded.value.rows) {
      const known = newest.get(id);
      if (known === undefined || time >= known.time) newest.set(id, { time, label });
    }
  }
  return ok(new Map([...newest].map(([id, { label }]) => [id, label])));
}

/** `36h` or `7d` in milliseconds. */
export function durationOf(window: string): number {
  const hours = parseInt(window, 10) * (window.endsWith("d") ? 24 : 1);
  return hours * 3_600_000;
}
