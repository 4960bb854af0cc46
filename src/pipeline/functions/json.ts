import type { Location } from "../../core/index.ts";
import { coded, kindOf, wrong } from "./coded.ts";
import type { Coded } from "./coded.ts";

export function readJson(file: string, bytes: Buffer): Coded<unknown> {
  return parse(file, bytes.toString("utf8"), 1);
}

/** One value a line; empty lines are none. */
export function readJsonLines(file: string, bytes: Buffer): Coded<unknown[]> {
  const values: unknown[] = [];
  for (const [at, line] of bytes.toString("utf8").split("\n").entries()) {
    if (line.trim() === "") continue;
    const value = parse(file, line, at + 1);
    if (!value.ok) return value;
    values.push(value.value);
  }
  return coded(values);
}

export function writeJson(value: unknown): Coded<Buffer> {
  return outside(value, "") ?? coded(Buffer.from(`${JSON.stringify(value, null, 2)}\n`));
}

export function writeJsonLines(value: unknown): Coded<Buffer> {
  if (!Array.isArray(value)) return wrong(`is ${kindOf(value)}; JSON lines are a list`);
  return outside(value, "") ?? coded(Buffer.from(value.map((item) => `${JSON.stringify(item)}\n`).join("")));
}

function parse(file: string, text: string, line: number): Coded<unknown> {
  const body = text.replace(/^\ufeff/, "");
  try {
    return coded(JSON.parse(body));
  } catch (error) {
    const { message } = error as SyntaxError;
    return wrong(`is not JSON: ${message.replace(/ in JSON at position .*| \(line .*$/s, "")}`, {
      at: placeOf(file, body, line, message),
    });
  }
}

/** The engine says "(line 3 column 5)" or, of text that ends too early, nothing: that is at its end. */
function placeOf(file: string, text: string, line: number, message: string): Location {
  const lines = text.split("\n");
  const [, at, column] = /line (\d+) column (\d+)/.exec(message) ?? [];
  const row = Number(at ?? lines.length);
  const source = (lines[row - 1] ?? "").slice(0, 160);
  return { file, line: line + row - 1, column: Number(column ?? source.length + 1), source };
}

/** What JSON has no spelling for, and would lose or change without a word. */
function outside(value: unknown, path: string): Coded<never> | undefined {
  if (value === null || typeof value === "string" || typeof value === "boolean") return undefined;
  if (typeof value === "number" && Number.isFinite(value)) return undefined;
  if (Array.isArray(value)) return first(value.entries(), (at, item) => outside(item, `${path}[${at}]`));
  const plain = typeof value === "object" && [Object.prototype, null].includes(Object.getPrototypeOf(value));
  if (plain) return first(Object.entries(value), (name, item) => outside(item, path === "" ? name : `${path}.${name}`));
  return wrong(`has ${kindOf(value)}${path === "" ? "" : ` at ${path}`}, which JSON cannot say`);
}

function first<K>(
  entries: Iterable<[K, unknown]>,
  find: (name: K, item: unknown) => Coded<never> | undefined,
): Coded<never> | undefined {
  for (const [name, item] of entries) {
    const found = find(name, item);
    if (found !== undefined) return found;
  }
  return undefined;
}
