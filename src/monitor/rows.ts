import { z } from "zod";
import { fail, ok } from "../core/index.ts";
import type { Result } from "../core/index.ts";

/** What is logged of a value: NaN and what JSON cannot say become null. */
const value = z.union([z.number(), z.string(), z.boolean(), z.null()]);
export type LoggedValue = z.infer<typeof value>;

/** Ids travel into CSV files, tables and file names of a pull request, so they are held short and plain. */
export const ROW_ID = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$/;
const id = z.string().regex(ROW_ID);

const predictionHeader = z.strictObject({
  format: z.literal("lockstep-predictions/1"),
  model: z.string(),
  version: z.number().int().min(1),
  /** Names of the flattened input and output columns, in the order of each row's values. */
  inputs: z.array(z.string()).max(100_000),
  outputs: z.array(z.string()).max(100_000),
});
const predictionRow = z.strictObject({
  id,
  /** Ms since the epoch. */
  time: z.number().int().min(0),
  inputs: z.array(value),
  outputs: z.array(value),
  /** Class name, or the number of a regression; null when the output has neither form. */
  prediction: z.union([z.string(), z.number(), z.null()]),
});
const feedbackHeader = z.strictObject({ format: z.literal("lockstep-feedback/1"), model: z.string() });
const feedbackRow = z.strictObject({
  id,
  time: z.number().int().min(0),
  /** The truth, as somebody out there says it. */
  label: z.string().max(1000),
});

export type PredictionHeader = z.infer<typeof predictionHeader>;
export type PredictionRow = z.infer<typeof predictionRow>;
export type FeedbackRow = z.infer<typeof feedbackRow>;

/** A segment's bytes: JSON lines, the first of which describes the others. */
export function encodeRows(header: object, rows: readonly object[]): Buffer {
  return Buffer.from(`${[header, ...rows].map((line) => JSON.stringify(line)).join("\n")}\n`);
}

export function encodePredictions(header: Omit<PredictionHeader, "format">, rows: readonly PredictionRow[]): Buffer {
  return encodeRows({ format: "lockstep-predictions/1", ...header }, rows);
}

export function encodeFeedback(model: string, rows: readonly FeedbackRow[]): Buffer {
  return encodeRows({ format: "lockstep-feedback/1", model }, rows);
}

/** Reads a segment of predictions. One line that does not fit refuses the segment: it is not ours then. */
export function decodePredictions(bytes: Buffer): Result<{ header: PredictionHeader; rows: PredictionRow[] }> {
  const decoded = decode(bytes, predictionHeader, predictionRow);
  if (!decoded.ok) return decoded;
  const { header, rows } = decoded.value;
  const odd = rows.some(
    (row) => row.inputs.length !== header.inputs.length || row.outputs.length !== header.outputs.length,
  );
  return odd ? damaged("a row has another number of values than its header has names") : decoded;
}

export function decodeFeedback(bytes: Buffer): Result<{ header: { model: string }; rows: FeedbackRow[] }> {
  return decode(bytes, feedbackHeader, feedbackRow);
}

function decode<H extends z.ZodType, R extends z.ZodType>(
  bytes: Buffer,
  header: H,
  row: R,
): Result<{ header: z.infer<H>; rows: z.infer<R>[] }> {
  const lines = bytes.toString().split("\n");
  if (lines.at(-1) === "") lines.pop();
  try {
    const [first, ...rest] = lines.map((line): unknown => JSON.parse(line));
    const parsed = z.object({ header, rows: z.array(row) }).safeParse({ header: first, rows: rest });
    if (!parsed.success) return damaged(z.prettifyError(parsed.error).split("\n")[0] ?? "");
    return ok(parsed.data as { header: z.infer<H>; rows: z.infer<R>[] });
  } catch (error) {
    return damaged(String(error));
  }
}

function damaged(problem: string): Result<never> {
  return fail({ code: "external", what: "a segment of the prediction log", problem });
}
