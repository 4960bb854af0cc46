import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { z } from "zod";

/**
 * Reads one section of params.yaml.
 * @throws Error that lists everything that does not fit the schema.
 */
export async function readParams<Schema extends z.ZodType>(section: string, schema: Schema): Promise<z.infer<Schema>> {
  const document: unknown = parse(await readFile("params.yaml", "utf8"));
  return parseParams(z.record(z.string(), z.unknown()).parse(document), section, schema);
}

/** @throws Error that lists everything of the section that does not fit the schema. */
export function parseParams<Schema extends z.ZodType>(
  all: Readonly<Record<string, unknown>>,
  section: string,
  schema: Schema,
): z.infer<Schema> {
  const parsed = schema.safeParse(all[section]);
  if (!parsed.success) throw new Error(`params.yaml, ${section}:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
