import type { Observed } from "./observe.ts";
import { benjaminiHochberg } from "../statistics/index.ts";
import { chiSquare, kolmogorovSmirnov, shareTest, stabilityIndex } from "./statistics.ts";

/** False discovery rate across the columns of one check. */
export const FALSE_DISCOVERY_RATE = 0.01;
/** Smallest population stability index that matters, however certain; 0.1 is the usual rule for a moderate shift. */
export const LEAST_PSI = 0.1;
/** Smallest change of the share of nulls, or of values never seen at training, that matters. */
export const LEAST_SHARE = 0.05;

export type Role = "input" | "output" | "prediction";

/** One column's evidence: what was tested, how sure it is and how large. */
export interface ColumnDrift {
  readonly column: string;
  readonly role: Role;
  readonly test: "Kolmogorov-Smirnov" | "chi-square" | "nulls";
  readonly statistic: number;
  /** Adjusted for all the columns of the check (Benjamini-Hochberg). */
  readonly q: number;
  readonly psi: number;
  /** Share of nulls at training and now. */
  readonly nulls: readonly [number, number];
  /** Share of values outside of the training range, or of categories that training did not have. */
  readonly unseen: number;
  /** Counts by bin, for the picture. */
  readonly before: readonly number[];
  readonly now: readonly number[];
  readonly drifted: boolean;
}

interface Raw {
  readonly column: Omit<ColumnDrift, "q" | "drifted">;
  readonly p: number;
  readonly large: boolean;
}

/**
 * Tests each column and corrects for their number. A column drifts when its difference is both certain (q at or below
 * the rate) and large: with enough rows everything is certain, with few everything looks large.
 */
export function compareColumns(columns: readonly { role: Role; observed: Observed }[]): ColumnDrift[] {
  const raw = columns.map(({ role, observed }) => compareColumn(role, observed));
  const qs = benjaminiHochberg(raw.map(({ p }) => p));
  return raw.map(({ column, large }, i) => {
    const q = qs[i]!;
    return { ...column, q, drifted: large && q <= FALSE_DISCOVERY_RATE };
  });
}

function compareColumn(role: Role, observed: Observed): Raw {
  const { reference, before, now, type } = observed;
  const values = type === "numeric" ? kolmogorovSmirnov(before, now) : chiSquare(before, now);
  const known = reference.count + reference.nulls;
  const nulls = shareTest(reference.nulls, known, observed.nulls, observed.rows);
  const psi = stabilityIndex(before, now);
  const present = observed.rows - observed.nulls;
  const outside = type === "numeric" ? now[0]! + now.at(-1)! : Math.max(0, now.at(-1)! - before.at(-1)!);
  const unseen = present === 0 ? 0 : outside / present;
  const byNulls = nulls.p < values.p;
  const column = {
    column: reference.name,
    role,
    test: byNulls ? "nulls" : type === "numeric" ? "Kolmogorov-Smirnov" : "chi-square",
    statistic: byNulls ? nulls.statistic : values.statistic,
    psi,
    nulls: [known === 0 ? 0 : reference.nulls / known, observed.rows === 0 ? 0 : observed.nulls / observed.rows],
    unseen,
    before,
    now,
  } as const;
  return {
    column,
    // Two looks at one column: the smaller p counts twice.
    p: Math.min(1, 2 * Math.min(nulls.p, values.p)),
    large: byNulls ? Math.abs(nulls.statistic) >= LEAST_SHARE : psi >= LEAST_PSI || unseen >= LEAST_SHARE,
  };
}
