import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isSystemError, nearest } from "../../core/index.ts";
import { kindOf } from "./coded.ts";
import { FORMATS } from "./formats.ts";
import type { Job, Problem } from "./job.ts";

type Read = { readonly inputs: Readonly<Record<string, unknown>> } | { readonly problem: Problem };

/** Everything the function takes, by name. */
export async function readInputs({ root, inputs }: Job): Promise<Read> {
  const values: [string, unknown][] = [];
  for (const { name, path, format } of inputs) {
    const what = `cannot read its input "${name}"`;
    let bytes: Buffer;
    try {
      bytes = await readFile(join(root, path));
    } catch (error) {
      if (!isSystemError(error)) throw error;
      const why = error.code === "EISDIR" ? `${path} is a folder, and a function takes files` : error.message;
      return { problem: { reason: `${what}: ${why}` } };
    }
    const read = await FORMATS[format].read(path, bytes);
    if (!read.ok) {
      const { problem, ...more } = read;
      return { problem: { reason: `${what}: ${path} ${problem}`, ...(more as Partial<Problem>) } };
    }
    values.push([name, read.value]);
  }
  return { inputs: Object.fromEntries(values) };
}

/** Writes what the function returned; nothing unless all of it can be written. */
export async function writeOutputs({ root, outputs }: Job, returned: unknown): Promise<Problem | undefined> {
  const names = outputs.map(({ name }) => name);
  const listed = names.length === 0 ? "no output is declared" : `its outputs are ${names.join(", ")}`;
  if (returned === undefined && names.length === 0) return undefined;
  if (typeof returned !== "object" || returned === null || Array.isArray(returned))
    return { reason: `returned ${kindOf(returned)}, not an object with its outputs by name`, hint: listed };
  const values = returned as Readonly<Record<string, unknown>>;
  const extra = Object.keys(values).find((name) => !names.includes(name));
  if (extra !== undefined) {
    const near = nearest(extra, names);
    const hint = near === undefined ? listed : `did you mean "${near}"?`;
    return { reason: `returned "${extra}", which is no declared output`, hint };
  }
  const lost = names.find((name) => !Object.hasOwn(values, name));
  if (lost !== undefined) return { reason: `returned no "${lost}", which it declares as an output`, hint: listed };
  const files: [string, Uint8Array][] = [];
  for (const { name, path, format } of outputs) {
    const written = await FORMATS[format].write(values[name]);
    if (!written.ok) {
      const { problem, hint } = written;
      const reason = `returned "${name}", which ${problem}, and ${path} is ${format}`;
      return { reason, ...(hint === undefined ? {} : { hint }) };
    }
    files.push([join(root, path), written.value]);
  }
  for (const [file, bytes] of files) {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, bytes);
  }
  return undefined;
}
