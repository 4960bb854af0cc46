import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { parse } from "csv-parse/sync";
import { stringify } from "csv-stringify/sync";
import { z } from "zod";

/** Images are 8 by 8; a value is 0 for paper to 16 for ink. */
export const SIDE = 8;
export const PIXELS = SIDE * SIDE;
export const INK = 16;
export const CLASSES = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"] as const;

/** One labelled image. */
export interface Example {
  readonly id: string;
  readonly label: number;
  /** `base` for the data set as published, `feedback` for what production sent back. */
  readonly source: string;
  /** Row by row, 0 to 16. */
  readonly pixels: readonly number[];
}

const pixelNames = Array.from({ length: PIXELS }, (_, at) => `image.${at}`);
const row = z.looseObject({ id: z.string().min(1), label: z.enum(CLASSES), source: z.string().optional() });

/**
 * The examples of every CSV file of a folder, `feedback` and other subfolders included. An id that comes twice keeps its
 * last row, in the order of the paths: a later file corrects an earlier one.
 * @param files bytes by path in the folder
 * @throws Error that names file and line for a row that is not an example.
 */
export function examplesIn(files: Readonly<Record<string, Uint8Array>>): Example[] {
  const examples = new Map<string, Example>();
  for (const name of Object.keys(files).toSorted()) {
    if (!name.endsWith(".csv")) continue;
    const source = name.startsWith("feedback/") ? "feedback" : "base";
    for (const example of parseExamples(files[name]!, name, source)) examples.set(example.id, example);
  }
  if (examples.size === 0) throw new Error("the folder holds no example");
  return [...examples.values()];
}

/** Reads one file. */
export async function readExamples(file: string, source = "base"): Promise<Example[]> {
  return parseExamples(await readFile(file), file, source);
}

function parseExamples(bytes: Uint8Array, file: string, source: string): Example[] {
  return toExamples(parse(Buffer.from(bytes), { columns: true, skip_empty_lines: true }), file, source);
}

/**
 * The rows of a table; columns other than id, label, source and image.0 to image.63 are left alone.
 * @param file name to show
 */
export function toExamples(records: readonly Record<string, string>[], file: string, source = "base"): Example[] {
  return records.map((record, at) => {
    const parsed = row.safeParse(record);
    if (!parsed.success) throw new Error(`${file}:${at + 2}: ${z.prettifyError(parsed.error)}`);
    const pixels = pixelNames.map((name) => {
      const text = record[name];
      const value = Number(text);
      if (text !== undefined && text.trim() !== "" && value >= 0 && value <= INK) return value;
      throw new Error(`${file}:${at + 2}: ${name} is ${text ?? "missing"}; a pixel is a number from 0 to ${INK}`);
    });
    return { id: parsed.data.id, label: Number(parsed.data.label), source: parsed.data.source ?? source, pixels };
  });
}

export type ExampleRow = Record<string, string | number>;

/** An example as `toExamples` reads it. */
export function rowOf({ id, label, source, pixels }: Example): ExampleRow {
  return { id, label, source, ...Object.fromEntries(pixelNames.map((name, at) => [name, pixels[at]!])) };
}

/** Writes examples as `readExamples` reads them; makes the folder. */
export async function writeExamples(file: string, examples: readonly Example[]): Promise<void> {
  const header = ["id", "label", "source", ...pixelNames];
  await writeTable(
    file,
    header,
    examples.map(rowOf).map((row) => header.map((name) => row[name]!)),
  );
}

export async function writeTable(
  file: string,
  header: readonly string[],
  rows: readonly (string | number)[][],
): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, stringify([[...header], ...rows]));
}

/** The pixels of several images, one after the other: what a model takes. */
export function flatten(examples: readonly Example[]): Float32Array {
  const values = new Float32Array(examples.length * PIXELS);
  for (const [at, example] of examples.entries()) values.set(example.pixels, at * PIXELS);
  return values;
}
