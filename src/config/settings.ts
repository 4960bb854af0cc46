import { z } from "zod";

/** Parts of a report. The verdict and what failed come before all of them. */
export const SECTIONS = [
  "stakes",
  "serving",
  "metrics",
  "gates",
  "slices",
  "flips",
  "changes",
  "numbers",
  "stages",
  "plots",
  "reproduce",
] as const;
export type Section = (typeof SECTIONS)[number];
export const sectionSchema = z.enum(SECTIONS);
const viewSchema = z.enum(["reviewer", "business", "engineer"]);
export type View = z.infer<typeof viewSchema>;
export const VIEW_NAMES = viewSchema.options;

const runner = z.union([z.string(), z.array(z.string())]);

/** `.github/lockstep.yml` */
export const settingsSchema = z.strictObject({
  version: z.literal(1),
  /** Where blobs live. The environment variable LOCKSTEP_STORE goes before it. */
  store: z
    .string()
    .regex(
      /^(file:|release:\/\/|oci:\/\/|s3:\/\/)/,
      "the store is a URL: file:<folder>, release://<owner>/<repository>, oci://<registry>/<name> or s3://<bucket>/<prefix>",
    ),
  /** Branch that holds the records. */
  records: z.string().optional(),
  runners: z.strictObject({ cpu: runner.optional(), gpu: runner.optional() }).optional(),
  report: z
    .strictObject({
      /** Which way is good, of numbers in metrics files whose name does not say it. */
      directions: z.record(z.string(), z.enum(["higher", "lower"])).optional(),
      /** What reports show, and in which order: what a role reads. */
      view: viewSchema.optional(),
      /** Sections of one's own choice, in this order, in the place of a view. */
      sections: z.array(sectionSchema).min(1).optional(),
    })
    .optional(),
  cost: z.strictObject({ currency: z.string(), per_hour: z.record(z.string(), z.number().min(0)) }).optional(),
});
export type Settings = z.infer<typeof settingsSchema>;
