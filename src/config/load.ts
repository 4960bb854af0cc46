import { LineCounter, parseDocument } from "yaml";
import type { Document, Node, ParseOptions, SchemaOptions } from "yaml";
import type { z } from "zod";
import { fail, failedIfAny, ok } from "../core/index.ts";
import type { Failure, Location, Result } from "../core/index.ts";

/** A parsed file that can still say where in the text each of its values stands. */
export interface Positioned<T> {
  readonly file: string;
  readonly value: T;
  /** The place of a value (or, for a path that is not there, of its nearest parent). Of a key, with `key: true`. */
  readonly at: (path: readonly PropertyKey[], options?: { readonly key?: boolean }) => Location;
}

const MERGE_MARKER = /^(<{7}|={7}|>{7}|\|{7})( |$)/m;
const TOO_MANY = 100;

/**
 * Reads YAML 1.2 or JSON (a subset of it) against a schema. Every problem comes back at once, each with its place;
 * unknown keys and duplicate keys are problems, and a file in the middle of a merge is told as one.
 */
export function parseConfig<Schema extends z.ZodType>(
  file: string,
  text: string,
  schema: Schema,
): Result<Positioned<z.infer<Schema>>> {
  const read = readYaml(file, text);
  if (!read.ok) return read;
  const { value, at } = read.value;
  const conforming = conform(value, schema, at);
  return conforming.ok ? ok({ file, value: conforming.value, at }) : conforming;
}

/** Reads YAML 1.2 or JSON as it stands; merge keys (`<<`) are followed, other tags of YAML 1.1 are not. */
export function readYaml(file: string, text: string): Result<Positioned<unknown>> {
  const read = readDocument(file, text, {});
  if (!read.ok) return read;
  const { document, at } = read.value;
  try {
    return ok({ file, value: document.toJS({ maxAliasCount: 100 }), at });
  } catch (error) {
    return fail({ code: "file-invalid", at: at([]), problem: String(error), cause: error });
  }
}

/** A value against a schema, where `way` leads to the value from the file's root. */
export function conform<Schema extends z.ZodType>(
  value: unknown,
  schema: Schema,
  at: Positioned<unknown>["at"],
  way: readonly PropertyKey[] = [],
): Result<z.infer<Schema>> {
  const parsed = schema.safeParse(value, { reportInput: true });
  if (parsed.success) return ok(parsed.data);
  const problems = parsed.error.issues
    .flatMap((issue) => explain({ ...issue, path: [...way, ...issue.path] }))
    .slice(0, TOO_MANY);
  const failures = problems.map(({ path, key, problem, hint }): Failure => ({
    code: "file-invalid",
    at: at(path, { key }),
    problem,
    ...(hint === undefined ? {} : { hint }),
  }));
  return failedIfAny(failures) ?? fail({ code: "file-invalid", at: at([]), problem: "not a valid file" });
}

/** The parsed text, before anything is made of it. */
export function readDocument(
  file: string,
  text: string,
  options: ParseOptions & SchemaOptions,
): Result<{ readonly document: Document.Parsed; readonly at: Positioned<unknown>["at"] }> {
  const lines = new LineCounter();
  const place = (from: number, to: number): Location => locate(file, text, lines, from, to);
  const marker = MERGE_MARKER.exec(text);
  if (marker !== null) {
    lines.lineStarts.push(...lineStarts(text));
    return fail({ code: "merge-conflict", at: place(marker.index, marker.index + 7) });
  }
  const document = parseDocument(text, { merge: true, ...options, lineCounter: lines, prettyErrors: false });
  const syntax = document.errors.map((error): Failure => {
    const at = place(...error.pos);
    const hint = "a text with ${...} needs quotes inside of [...] and {...}";
    const quotes = /(^|[^"'\w/.-])[\w/.-]*\$\{/.test(at.source ?? "") ? { hint } : {};
    return { code: "file-invalid", at, problem: error.message, ...quotes };
  });
  const broken = failedIfAny(syntax);
  if (broken) return broken;
  const at: Positioned<unknown>["at"] = (path, which) => {
    const [from, to] = rangeOf(document, path, which?.key ?? false);
    return place(from, to);
  };
  return ok({ document, at });
}

interface Problem {
  readonly path: readonly PropertyKey[];
  readonly key: boolean;
  readonly problem: string;
  readonly hint?: string;
}

/** A zod issue as sentences about the user's text. Of a union, the alternative that came closest is explained. */
function explain(issue: z.core.$ZodIssue): Problem[] {
  const { path } = issue;
  const where = path.length === 0 ? "the file" : `"${path.map(String).join(".")}"`;
  if ((issue.code === "invalid_type" || issue.code === "invalid_union") && issue.input === undefined) {
    const parent = path.slice(0, -1);
    const within = parent.length === 0 ? "" : ` in "${parent.map(String).join(".")}"`;
    return [{ path: parent, key: false, problem: `"${String(path.at(-1))}" is missing${within}` }];
  }
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => ({ path: [...path, key], key: true, problem: `unknown key "${key}"` }));
    case "invalid_key":
      return issue.issues.map((inner) => ({ path, key: true, problem: `"${String(path.at(-1))}": ${inner.message}` }));
    case "invalid_union": {
      // An alternative that got further than "wrong type at the top" is the one that was meant; of several, the one
      // whose keys are those that the text has.
      const further = issue.errors.filter((errors) =>
        errors.some((error) => error.path.length > 0 || error.code !== "invalid_type"),
      );
      const [meant] = further.toSorted((a, b) => foreignKeys(a) - foreignKeys(b));
      if (meant === undefined) return [{ path, key: false, problem: `${where} is of the wrong type` }];
      return meant.flatMap((error) => explain({ ...error, path: [...path, ...error.path] } as z.core.$ZodIssue));
    }
    default:
      return [{ path, key: false, problem: `${where}: ${issue.message}` }];
  }
}

/** How many keys the text lacks or has too many for this alternative. */
function foreignKeys(errors: readonly z.core.$ZodIssue[]): number {
  return errors.reduce((sum, error) => {
    if (error.code === "unrecognized_keys") return sum + error.keys.length;
    return sum + (error.path.length === 1 && error.input === undefined ? 1 : 0);
  }, 0);
}

function rangeOf(document: Document.Parsed, path: readonly PropertyKey[], key: boolean): readonly [number, number] {
  for (let depth = path.length; depth >= 0; depth--) {
    const keys = path.slice(0, depth);
    if (key && depth === path.length && depth > 0) {
      const parent = document.getIn(keys.slice(0, -1), true) as { items?: { key?: Node }[] } | undefined;
      const pair = parent?.items?.find((item) => String(item.key) === String(keys.at(-1)));
      if (pair?.key?.range) return [pair.key.range[0], pair.key.range[1]];
    }
    const node = (depth === 0 ? document.contents : document.getIn(keys, true)) as Node | undefined | null;
    if (node?.range) return [node.range[0], node.range[1]];
  }
  return [0, 1];
}

function lineStarts(text: string): number[] {
  return [0, ...[...text.matchAll(/\n/g)].map((match) => match.index + 1)];
}

function locate(file: string, text: string, lines: LineCounter, from: number, to: number): Location {
  const { line, col } = lines.linePos(from);
  const start = lines.lineStarts[line - 1] ?? 0;
  const end = text.indexOf("\n", start);
  const source = text.slice(start, end === -1 ? undefined : end);
  const length = Math.max(1, Math.min(to - from, source.length - (col - 1)));
  return { file, line: Math.max(1, line), column: Math.max(1, col), length, source };
}
