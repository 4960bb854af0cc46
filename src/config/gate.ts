import { z } from "zod";

const bytes = z
  .string()
  .regex(/^\d+(\.\d+)?\s?(B|kB|KB|MB|GB|KiB|MiB|GiB)$/, "a size is a number and a unit, as in 50MB");
const time = z.string().regex(/^\d+(\.\d+)?\s?(us|ms|s)$/, "a latency is a number and us, ms or s, as in 20ms");
const reference = z.enum(["base", "production"]);
const ratio = z.number().positive();
/** `*`: every value of every slice column; a column: its every value; `column=value`: that one. */
const slice = z.string().min(1);
/** Rows that each slice has to have; without it a slice of few rows is told and not judged. */
const minRows = z.number().int().min(1);
const sliced = { slice: slice.optional(), min_rows: minRows.optional() };

/** The value itself is held. */
const valueGate = z
  .strictObject({ metric: z.string(), min: z.number().optional(), max: z.number().optional(), ...sliced })
  .refine(
    ({ min, max }) => min !== undefined || max !== undefined,
    "a gate on a metric has min, max or max_regression",
  );
/** Counts in the metric's bad direction and is judged on the interval's bound. */
const regressionGate = z.strictObject({
  metric: z.string(),
  max_regression: z.number().min(0),
  against: reference.optional(),
  ...sliced,
});
/** Time that one request of one row takes in ONNX Runtime; `max_ratio` is against another model, on the same machine. */
const latencyGate = z
  .strictObject({
    latency: z.enum(["p50", "p95", "p99"]),
    max: time.optional(),
    max_ratio: ratio.optional(),
    against: reference.optional(),
  })
  .refine(({ max, max_ratio }) => max !== undefined || max_ratio !== undefined, "a latency gate has max or max_ratio");
const throughputGate = z.strictObject({
  throughput: z
    .strictObject({
      /** Rows in a second. */
      min: z.number().positive().optional(),
      min_ratio: ratio.optional(),
      against: reference.optional(),
    })
    .refine(
      ({ min, min_ratio }) => min !== undefined || min_ratio !== undefined,
      "a throughput gate has min or min_ratio",
    ),
});

/** A rule on a metric. */
export const metricGateSchema = z.union([valueGate, regressionGate]);

/** A rule a candidate must pass. */
export const gateSchema = z.union([
  valueGate,
  regressionGate,
  z.strictObject({ file: z.string(), max_size: bytes }),
  latencyGate,
  throughputGate,
  /** The result of a data check: a name in a stage's `checks` file. */
  z.strictObject({ check: z.string().min(1) }),
  /** Fields of the model's `card` that are filled in. */
  z.strictObject({ card: z.array(z.string().min(1)).min(1) }),
]);
export type Gate = z.infer<typeof gateSchema>;
export type ValueGate = z.infer<typeof valueGate>;
export type RegressionGate = z.infer<typeof regressionGate>;
export type LatencyGate = z.infer<typeof latencyGate>;
export type ThroughputGate = z.infer<typeof throughputGate>["throughput"];
/** What a gate holds a candidate against. */
export type Against = z.infer<typeof reference>;

/** True when the gate needs the model to be measured on a machine. */
export function asksForPerformance(gate: Gate): boolean {
  return "latency" in gate || "throughput" in gate;
}

/** The column that a gate's `slice` names, and its value; null for what is not narrowed down. */
export function parseSlice(text: string): { readonly column: string | null; readonly value: string | null } {
  if (text === "*") return { column: null, value: null };
  const at = text.indexOf("=");
  return at < 0 ? { column: text, value: null } : { column: text.slice(0, at), value: text.slice(at + 1) };
}
