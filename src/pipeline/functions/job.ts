import { z } from "zod";
import type { DataFormat } from "../../config/index.ts";
import type { Json } from "../../core/index.ts";

/** A file that a function takes or gives; the path is from the repository's root. */
export interface JobFile {
  readonly name: string;
  readonly path: string;
  readonly format: DataFormat;
}

/** What the process that runs a function is told, as JSON on its standard input. */
export interface Job {
  /** The repository's root. */
  readonly root: string;
  readonly module: string;
  readonly name: string;
  readonly inputs: readonly JobFile[];
  readonly outputs: readonly JobFile[];
  /** Nested as in the parameter files. */
  readonly params: Json;
  /** Paths of the repository that the key knows: modules in other places are not to be loaded. */
  readonly deps: readonly string[];
}

/** Why a function's stage failed. `reason` completes "stage x ...". */
export const problemSchema = z.object({
  reason: z.string(),
  hint: z.string().optional(),
  at: z
    .object({
      file: z.string(),
      line: z.number().int(),
      column: z.number().int(),
      length: z.number().int().optional(),
      source: z.string().optional(),
    })
    .optional(),
});
export type Problem = z.infer<typeof problemSchema>;

/** What it answers, as JSON on file descriptor 3: nothing else in the process knows of that. */
export const answerSchema = z.union([
  z.object({ ok: z.literal(true) }),
  problemSchema.extend({ ok: z.literal(false) }),
]);
export type Answer = z.infer<typeof answerSchema>;
