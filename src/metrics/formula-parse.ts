import jsep from "jsep";

/** A parsed formula, as jsep has it, and where each part starts in the text. */
export type Part = jsep.CoreExpression & { readonly start?: number; readonly grouped?: boolean };

/** What is wrong in a formula, by characters of its text. */
export interface FormulaProblem {
  readonly offset: number;
  readonly length: number;
  readonly problem: string;
  readonly hint?: string;
}

/** How deep parentheses may go: parsing and computing are recursive. */
const DEPTH = 40;

interface Parser {
  readonly index: number;
  readonly expr: string;
  gobbleSpaces(): void;
  gobbleToken(): Part | false | undefined;
  parse(): Part;
}

/** jsep keeps no positions, so they are written down as its parser meets each token. */
class Positions extends (jsep as unknown as { readonly Jsep: new (text: string) => Parser }).Jsep {
  override gobbleToken(): Part | false | undefined {
    this.gobbleSpaces();
    const start = this.index;
    const node = super.gobbleToken() as (Part & { start?: number; grouped?: boolean }) | false | undefined;
    if (node === undefined || node === false) return node;
    node.start ??= start;
    if (this.expr[start] === "(") node.grouped = true;
    return node;
  }
}

/** The parts of a formula, or why it cannot be read. What they mean is not looked at. */
export function parseFormula(text: string): Part | FormulaProblem {
  let depth = 0;
  for (let offset = 0; offset < text.length; offset++) {
    const character = text.charAt(offset);
    if ("([?".includes(character) && ++depth > DEPTH) return { offset, length: 1, problem: "the formula is too deep" };
    if (")]".includes(character)) depth--;
  }
  if (text.trim() === "") return { offset: 0, length: 1, problem: "the formula is empty" };
  try {
    return new Positions(text).parse();
  } catch (error) {
    const { index, description } = error as { index?: unknown; description?: unknown };
    if (typeof index !== "number") throw error;
    const offset = Math.min(Math.max(0, index), text.length - 1);
    return { offset, length: 1, problem: `not a formula: ${String(description)}` };
  }
}

/** Where a part starts; of an operation, where its first operand does. */
export function startOf(part: Part): number {
  if (part.start !== undefined && part.grouped !== true) return part.start;
  switch (part.type) {
    case "BinaryExpression":
      return startOf(part.left as Part);
    case "ConditionalExpression":
      return startOf(part.test as Part);
    case "Compound":
      return part.body[0] === undefined ? 0 : startOf(part.body[0] as Part);
    default:
      return part.start ?? 0;
  }
}
