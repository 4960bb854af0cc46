import { Float, isMap, plain } from "../../config/index.ts";
import type { Value } from "../../config/index.ts";

/** How a dictionary becomes command line options: DVC's `parsing` settings. */
export interface Unpacking {
  /** "store_true": `--flag` or nothing. "boolean_optional": `--flag` or `--no-flag`. */
  readonly bool: "store_true" | "boolean_optional";
  /** "nargs": `--list 1 2`. "append": `--list 1 --list 2`. */
  readonly list: "nargs" | "append";
}

/** A value inside of a text, spelled as DVC (Python) spells it. */
export function textOf(value: Value): string {
  if (typeof value === "boolean") return value ? "true" : "false";
  return pythonText(value);
}

/**
 * A dictionary as options, in its own order: nested members by their dotted path, texts quoted for the shell.
 * @returns undefined for a list that holds lists or dictionaries: no option says that.
 */
export function optionsOf(map: Value, unpacking: Unpacking): string | undefined {
  const options: string[] = [];
  for (const [name, value] of leaves(map, "")) {
    if (typeof value === "boolean") {
      if (value) options.push(`--${name}`);
      else if (unpacking.bool === "boolean_optional") options.push(`--no-${name}`);
    } else if (typeof value === "string") options.push(`--${name} ${quoted(value)}`);
    else if (Array.isArray(value)) {
      if (value.some((item: Value) => Array.isArray(item) || isMap(item))) return undefined;
      const items = value.map((item: Value) => (typeof item === "string" ? quoted(item) : pythonText(item)));
      if (unpacking.list === "append") options.push(...items.map((item) => `--${name} ${item}`));
      else if (items.length > 0) options.push([`--${name}`, ...items].join(" "));
    } else options.push(`--${name} ${pythonText(value)}`);
  }
  return options.join(" ");
}

function* leaves(value: Value, path: string): Iterable<[string, Value]> {
  if (!isMap(value)) return yield [path, value];
  for (const [name, member] of Object.entries(value)) yield* leaves(member, path === "" ? name : `${path}.${name}`);
}

function pythonText(value: Value): string {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "object" && !(value instanceof Float)) return JSON.stringify(plain(value));
  return value.toString();
}

/** As Python's `shlex.quote`. */
function quoted(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  return `'${text.replaceAll("'", `'"'"'`)}'`;
}
