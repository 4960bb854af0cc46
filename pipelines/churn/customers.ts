/** One customer in one month, as the cells of a CSV file. */
export type Cells = Readonly<Record<keyof Customer, string>>;

/** One customer in one month. */
export interface Customer {
  readonly customer: string;
  /** Counts from 1. */
  readonly month: number;
  readonly region: "north" | "south" | "coast";
  readonly plan: "basic" | "plus" | "family";
  /** Months since they came. */
  readonly tenure: number;
  /** Euros a month. */
  readonly fee: number;
  /** Hours in the month. */
  readonly usage: number;
  /** Against the month before: 0.1 is a tenth more. */
  readonly usage_change: number;
  /** Calls to the support line in the month. */
  readonly calls: number;
  readonly late_payments: number;
  /** 1: they left at the end of the month. */
  readonly churned: 0 | 1;
}

export const PLANS = ["basic", "plus", "family"] as const;
export const REGIONS = ["north", "south", "coast"] as const;

/** What the model sees, in the order of its input tensor. */
export const FEATURES = ["tenure", "fee", "usage", "usage_change", "calls", "late_payments", "plan"] as const;

/** @throws RangeError for a plan that is none, or a cell that is no number. */
export function featuresOf(cells: Cells): number[] {
  return FEATURES.map((name) => {
    const value = name === "plan" ? PLANS.indexOf(cells.plan as Customer["plan"]) : Number(cells[name]);
    const known = Number.isFinite(value) && cells[name].trim() !== "" && !(name === "plan" && value < 0);
    if (!known) throw new RangeError(`customer ${cells.customer}, month ${cells.month}: ${name} is "${cells[name]}"`);
    return value;
  });
}

/** A group for the report: who is new behaves unlike who has stayed for years. */
export function tenureBand(tenure: number): "new" | "settled" | "loyal" {
  return tenure < 6 ? "new" : tenure < 24 ? "settled" : "loyal";
}
