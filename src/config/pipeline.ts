import { z } from "zod";
import { name, path } from "./fields.ts";

/** DVC's output flags; `cache: false` keeps an output in git instead of the store. */
const flags = z.strictObject({
  cache: z.boolean().optional(),
  persist: z.boolean().optional(),
  desc: z.string().optional(),
});
const output = z.union([path, z.record(path, flags)]);
const duration = z.string().regex(/^\d+(\.\d+)?(s|m|h|d)$/, "a duration is a number and s, m, h or d, as in 90s or 2h");

/** One stage. Field names and meanings are DVC's; `env` and everything below it are Lockstep's additions. */
export const stageSchema = z.strictObject({
  cmd: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]),
  wdir: path.optional(),
  deps: z.array(path).optional(),
  /** `key` in params.yaml, or `{file: [keys]}`; no keys (null or []) means the whole file. */
  params: z.array(z.union([z.string().min(1), z.record(path, z.array(z.string()).nullable())])).optional(),
  outs: z.array(output).optional(),
  metrics: z.array(output).optional(),
  plots: z.array(output).optional(),
  frozen: z.boolean().optional(),
  always_changed: z.boolean().optional(),
  desc: z.string().optional(),
  meta: z.unknown().optional(),
  /** What of the environment enters the key. */
  env: z
    .strictObject({
      files: z.array(path).optional(),
      vars: z.array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/)).optional(),
      image: z.string().optional(),
    })
    .optional(),
  "runs-on": z.union([z.string(), z.array(z.string())]).optional(),
  gpu: z.number().int().min(0).optional(),
  timeout: duration.optional(),
  retry: z.number().int().min(0).max(10).optional(),
  /** A CSV with one row per example of the evaluation; an output. */
  predictions: path.optional(),
  /** A CSV of model inputs and predictions as of training; an output, sketched into the reference profile. */
  profile: path.optional(),
});
export type StageConfig = z.infer<typeof stageSchema>;

/** `pipelines/<name>.yaml`, or a `dvc.yaml`. */
export const pipelineSchema = z.strictObject({
  version: z.literal(1).optional(),
  stages: z.record(name, stageSchema),
});
export type PipelineConfig = z.infer<typeof pipelineSchema>;
