import { FEATURES, featuresOf, tenureBand } from "./customers.ts";
import type { Cells } from "./customers.ts";

/** One example: who and when, the groups of the report, the fee that money is counted by, the label, the features. */
export interface Example {
  readonly id: string;
  readonly region: string;
  readonly plan: string;
  readonly tenure_band: string;
  readonly monthly_fee: number;
  readonly churned: number;
  readonly [feature: `features.${number}`]: number;
}

interface PrepareParams {
  readonly train_until: number;
  readonly test_until: number;
}

/** Splits by time, as it is in use: a model is trained on months that are over and asked about those that come. */
export function prepare(
  { customers }: { readonly customers: readonly Cells[] },
  { prepare: { train_until: trained, test_until: tested } }: { readonly prepare: PrepareParams },
): { train: Example[]; test: Example[]; later: Example[] } {
  const within = (from: number, to: number): Example[] =>
    customers.filter(({ month }) => Number(month) > from && Number(month) <= to).map(exampleOf);
  return { train: within(0, trained), test: within(trained, tested), later: within(tested, Infinity) };
}

function exampleOf(cells: Cells): Example {
  const features = featuresOf(cells);
  return {
    id: `${cells.customer}-${cells.month}`,
    region: cells.region,
    plan: cells.plan,
    tenure_band: tenureBand(Number(cells.tenure)),
    monthly_fee: Number(cells.fee),
    churned: Number(cells.churned),
    ...Object.fromEntries(FEATURES.map((_, at) => [`features.${at}`, features[at]!])),
  };
}
