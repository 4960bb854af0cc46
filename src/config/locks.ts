import { z } from "zod";
import { commit, count, data, digest, instant, metrics, name, params, path, stageKey } from "./fields.ts";

/** Where a dataset was imported from, and what was there then. */
export const sourceSchema = z.strictObject({
  /** `http:`, `https:` or `s3:`, without credentials. One that ends in `/` means all objects below it. */
  url: z.string(),
  /** As the server spells it. */
  etag: z.string().optional(),
  /** As the server spells it. */
  lastModified: z.string().optional(),
  /** Of a folder: the SHA-256 of its list of keys, sizes and ETags. */
  listing: digest.optional(),
  /** Bytes that were fetched. */
  size: count.optional(),
  /** Of what was fetched: the file's, or the tree's. */
  digest: digest.optional(),
});
export type DatasetSource = z.infer<typeof sourceSchema>;

/** One dataset: a file (the blob's digest) or a folder (the tree's digest). */
export const datasetSchema = z.strictObject({
  path,
  kind: z.enum(["file", "tree"]),
  digest,
  /** Of a file that is executable. */
  mode: z.literal("755").optional(),
  /** Bytes, of all files together. */
  size: count,
  files: count,
  source: sourceSchema.optional(),
});
export type Dataset = z.infer<typeof datasetSchema>;

/** `data.lock.json` */
export const dataLockSchema = z.strictObject({
  lockfileVersion: z.literal(1, "this Lockstep reads version 1"),
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
  /** Chosen on the version's own validation predictions, where the evaluation wants that. */
  threshold: z.number().optional(),
  commit,
  data,
  params,
  metrics,
  /** What promotion judged by and no report shows; absent: the model has no held-out set. */
  heldOut: z
    .strictObject({
      predictions: digest,
      metrics,
      /** At the held-out set, this promotion's included; absent: promoted before they were counted. */
      looks: count.optional(),
    })
    .optional(),
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
