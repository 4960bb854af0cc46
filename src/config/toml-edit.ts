import { isDeepStrictEqual } from "node:util";
import type { Json } from "../core/index.ts";

/**
 * TOML with another value at a path that is there; everything else of the text stays, comments and layout too.
 * Candidates are found by the name before the `=` sign, and reading the new text decides which is the right one.
 * @returns undefined where it cannot be done: TOML has no null, and a table or a list's item has no text of its own.
 */
export async function editToml(text: string, path: readonly string[], value: Json): Promise<string | undefined> {
  const { parse, stringify } = await import("smol-toml");
  const read = (toml: string): Members => parse(toml, { integersAsBigInt: true });
  const line = value === null ? "" : stringify({ x: value }).trimEnd();
  if (!line.startsWith("x = ") || line.includes("\n")) return undefined;
  for (const { from, to } of valuesOf(text, path.at(-1)!)) {
    // What was a float stays one: a program may tell 2 from 2.0.
    const float = Number.isInteger(value) && /^[-+]?[\d_]+[.eE]/.test(text.slice(from, to)) ? ".0" : "";
    const next = text.slice(0, from) + line.slice("x = ".length) + float + text.slice(to);
    const wanted = replaced(read(text), path, read(line + float)["x"]);
    try {
      if (isDeepStrictEqual(read(next), wanted)) return next;
    } catch {
      // It was no value: the name and the sign stood in a text or a comment.
    }
  }
  return undefined;
}

interface Members {
  [name: string]: unknown;
}

function replaced(members: Members, [name = "", ...rest]: readonly string[], value: unknown): Members {
  return Object.assign(members, {
    [name]: rest.length === 0 ? value : replaced(members[name] as Members, rest, value),
  });
}

interface Range {
  readonly from: number;
  readonly to: number;
}

/** Where the values of members of that name stand, and whatever looks like one. */
function valuesOf(text: string, name: string): Range[] {
  const spelled = [name, JSON.stringify(name), `'${name}'`].map((key) => key.replace(/[^\w\s]/g, "\\$&")).join("|");
  const signs = text.matchAll(new RegExp(`(?<=^|[\\s.{,])(?:${spelled})[ \\t]*=[ \\t]*`, "gm"));
  return [...signs].map((sign) => {
    const from = sign.index + sign[0].length;
    return { from, to: endOfValue(text, from) };
  });
}

const STRING = /"""[^]*?"""+|'''[^]*?'''+|"(?:\\.|[^"\\\n])*"|'[^'\n]*'/y;
const COMMENT = /#.*/y;

function endOfValue(text: string, from: number): number {
  let depth = 0;
  let at = from;
  while (at < text.length) {
    const character = text[at]!;
    const skipped = /["']/.test(character) ? STRING : character === "#" && depth > 0 ? COMMENT : undefined;
    if (skipped !== undefined) {
      skipped.lastIndex = at;
      at += Math.max(1, skipped.exec(text)?.[0].length ?? 1);
      continue;
    }
    if (depth === 0 && /[,\]}#\n]/.test(character)) break;
    if (/[[{]/.test(character)) depth++;
    if (/[\]}]/.test(character)) depth--;
    at++;
  }
  return from + text.slice(from, at).trimEnd().length;
}
