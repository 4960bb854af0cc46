import { Evaluator, Lexer, Parser, data } from "@actions/expressions";
import { TokenType, type Token as LexerToken } from "@actions/expressions/lexer";
import type { FunctionDefinition } from "@actions/expressions/funcs/info";
import {
  isBasicExpression,
  isBoolean,
  isMapping,
  isNumber,
  isSequence,
  isString,
} from "@actions/workflow-parser/templates/tokens/type-guards";
import { fail, ok, type Location, type Result } from "../../core/index.ts";
import type { Token } from "./template.ts";

/** A value of an expression, as plain JSON. */
export type Value = null | boolean | number | string | readonly Value[] | { readonly [name: string]: Value };
export type Contexts = Readonly<Record<string, Value>>;

/** What an expression may refer to. */
export interface Scope {
  /** Path of the file the expression stands in, for messages. */
  readonly file: string;
  readonly contexts: Contexts;
  /** Status functions and `hashFiles`; those of the language itself are always there. */
  readonly functions?: readonly FunctionDefinition[];
}

const toData = (value: Value): data.ExpressionData =>
  JSON.parse(JSON.stringify(value), data.reviver) as data.ExpressionData;
const toValue = (result: data.ExpressionData): Value => JSON.parse(JSON.stringify(result, data.replacer)) as Value;

/** The lexer undoubles only the first quote of a text; here every `''` in it is one quote. */
function tokens(expression: string): LexerToken[] {
  return new Lexer(expression)
    .lex()
    .tokens.map((token) =>
      token.type === TokenType.STRING ? { ...token, value: token.lexeme.slice(1, -1).replaceAll("''", "'") } : token,
    );
}

function calculate(expression: string, scope: Scope): data.ExpressionData {
  const functions = scope.functions ?? [];
  const names = Object.keys(scope.contexts);
  const tree = new Parser(tokens(expression), names, [...functions]).parse();
  const contexts = new data.Dictionary(
    ...Object.entries(scope.contexts).map(([key, value]) => ({ key, value: toData(value) })),
  );
  const known = new Map(functions.map((definition) => [definition.name.toLowerCase(), definition]));
  return new Evaluator(tree, contexts, known).evaluate();
}

/** Evaluates the text between `${{` and `}}`. */
export function evaluate(expression: string, scope: Scope, at?: Location): Result<Value> {
  try {
    return ok(toValue(calculate(expression, scope)));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const place = at ?? { file: scope.file, line: 1, column: 1 };
    return fail({ code: "file-invalid", at: place, problem: `cannot evaluate \`${expression}\`: ${reason}`, cause });
  }
}

const place = (token: Token, scope: Scope): Location => ({
  file: scope.file,
  line: token.range?.start.line ?? 1,
  column: token.range?.start.column ?? 1,
});

/** Evaluates a piece of a workflow file, with everything in it. */
export function evaluateToken(token: Token | undefined, scope: Scope): Result<Value> {
  if (token === undefined) return ok(null);
  if (isBasicExpression(token)) return evaluate(token.expression, scope, place(token, scope));
  if (isString(token) || isBoolean(token) || isNumber(token)) return ok<Value>(token.value);
  if (isSequence(token)) {
    const items: Value[] = [];
    for (const item of token) {
      const value = evaluateToken(item, scope);
      if (!value.ok) return value;
      items.push(value.value);
    }
    return ok(items);
  }
  if (isMapping(token)) {
    const entries: [string, Value][] = [];
    for (const pair of token) {
      const key = evaluateToken(pair.key, scope);
      const value = evaluateToken(pair.value, scope);
      if (!key.ok) return key;
      if (!value.ok) return value;
      entries.push([text(key.value), value.value]);
    }
    return ok(Object.fromEntries(entries));
  }
  return ok(null);
}

/** As `if:` decides: empty text, 0, null and false do not hold. */
export function truthy(value: Value): boolean {
  return !(value === null || value === false || value === 0 || value === "");
}

/** A value as text, the way GitHub writes one into an environment variable or an input. */
export function text(value: Value): string {
  if (typeof value === "string") return value;
  return toData(value).coerceString();
}

/** A mapping's values as text; anything but a mapping gives no entries. */
export function texts(value: Value): Record<string, string> {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, text(item as Value)]));
}
