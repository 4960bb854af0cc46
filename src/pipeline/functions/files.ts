import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isSystemError, nearest } from "../../core/index.ts";
import { coded, kindOf, wrong } from "./coded.ts";
import type { Coded } from "./coded.ts";
import { readFolder, toFolder } from "./folder.ts";
import { FORMATS } from "./formats.ts";
import type { Job, JobFile, Problem } from "./job.ts";

type Read = { readonly inputs: Readonly<Record<string, unknown>> } | { readonly problem: Problem };

/** Everything the function takes, by name. */
export async function readInputs({ root, inputs }: Job): Promise<Read> {
  const values: [string, unknown][] = [];
  for (const file of inputs) {
    const read = await readInput(root, file);
    if (!read.ok) {
      const { problem, ...more } = read;
      const reason = `cannot read its input "${file.name}": ${problem}`;
      return { problem: { reason, ...(more as Partial<Problem>) } };
    }
    values.push([file.name, read.value]);
  }
  return { inputs: Object.fromEntries(values) };
}

async function readInput(root: string, { path, format }: JobFile): Promise<Coded<unknown>> {
  try {
    if (format === "files") return coded(await readFolder(join(root, path)));
    const read = await FORMATS[format].read(path, await readFile(join(root, path)));
    return read.ok ? read : { ...read, problem: `${path} ${read.problem}` };
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if (error.code === "EISDIR") return wrong(`${path} is a folder`, { hint: "`format: files` takes a folder" });
    if (error.code === "ENOTDIR") return wrong(`${path} is a file`, { hint: "`format: files` is for folders" });
    return wrong(error.message);
  }
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
  for (const output of outputs) {
    const made = await filesOf(output, values[output.name]);
    if (!made.ok) {
      const { problem, hint } = made;
      const reason = `returned "${output.name}", which ${problem}, and ${output.path} is ${output.format}`;
      return { reason, ...(hint === undefined ? {} : { hint }) };
    }
    files.push(...made.value);
  }
  for (const [path, bytes] of files) {
    try {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), bytes);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      return { reason: `cannot write ${path}: ${error.message}` };
    }
  }
  return undefined;
}

async function filesOf({ path, format }: JobFile, value: unknown): Promise<Coded<[string, Uint8Array][]>> {
  if (format === "files") {
    const files = toFolder(value);
    return files.ok ? coded(files.value.map(([name, bytes]) => [`${path}/${name}`, bytes])) : files;
  }
  const written = await FORMATS[format].write(value);
  return written.ok ? coded([[path, written.value]]) : written;
}
