import { isScalar } from "yaml";
import type { ScalarTag, Tags } from "yaml";
import { fail, ok } from "../core/index.ts";
import type { Json, Location, Result } from "../core/index.ts";
import { readDocument } from "./load.ts";
import type { Positioned } from "./load.ts";

/**
 * A number with a fraction or an exponent. JavaScript has one kind of number, and a command that is made from a file
 * must say `1.0` where the file does: what Python prints for its floats is what DVC puts into commands.
 */
export class Float {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }

  /** As Python's `repr`: shortest digits that read back, an exponent below 1e-4 and from 1e16 on. */
  toString(): string {
    const { value } = this;
    if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
    const [mantissa, power] = value.toExponential().split("e") as [string, string];
    const exponent = Number(power);
    if (exponent < -4 || exponent >= 16) {
      const sign = exponent < 0 ? "-" : "+";
      return `${mantissa}e${sign}${String(Math.abs(exponent)).padStart(2, "0")}`;
    }
    const negative = mantissa.startsWith("-") || Object.is(value, -0) ? "-" : "";
    const digits = mantissa.replace(/[-.]/g, "");
    if (exponent < 0) return `${negative}0.${"0".repeat(-exponent - 1)}${digits}`;
    const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, "0");
    return `${negative}${whole}.${digits.slice(exponent + 1) || "0"}`;
  }

  toJSON(): number {
    return this.value;
  }
}

/** What a parameter file holds: JSON, with integers and floats apart. Integers beyond 2^53 are bigint. */
export type Value = null | boolean | number | bigint | string | Float | readonly Value[] | ValueMap;
export interface ValueMap {
  readonly [name: string]: Value;
}

export function isMap(value: Value | undefined): value is ValueMap {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Float);
}

/** The same without the difference; integers that a double cannot hold are rounded. */
export function plain(value: Value): Json {
  if (value instanceof Float) return value.value;
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map((item: Value) => plain(item));
  if (!isMap(value)) return value as Json;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
}

/** Reads YAML or JSON; an empty file is an empty map, as DVC has it. */
export function readValues(file: string, text: string): Result<Positioned<Value>> {
  const read = readDocument(file, text, { customTags: (tags) => tags.map(asFloat), intAsBigInt: true });
  if (!read.ok) return read;
  const { document, at } = read.value;
  try {
    return ok({ file, value: small(document.toJS({ maxAliasCount: 100 }) ?? {}), at });
  } catch (error) {
    return fail({ code: "file-invalid", at: at([]), problem: String(error), cause: error });
  }
}

/** Reads TOML; dates become the text they were written as. */
export async function readToml(file: string, text: string): Promise<Result<Positioned<Value>>> {
  const { parse, TomlDate, TomlError } = await import("smol-toml");
  const take = (value: unknown): Value => {
    if (value instanceof TomlDate) return value.toISOString();
    if (typeof value === "number") return new Float(value);
    if (typeof value === "bigint") return small(value);
    if (Array.isArray(value)) return value.map(take);
    if (typeof value !== "object" || value === null) return value as Value;
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, take(member)]));
  };
  try {
    return ok({ file, value: take(parse(text, { integersAsBigInt: true })), at: () => ({ file, line: 1, column: 1 }) });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const source = text.split("\n")[error.line - 1] ?? "";
    const at: Location = { file, line: error.line, column: error.column, source };
    const problem = error.message.split("\n")[0] ?? "not valid TOML";
    return fail({ code: "file-invalid", at, problem, cause: error });
  }
}

function asFloat(tag: Tags[number]): Tags[number] {
  if (typeof tag === "string" || tag.tag !== "tag:yaml.org,2002:float" || tag.collection !== undefined) return tag;
  const scalar: ScalarTag = tag;
  const resolve: ScalarTag["resolve"] = (text, onError, options) => {
    const read: unknown = scalar.resolve(text, onError, options);
    return new Float(Number(isScalar(read) ? read.value : read));
  };
  return { ...scalar, resolve };
}

/** Integers that fit become numbers again. */
function small(value: unknown): Value {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (Array.isArray(value)) return value.map(small);
  if (typeof value !== "object" || value === null || value instanceof Float) return value as Value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, small(member)]));
}
