import type { SyntaxNode } from "@lezer/common";
import { fail, ok } from "../core/index.ts";
import type { Location, Result } from "../core/index.ts";
import type { Positioned } from "./load.ts";
import { Float, plain } from "./values.ts";
import type { Value, ValueMap } from "./values.ts";

/** What is no literal, such as a call: DVC leaves it out, and so do we. */
class NoLiteral extends Error {}

/**
 * Reads the literals that a Python file assigns, by DVC's rules: at the top, in classes (as nested names), and to
 * `self` in `__init__`. The file is parsed, never run. Tuples and sets become lists.
 */
export async function readPython(file: string, text: string): Promise<Result<Positioned<Value>>> {
  const { parser } = await import("@lezer/python");
  const tree = parser.parse(text);
  const cursor = tree.cursor();
  for (let more = true; more; more = cursor.next()) {
    if (!cursor.type.isError) continue;
    const problem = "the file is not valid Python";
    return fail({ code: "file-invalid", at: locate(file, text, cursor.from), problem });
  }
  const value = assigned(tree.topNode, text, false);
  return ok({ file, value, at: () => ({ file, line: 1, column: 1 }) });
}

function assigned(body: SyntaxNode, text: string, ofSelf: boolean): ValueMap {
  const found: Record<string, Value> = {};
  for (const node of childrenOf(body)) {
    const name = node.getChild("VariableName");
    const inner = node.getChild("Body");
    if (node.name === "AssignStatement") assign(node, text, ofSelf, found);
    else if (inner === null || name === null) continue;
    else if (node.name === "ClassDefinition") found[textOf(name, text)] = assigned(inner, text, false);
    else if (node.name === "FunctionDefinition" && textOf(name, text) === "__init__") {
      Object.assign(found, assigned(inner, text, true));
    }
  }
  return found;
}

function assign(node: SyntaxNode, text: string, ofSelf: boolean, found: Record<string, Value>): void {
  const parts = childrenOf(node);
  const ops = parts.filter(({ name }) => name === "AssignOp");
  const target = parts[0]!;
  if (ops.length !== 1) return;
  const name = targetName(target, text, ofSelf);
  if (name === undefined) return;
  const values = parts.slice(parts.indexOf(ops[0]!) + 1).filter((part) => part.name !== ",");
  try {
    const literals = values.map((value) => literal(value, text));
    found[name] = parts.some((part) => part.name === ",") ? literals : literals[0]!;
  } catch (error) {
    if (!(error instanceof NoLiteral)) throw error;
  }
}

function targetName(target: SyntaxNode, text: string, ofSelf: boolean): string | undefined {
  if (target.name === "VariableName") return ofSelf ? undefined : textOf(target, text);
  const property = target.name === "MemberExpression" ? target.getChild("PropertyName") : null;
  return property !== null && textOf(target, text) === `self.${textOf(property, text)}`
    ? textOf(property, text)
    : undefined;
}

function literal(node: SyntaxNode, text: string): Value {
  const inside = childrenOf(node).filter(({ name }) => !/^[[\](){},:]$/.test(name));
  switch (node.name) {
    case "Number":
      return numberOf(textOf(node, text));
    case "String":
      return stringOf(textOf(node, text));
    case "ContinuedString":
      return inside.map((part) => stringOf(textOf(part, text))).join("");
    case "Boolean":
      return textOf(node, text) === "True";
    case "None":
      return null;
    case "ParenthesizedExpression":
      return literal(inside[0]!, text);
    case "ArrayExpression":
    case "TupleExpression":
    case "SetExpression":
      return inside.map((item) => literal(item, text));
    case "DictionaryExpression": {
      const pairs = inside.filter((_, at) => at % 2 === 0).map((key, at) => [key, inside[2 * at + 1]] as const);
      return Object.fromEntries(
        pairs.map(([key, value]) => {
          if (value === undefined) throw new NoLiteral();
          const name = literal(key, text);
          return [typeof name === "string" ? name : JSON.stringify(plain(name)), literal(value, text)];
        }),
      );
    }
    case "UnaryExpression":
      return signed(textOf(inside[0]!, text), literal(inside[1]!, text));
    default:
      throw new NoLiteral();
  }
}

function signed(sign: string, value: Value): Value {
  const isNumber = typeof value === "number" || typeof value === "bigint" || value instanceof Float;
  if (!isNumber || (sign !== "-" && sign !== "+")) throw new NoLiteral();
  if (sign === "+") return value;
  return value instanceof Float ? new Float(-value.value) : -value;
}

function numberOf(written: string): Value {
  const digits = written.replaceAll("_", "").toLowerCase();
  if (digits.endsWith("j")) throw new NoLiteral();
  if (!/^0[xob]/.test(digits) && /[.e]/.test(digits)) return new Float(Number(digits));
  const value = BigInt(digits);
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", a: "\u0007", b: "\b", f: "\f", v: "\v" };

function stringOf(written: string): string {
  const [, prefix = "", quote = "", body = ""] = /^([a-z]*)('''|"""|'|")([\s\S]*)\2$/i.exec(written) ?? [];
  if (quote === "" || /[bf]/i.test(prefix)) throw new NoLiteral();
  if (/r/i.test(prefix)) return body;
  return body.replaceAll(
    /\\(?:\n|([0-7]{1,3})|x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|([\s\S]))/gi,
    (whole: string, octal?: string, hex?: string, four?: string, eight?: string, other?: string) => {
      if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8));
      const code = hex ?? four ?? eight;
      if (code !== undefined) return String.fromCodePoint(Number.parseInt(code, 16));
      if (other === undefined) return "";
      return ESCAPES[other] ?? (/['"\\]/.test(other) ? other : whole);
    },
  );
}

function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    if (child.name !== "Comment") children.push(child);
  }
  return children;
}

function textOf(node: SyntaxNode, text: string): string {
  return text.slice(node.from, node.to);
}

function locate(file: string, text: string, at: number): Location {
  const before = text.slice(0, at).split("\n");
  return { file, line: before.length, column: before.at(-1)!.length + 1, source: text.split("\n")[before.length - 1]! };
}
