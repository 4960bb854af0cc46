import { TemplateContext } from "@actions/workflow-parser/templates/template-context";
import { readTemplate } from "@actions/workflow-parser/templates/template-reader";
import { TemplateValidationErrors } from "@actions/workflow-parser/templates/template-context";
import type { TemplateSchema } from "@actions/workflow-parser/templates/schema/index";
import { StringToken } from "@actions/workflow-parser/templates/tokens/index";
import type { LiteralToken, MappingToken, TemplateToken } from "@actions/workflow-parser/templates/tokens/index";
import type { TokenRange } from "@actions/workflow-parser/templates/tokens/token-range";
import { NoOperationTraceWriter } from "@actions/workflow-parser/templates/trace-writer";
import { isMapping, isString } from "@actions/workflow-parser/templates/tokens/type-guards";
import { YamlObjectReader } from "@actions/workflow-parser/workflows/yaml-object-reader";
import type { Failure, Location } from "../../core/index.ts";

export type Token = TemplateToken;

/**
 * For a text of several lines with an expression in it, the parser takes the text as it stands in the file, block
 * indentation and all: right for an editor, wrong for a script. Without the source it takes the value.
 */
class ValueReader extends YamlObjectReader {
  override allowLiteral(): LiteralToken | undefined {
    const token = super.allowLiteral();
    if (token === undefined || !isString(token)) return token;
    return new StringToken(token.file, token.range, token.value, token.definitionInfo);
  }
}

/** A workflow or action file as it is read; problems of any kind are collected and come out all at once. */
export class TemplateFile {
  readonly path: string;
  readonly context: TemplateContext;
  readonly root: MappingToken | undefined;
  readonly #lines: readonly string[];
  readonly #extra: Failure[] = [];

  constructor(path: string, text: string, schema: TemplateSchema, type: string) {
    this.path = path;
    this.#lines = text.split("\n");
    this.context = new TemplateContext(new TemplateValidationErrors(), schema, new NoOperationTraceWriter());
    const id = this.context.getFileId(path);
    const reader = new ValueReader(id, text);
    for (const error of reader.errors) this.context.error(id, error.message, error.range);
    const value = reader.errors.length > 0 ? undefined : readTemplate(this.context, type, reader, id);
    if (value !== undefined && isMapping(value)) this.root = value;
    else if (this.context.errors.count === 0) this.context.error(id, "the file holds no mapping");
  }

  at(range: TokenRange | undefined): Location {
    const line = range?.start.line ?? 1;
    const column = range?.start.column ?? 1;
    const source = this.#lines[line - 1];
    return { file: this.path, line, column, ...(source === undefined ? {} : { source }) };
  }

  invalid(token: Token, problem: string): void {
    this.#extra.push({ code: "file-invalid", at: this.at(token.range), problem });
  }

  unsupported(token: Token, what: string): void {
    this.#extra.push({ code: "unsupported", what, at: this.at(token.range) });
  }

  failures(): Failure[] {
    const found = this.context.errors
      .getErrors()
      .map(({ range, rawMessage }): Failure => ({ code: "file-invalid", at: this.at(range), problem: rawMessage }));
    const line = (failure: Failure): number => ("at" in failure && failure.at !== undefined ? failure.at.line : 0);
    return [...found, ...this.#extra].toSorted((a, b) => line(a) - line(b));
  }
}

/** The entries of a mapping by name; anything else has none. */
export function fields(token: Token | undefined): Map<string, Token> {
  const found = new Map<string, Token>();
  if (token !== undefined && isMapping(token)) {
    for (const { key, value } of token) found.set(key.toString(), value);
  }
  return found;
}
