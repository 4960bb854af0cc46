import { stripTypeScriptTypes } from "node:module";
import { fail, ok } from "../../core/index.ts";
import type { Location, Result } from "../../core/index.ts";

/** What one module says about others. Imports of types alone are gone: nothing of them is there when it runs. */
export interface ParsedModule {
  /** Static imports, `export ... from` and `import()` of a literal. What `import()` computes is found out when it runs. */
  readonly imports: readonly { readonly specifier: string; readonly at: Location; readonly star: boolean }[];
  /** Names, `default` included; without those of `export * from`. Undefined for CommonJS, which has no list of them. */
  readonly exports: readonly string[] | undefined;
}

/** A module is written by hand; a larger file under that name is not for reading whole. */
const LARGEST = 4 * 1024 * 1024;
const PARSED = /\.(ts|mts|js|mjs)$/;
const TYPED = /\.m?ts$/;

/** Reads a module's imports as Node will see them: its types are stripped by the same code. */
export async function parseModule(file: string, bytes: Buffer): Promise<Result<ParsedModule>> {
  if (!PARSED.test(file)) return ok({ imports: [], exports: undefined });
  const start: Location = { file, line: 1, column: 1 };
  if (bytes.length > LARGEST)
    return fail({ code: "file-invalid", at: start, problem: `a module has at most ${LARGEST} bytes` });
  const text = bytes.toString("utf8");
  const { init, parse } = await import("es-module-lexer");
  await init;
  try {
    const code = TYPED.test(file) ? strip(text) : text;
    const [imports, exports, , isModule] = parse(code);
    return ok({
      imports: imports.flatMap(({ n, s, ss }) =>
        n === undefined
          ? []
          : [{ specifier: n, at: locate(file, text, s), star: /^export\s*\*/.test(code.slice(ss, ss + 100)) }],
      ),
      exports: isModule ? exports.map(({ n }) => n ?? "default") : undefined,
    });
  } catch (error) {
    // Whatever the text is made of, it is the text's fault: both parsers are fed nothing else.
    const problem = problemOf(error);
    return fail({ code: "file-invalid", at: placeOf(error, file, text) ?? start, problem, cause: error });
  }
}

function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // The stripper's memory is gone for the rest of this process: it says so of every file after it, too.
  if ((error as NodeJS.ErrnoException).code === "ERR_INTERNAL_ASSERTION")
    return "cannot be read: it, or a module read before it, is nested too deeply";
  return error.message.replace(/^Parse error @:\d+:\d+$/, "not a module");
}

/** Types become spaces, so that every offset stays. The warning that this is experimental is not the user's concern. */
function strip(text: string): string {
  const before: unknown = Reflect.get(process, "emitWarning");
  process.emitWarning = () => {};
  try {
    return stripTypeScriptTypes(text);
  } finally {
    Reflect.set(process, "emitWarning", before);
  }
}

/** The lexer says an index; the stripper draws `:2`, some lines and carets above its message. */
function placeOf(error: unknown, file: string, text: string): Location | undefined {
  if (!(error instanceof Error)) return undefined;
  const { idx, stack = "" } = error as Error & { readonly idx?: number };
  if (idx !== undefined) return locate(file, text, idx);
  const [, line, indent] = /^[^\n]*:(\d+)\n[^]*?^( *)\^+$/m.exec(stack) ?? [];
  if (line === undefined || indent === undefined) return undefined;
  const source = text.split(/\r?\n/)[Number(line) - 1];
  return { file, line: Number(line), column: indent.length + 1, ...(source === undefined ? {} : { source }) };
}

function locate(file: string, text: string, offset: number): Location {
  const before = text.slice(0, offset).split("\n");
  const source = text.split("\n")[before.length - 1] ?? "";
  return { file, line: before.length, column: (before.at(-1) ?? "").length + 1, source: source.replace(/\r$/, "") };
}
