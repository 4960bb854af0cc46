import { z } from "zod";
import { count, digest, name } from "./fields.ts";

const positive = z.number().positive();
/** A measured value with its 95 % interval. */
const estimate = z.strictObject({ value: positive, low: positive, high: positive });
export type Estimate = z.infer<typeof estimate>;

const quantities = z.strictObject({ p50: estimate, p95: estimate, p99: estimate, throughput: estimate });
/** Latency percentiles of one row in ms, and rows in a second. */
export type Quantities = z.infer<typeof quantities>;

/** How fast a model's network is on the machine that measured it, and beside another one in the same minutes. */
export const performanceSchema = z.strictObject({
  model: name,
  /** Of the served file that was measured. */
  digest,
  /** What it was measured beside; null: alone. */
  against: z.strictObject({ what: z.enum(["base", "production"]), digest, quantities }).nullable(),
  quantities,
  /** Candidate by reference, from interleaved runs; null where there is no reference. */
  ratios: quantities.nullable(),
  /** Timed requests of one row on each side. */
  runs: count,
});
export type Performance = z.infer<typeof performanceSchema>;

/** A model that could not be measured, and why. */
export const unmeasuredSchema = z.strictObject({ model: name, problem: z.string().max(2_000) });
