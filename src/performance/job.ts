import { z } from "zod";

/** What the measuring process is told on its standard input. */
export const jobSchema = z.strictObject({
  /** ONNX files, the candidate first. */
  files: z.array(z.string()).min(1).max(2),
  /** Folders in whose `node_modules` ONNX Runtime is looked for. */
  roots: z.array(z.string()),
  budgetMs: z.number().positive(),
});
export type Job = z.infer<typeof jobSchema>;

const samples = z.strictObject({
  latencies: z.array(z.array(z.number().min(0))),
  batches: z.array(z.strictObject({ rows: z.number().min(0), ms: z.number().min(0) })),
});

/** The last line of what it prints: the times, or why there are none. */
export const answerSchema = z.union([
  z.strictObject({ samples: z.array(samples) }),
  z.strictObject({ problem: z.string(), hint: z.string().optional() }),
]);
export type Answer = z.infer<typeof answerSchema>;
