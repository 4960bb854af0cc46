import { compareCodeUnits, nearest } from "../core/index.ts";
import { parseFormula, startOf } from "./formula-parse.ts";
import type { FormulaProblem, Part } from "./formula-parse.ts";

/** Computes a value where names mean something: in a row, or over the sums. Comparisons give 1 or 0. */
export type Compute<Where> = (where: Where) => number;

/** What the names and functions of a formula mean at one place in it. */
export interface Scope<Where> {
  /** Names that have a value; what any other means, or what is wrong with it, is said by `unknown`. */
  readonly names: Readonly<Record<string, Compute<Where>>>;
  readonly functions: Readonly<Record<string, (call: Call) => Compute<Where> | undefined>>;
  readonly unknown: (name: string) => Compute<Where> | { readonly problem: string; readonly hint?: string };
  /** A part that stands for a class of the task, where there are classes. */
  readonly classOf?: (part: Part) => Compute<Where> | undefined;
}

/** A function's arguments, and how to complain of them. */
export interface Call {
  readonly arguments: readonly Part[];
  readonly compile: <Where>(part: Part, scope: Scope<Where>) => Compute<Where>;
  readonly complain: (problem: string, part?: Part) => undefined;
}

const OPERATORS: Readonly<Record<string, (left: number, right: number) => number>> = {
  "+": (left, right) => left + right,
  "-": (left, right) => left - right,
  "*": (left, right) => left * right,
  "/": (left, right) => left / right,
  "%": (left, right) => left % right,
  "**": (left, right) => left ** right,
  "==": (left, right) => Number(left === right),
  "!=": (left, right) => Number(left !== right),
  "<": (left, right) => Number(left < right),
  "<=": (left, right) => Number(left <= right),
  ">": (left, right) => Number(left > right),
  ">=": (left, right) => Number(left >= right),
  "&&": (left, right) => Number(left !== 0 && right !== 0),
  "||": (left, right) => Number(left !== 0 || right !== 0),
};
const COMPARISONS = ["==", "!=", "<", "<=", ">", ">="];
const UNARY: Readonly<Record<string, (value: number) => number>> = {
  "-": (value) => -value,
  "+": (value) => value,
  "!": (value) => Number(value === 0),
};
/** Function -> its implementation and how many values it takes (0: any number of them). */
const FUNCTIONS: Readonly<Record<string, readonly [(...values: number[]) => number, number]>> = {
  min: [Math.min, 0],
  max: [Math.max, 0],
  abs: [Math.abs, 1],
  sqrt: [Math.sqrt, 1],
  log: [Math.log, 1],
  exp: [Math.exp, 1],
};

/**
 * Makes a formula computable. Only what is named here can be reached from one: numbers, the scope's names and
 * functions, and operators. Every problem is told.
 */
export function compileFormula<Where>(
  text: string,
  scope: Scope<Where>,
): { readonly compute: Compute<Where>; readonly problems: readonly FormulaProblem[] } {
  const problems: FormulaProblem[] = [];
  const parsed = parseFormula(text);
  if ("problem" in parsed) return { compute: nothing, problems: [parsed as FormulaProblem] };
  const complain = (problem: string, part: Part, hint?: string): undefined => {
    const offset = startOf(part);
    const length = part.type === "Identifier" ? part.name.length : 1;
    problems.push({ offset, length, problem, ...(hint === undefined ? {} : { hint }) });
  };
  const compute = compileWith(parsed as Part, scope, complain);
  return { compute, problems };
}

type Complain = (problem: string, part: Part, hint?: string) => undefined;

function nothing(): number {
  return Number.NaN;
}

function compileWith<Where>(part: Part, scope: Scope<Where>, complain: Complain): Compute<Where> {
  const compile = (inner: Part): Compute<Where> => compileWith(inner, scope, complain);
  switch (part.type) {
    case "Literal": {
      const { value } = part;
      if (typeof value === "number") return () => value;
      complain(`${part.raw} is not a number`, part);
      return nothing;
    }
    case "Identifier": {
      const known = own(scope.names, part.name);
      if (known !== undefined) return known;
      const found = scope.unknown(part.name);
      if (typeof found === "function") return found;
      complain(found.problem, part, found.hint);
      return nothing;
    }
    case "UnaryExpression": {
      const operator = own(UNARY, part.operator);
      if (operator === undefined) complain(`there is no operator ${part.operator} in formulas`, part);
      const value = compile(part.argument as Part);
      return operator === undefined ? nothing : (where) => operator(value(where));
    }
    case "BinaryExpression":
      return compileBinary(part, scope, complain);
    case "ConditionalExpression": {
      const [test, then, otherwise] = [part.test, part.consequent, part.alternate].map((inner) =>
        compile(inner as Part),
      ) as [Compute<Where>, Compute<Where>, Compute<Where>];
      return (where) => (test(where) === 0 ? otherwise(where) : then(where));
    }
    case "CallExpression":
      return compileCall(part, scope, complain);
    case "Compound":
    case "SequenceExpression":
      complain("a formula is one expression", part);
      return nothing;
    default:
      complain("a formula has numbers, names, operators and functions only", part);
      return nothing;
  }
}

function compileBinary<Where>(
  part: Extract<Part, { type: "BinaryExpression" }>,
  scope: Scope<Where>,
  complain: Complain,
): Compute<Where> {
  const [left, right] = [part.left as Part, part.right as Part];
  const operator = own(OPERATORS, part.operator);
  if (operator === undefined) complain(`there is no operator ${part.operator} in formulas`, part);
  if (part.operator === "**" && left.type === "UnaryExpression" && left.grouped !== true)
    complain("what is raised is not clear", part, "write (-x) ** 2 or -(x ** 2)");
  if (COMPARISONS.includes(part.operator)) {
    const chained = left.type === "BinaryExpression" && COMPARISONS.includes(left.operator) && left.grouped !== true;
    if (chained) complain("comparisons cannot be chained", part, "write a < b && b < c");
    const [one, other] = [scope.classOf?.(left), scope.classOf?.(right)];
    if (one !== undefined || other !== undefined) {
      if (one !== undefined && other !== undefined && (part.operator === "==" || part.operator === "!="))
        return (where) => Number((one(where) === other(where)) === (part.operator === "=="));
      complain('a class can only be compared with a class, by == or !=, as in prediction == "dog"', part);
      return nothing;
    }
  }
  const [before, after] = [compileWith(left, scope, complain), compileWith(right, scope, complain)];
  return operator === undefined ? nothing : (where) => operator(before(where), after(where));
}

function compileCall<Where>(
  part: Extract<Part, { type: "CallExpression" }>,
  scope: Scope<Where>,
  complain: Complain,
): Compute<Where> {
  const callee = part.callee as Part;
  if (callee.type !== "Identifier") {
    complain("only functions by their name can be called", part);
    return nothing;
  }
  const at = { ...callee, start: startOf(part) } as Part;
  const special = own(scope.functions, callee.name);
  if (special !== undefined) {
    const compile: Call["compile"] = (inner, other) => compileWith(inner, other, complain);
    const call = {
      arguments: part.arguments as Part[],
      compile,
      complain: (text: string, of = at) => complain(text, of),
    };
    return special(call) ?? nothing;
  }
  const known = own(FUNCTIONS, callee.name);
  if (known === undefined) {
    const names = [...Object.keys(scope.functions), ...Object.keys(FUNCTIONS)];
    complain(`there is no function "${callee.name}" here`, at, hintFor(callee.name, names));
    return nothing;
  }
  const [call, takes] = known;
  const values = part.arguments.map((argument) => compileWith(argument as Part, scope, complain));
  if (values.length === 0 || (takes !== 0 && values.length !== takes)) {
    complain(`${callee.name} takes ${takes === 0 ? "at least one value" : "one value"}`, at);
    return nothing;
  }
  return (where) => call(...values.map((value) => value(where)));
}

/** The name that was meant, or all that there are. */
export function hintFor(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  return near === undefined ? `known: ${[...known].sort(compareCodeUnits).join(", ")}` : `did you mean ${near}?`;
}

/** Never what an object inherits: a formula can name `constructor`. */
function own<Value>(entries: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(entries, name) ? entries[name] : undefined;
}
