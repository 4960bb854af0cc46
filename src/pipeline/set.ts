import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { isScalar, parse, parseDocument, stringify } from "yaml";
import { editToml } from "../config/index.ts";
import { fail, ok } from "../core/index.ts";
import type { Context, Json, RelativePath, Result } from "../core/index.ts";
import { isRelativePath } from "../core/index.ts";
import type { Source } from "../git/index.ts";
import { writeFileAtomically } from "../store/index.ts";
import { parseParams, pathOf } from "./params.ts";

/** A parameter to be set: `[file:]key=value`. */
export interface Setting {
  readonly file: RelativePath;
  readonly key: string;
  readonly value: Json;
}

/** Reads `train.epochs=12` or `conf/a.yaml:train.epochs=12`; the value is read as YAML. */
export function parseSetting(text: string): Result<Setting> {
  const match = /^(?:([^=:]+):)?([^=:]+)=(.*)$/s.exec(text);
  const [, file = "params.yaml", key = "", written = ""] = match ?? [];
  if (match === null || !isRelativePath(file)) {
    return fail({ code: "usage", message: `"${text}" is not [FILE:]KEY=VALUE`, hint: "as in --set train.epochs=12" });
  }
  try {
    return ok({ file, key, value: parse(written) as Json });
  } catch (error) {
    return fail({ code: "usage", message: `the value in "${text}" is not valid YAML`, cause: error });
  }
}

/**
 * Writes parameters into their files in the working tree, as an edit by hand would: a run is a function of the files
 * that stand there, and the edit is what a pull request shows. Comments and layout of YAML stay. A key that is not
 * there is a mistake, never a new parameter.
 */
export async function setParams(context: Context, source: Source, settings: readonly Setting[]): Promise<Result<void>> {
  const texts = new Map<string, string>();
  for (const { file, key, value } of settings) {
    const known = texts.get(file);
    const read = known === undefined ? await source.read(file) : ok(Buffer.from(known));
    if (!read.ok) return read;
    if (read.value === undefined) return fail({ code: "file-missing", path: file, neededBy: `--set ${key}` });
    const next = await withValue(file, read.value.toString("utf8"), key, value);
    if (!next.ok) return next;
    texts.set(file, next.value);
  }
  for (const [file, text] of texts) {
    const written = await writeFileAtomically(context, join(context.cwd, file), text);
    if (!written.ok) return written;
  }
  return ok();
}

async function withValue(file: string, text: string, key: string, value: Json): Promise<Result<string>> {
  const parsed = await parseParams(file, text);
  if (!parsed.ok) return parsed;
  const path = pathOf(parsed.value.value, key);
  if (path === undefined) return fail({ code: "param-missing", at: parsed.value.at([]), file, key });
  const byHand = (what: string): Result<never> => fail({ code: "unsupported", what, hint: "edit the file by hand" });
  if (file.endsWith(".py")) return byHand(`--set in ${file}`);
  if (file.endsWith(".toml")) {
    const edited = await editToml(text, path, value);
    return edited === undefined ? byHand(`--set of ${key} to ${JSON.stringify(value)} in ${file}`) : ok(edited);
  }
  const document = parseDocument(text);
  const old = document.getIn(path, true);
  if (isScalar(old) && old.range && (value === null || typeof value !== "object")) {
    // A lone value is replaced where it stands, so that nothing else of the file changes.
    const [from, to] = old.range;
    const written = file.endsWith(".json") ? JSON.stringify(value) : stringify(value, { lineWidth: 0 }).trimEnd();
    const next = text.slice(0, from) + written + text.slice(to);
    if (isDeepStrictEqual(parseDocument(next).getIn(path), value)) return ok(next);
  }
  if (file.endsWith(".json"))
    return ok(`${JSON.stringify(withJson(JSON.parse(text) as Json, path, value), null, 2)}\n`);
  document.setIn(path, value);
  return ok(document.toString({ lineWidth: 0 }));
}

function withJson(whole: Json, [name, ...rest]: readonly string[], value: Json): Json {
  if (name === undefined) return value;
  if (Array.isArray(whole))
    return whole.map((item, at) => (String(at) === name ? withJson(item as Json, rest, value) : item));
  const group = whole as Readonly<Record<string, Json>>;
  return { ...group, [name]: withJson(group[name] as Json, rest, value) };
}
