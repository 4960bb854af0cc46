import { z } from "zod";
import { parseConfig } from "../config/index.ts";
import { canonicalJson } from "../core/index.ts";
import type { Result } from "../core/index.ts";

const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
/** Pairs and not an object: names come from data, and `__proto__` is a fine name for a category. */
const categories = z.array(z.tuple([z.string(), count])).max(200);

const numericSchema = z.strictObject({
  name: z.string(),
  type: z.literal("numeric"),
  /** Values that are there. */
  count,
  nulls: count,
  min: z.number(),
  max: z.number(),
  mean: z.number(),
  std: z.number().min(0),
  /** Inner edges, ascending: bin i holds `edges[i-1] < x <= edges[i]`. Values outside of [min, max] are the tails. */
  edges: z.array(z.number()).max(100),
  /** One more than `edges`. */
  bins: z.array(count).min(1).max(101),
  /** As spelled in the table, when they are few: class names are often numbers. */
  categories: categories.optional(),
});
const categoricalSchema = z.strictObject({
  name: z.string(),
  type: z.literal("categorical"),
  count,
  nulls: count,
  /** The most frequent ones, by falling count. */
  categories,
  /** Values in none of `categories`. */
  other: count,
});
export type NumericColumn = z.infer<typeof numericSchema>;
export type CategoricalColumn = z.infer<typeof categoricalSchema>;
export type ProfileColumn = NumericColumn | CategoricalColumn;

/** `profile.json`: what a model's inputs and predictions looked like at training; what drift is measured against. */
export const profileSchema = z.strictObject({
  profileVersion: z.literal(1),
  rows: count,
  /** In the order of the table. */
  columns: z.array(z.discriminatedUnion("type", [numericSchema, categoricalSchema])).max(10_000),
});
export type Profile = z.infer<typeof profileSchema>;

/** The profile as stored: canonical, so that one table has one digest. */
export function profileJson(profile: Profile): string {
  return `${canonicalJson(profile)}\n`;
}

/** Reads a stored profile. @param file only names it in failures. */
export function parseProfile(text: string, file = "profile.json"): Result<Profile> {
  const parsed = parseConfig(file, text, profileSchema);
  return parsed.ok ? { ok: true, value: parsed.value.value } : parsed;
}
