import { z } from "zod";
import { commit, count, digest, instant, metrics, name, params, path, stageKey } from "./fields.ts";

/** One dataset: a file (the blob's digest) or a folder (the tree's digest). */
export const datasetSchema = z.strictObject({
  path,
  kind: z.enum(["file", "tree"]),
  digest,
  /** Bytes, of all files together. */
  size: count,
  files: count,
  source: z.strictObject({ url: z.string(), etag: z.string().optional() }).optional(),
});
export type Dataset = z.infer<typeof datasetSchema>;

/** `data.lock.json` */
export const dataLockSchema = z.strictObject({
  lockfileVersion: z.literal(1),
  datasets: z.record(name, datasetSchema),
});
export type DataLock = z.infer<typeof dataLockSchema>;

/** One promoted version of a model. `digest` is that of the canonical JSON of `files`. */
export const versionSchema = z.strictObject({
  version: z.number().int().min(1),
  digest,
  size: count,
  files: z.record(name, digest),
  /** Key of the stage that made the model's first file. */
  key: stageKey,
  /** Predictions the verdict was computed from. */
  predictions: digest,
  commit,
  data: z.record(name, digest),
  params,
  metrics,
  verdict: z.enum(["better", "worse", "equivalent", "no-evidence", "first"]),
  pullRequest: z.number().int().nullable(),
  createdAt: instant,
  run: z.string(),
  release: z.string(),
});
export type ModelVersion = z.infer<typeof versionSchema>;

/** `models/<name>/lock.json`: written by promotion alone. */
export const modelLockSchema = z.strictObject({
  lockfileVersion: z.literal(1),
  model: name,
  versions: z.array(versionSchema),
  aliases: z.record(name, z.number().int().min(1).nullable()),
});
export type ModelLock = z.infer<typeof modelLockSchema>;
