import { z } from "zod";
import { unitSchema } from "../config/index.ts";

const value = z.number().nullable();
const verdict = z.enum(["better", "worse", "equivalent", "no-evidence"]);

/** One line of a metrics table. Values of a metric computed from predictions are of the examples both sides have. */
export const metricRowSchema = z.strictObject({
  name: z.string(),
  /** Shown before the numbers, as in EUR; of a formula that says one. */
  unit: unitSchema.nullable(),
  /** Of a formula in business terms; `desc` is what the team says of it. */
  business: z.strictObject({ desc: z.string().nullable() }).optional(),
  direction: z.enum(["higher", "lower"]).nullable(),
  base: value,
  head: value,
  difference: value,
  /** 95 %, of the difference. */
  interval: z.tuple([z.number(), z.number()]).nullable(),
  test: z.enum(["mcnemar", "delong", "bootstrap", "cluster-bootstrap"]).nullable(),
  /** After the correction over the metrics of the model. */
  p: value,
  verdict: verdict.nullable(),
  /** Whether a loss as large as the margin is ruled out; null where there is no margin, or no verdict. */
  nonInferior: z.boolean().nullable(),
  production: value,
  note: z.string().nullable(),
});
export type MetricRow = z.infer<typeof metricRowSchema>;

/** The numbers of a row that came without examples: nothing is known of their noise. */
export function bareNumbers(base: number | null, head: number | null) {
  return {
    base,
    head,
    difference: base === null || head === null ? null : head - base,
    interval: null,
    test: null,
    p: null,
    verdict: null,
    nonInferior: null,
  };
}
