import type { Row } from "../tables/index.ts";
import { quote } from "./problems.ts";

export type Complain = (cell: number, problem: string) => void;

/** A probability written in single precision may exceed 1 by rounding. */
const ROUNDING = 1e-6;
const POSITIVE = new Set(["1", "1.0", "true", "True", "TRUE", "yes"]);
const NEGATIVE = new Set(["0", "0.0", "false", "False", "FALSE", "no"]);

export function numberIn(row: Row, cell: number, complain: Complain): number {
  const value = row.value(cell);
  if (Number.isFinite(value)) return value;
  const text = row.text(cell).trim();
  complain(cell, text === "" ? "the cell is empty; a number is needed" : `${quote(text)} is not a finite number`);
  return 0;
}

/** @param what as in `"weight"` */
export function notNegativeIn(row: Row, cell: number, what: string, complain: Complain): number {
  const value = numberIn(row, cell, complain);
  if (value < 0) complain(cell, `${value} is negative; a ${what} is not`);
  return value;
}

export function probabilityIn(row: Row, cell: number, complain: Complain): number {
  const value = numberIn(row, cell, complain);
  if (value < -ROUNDING || value > 1 + ROUNDING) complain(cell, `${value} is not a probability (0 to 1)`);
  return Math.min(1, Math.max(0, value));
}

/** 1 for the positive class, 0 for the other. */
export function truthIn(row: Row, cell: number, complain: Complain): 0 | 1 {
  const value = row.value(cell);
  if (value === 1 || value === 0) return value;
  const text = row.text(cell).trim();
  if (POSITIVE.has(text)) return 1;
  if (NEGATIVE.has(text)) return 0;
  complain(
    cell,
    text === ""
      ? "the cell is empty; 0 or 1 is needed"
      : `${quote(text)} is neither 0 nor 1 (nor true, false, yes, no)`,
  );
  return 0;
}
