import { evaluateToken, text, type Value } from "./evaluate.ts";
import type { Token } from "./template.ts";

/** The value of a token in a place where the syntax allows no expression. */
export function literal(token: Token | undefined): Value {
  const value = evaluateToken(token, { file: "", contexts: {} });
  return value.ok ? value.value : null;
}

/** The same as text; undefined where the file says nothing. */
export function literalText(token: Token | undefined): string | undefined {
  return token === undefined ? undefined : text(literal(token));
}
