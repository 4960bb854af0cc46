/** `${...}`, unless a backslash stands before it. */
const EXPRESSION = /(?<!\\)\$\{(.*?)\}/g;

/** One `${...}` of a text. */
export interface Expression {
  /** Where it begins and ends in the text. */
  readonly from: number;
  readonly to: number;
  readonly inner: string;
}

export function expressionsIn(text: string): Expression[] {
  return [...text.matchAll(EXPRESSION)].map((match) => ({
    from: match.index,
    to: match.index + match[0].length,
    inner: match[1] as string,
  }));
}

/** The parts of `a.b[0].c`; undefined: it is not of that form. Blanks around a part do not count. */
export function partsOfExpression(inner: string): string[] | undefined {
  if (!/^[^.[\]]+(?:\.[^.[\]]+|\[[^.[\]]+\])*$/.test(inner)) return undefined;
  return inner
    .replaceAll("[", ".")
    .replaceAll("]", "")
    .split(".")
    .map((part) => part.trim());
}

/** The first problem of the expressions anywhere in a value, with the way to it: keys count as texts too. */
export function malformed(
  value: unknown,
  path: readonly PropertyKey[] = [],
): { path: PropertyKey[]; text: string } | undefined {
  if (typeof value === "string") {
    const wrong = expressionsIn(value).find(({ inner }) => partsOfExpression(inner) === undefined);
    return wrong === undefined ? undefined : { path: [...path], text: value.slice(wrong.from, wrong.to) };
  }
  if (typeof value !== "object" || value === null) return undefined;
  for (const [name, member] of Object.entries(value)) {
    const key = Array.isArray(value) ? Number(name) : name;
    const found =
      (Array.isArray(value) ? undefined : malformed(name, [...path, key])) ?? malformed(member, [...path, key]);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** True when a text somewhere in the value, or a key, holds an expression. */
export function holdsExpression(value: unknown): boolean {
  if (typeof value === "string") return expressionsIn(value).length > 0;
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(
    ([name, member]) => holdsExpression(member) || (!Array.isArray(value) && holdsExpression(name)),
  );
}
