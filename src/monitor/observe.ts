import { binOf } from "../profile/index.ts";
import type { Profile, ProfileColumn } from "../profile/index.ts";
import type { LoggedValue } from "./rows.ts";

/** What production shows of one column, counted in the bins of its reference: a few hundred bytes at any length. */
export interface Observed {
  readonly reference: ProfileColumn;
  /** How both sides are counted: a numeric reference is read as categories where class names are logged. */
  readonly type: "numeric" | "categorical";
  /** Reference and production counts, bin by bin. Numeric: below min, the bins, above max. Else: categories, others. */
  readonly before: readonly number[];
  readonly now: number[];
  rows: number;
  nulls: number;
}

/** Counts values of one column. Values of a numeric column that are no numbers count as nulls: they are unusable. */
export function observe(reference: ProfileColumn, type: Observed["type"] = reference.type): Observed & ColumnCounter {
  const categories = type === "categorical" ? (reference.categories ?? []) : [];
  const index = new Map(categories.map(([name], i) => [name, i]));
  const before =
    type === "numeric" && reference.type === "numeric"
      ? [0, ...reference.bins, 0]
      : [...categories.map(([, count]) => count), reference.type === "categorical" ? reference.other : 0];
  const now = before.map(() => 0);
  const place = (value: LoggedValue): number | undefined => {
    if (value === null || value === "") return undefined;
    if (type === "categorical") return index.get(String(value)) ?? now.length - 1;
    const number = typeof value === "boolean" ? Number(value) : Number(value);
    if (reference.type !== "numeric" || !Number.isFinite(number)) return undefined;
    if (number < reference.min) return 0;
    return number > reference.max ? now.length - 1 : 1 + binOf(reference.edges, number);
  };
  return {
    reference,
    type,
    before,
    now,
    rows: 0,
    nulls: 0,
    add(value) {
      this.rows++;
      const bin = place(value);
      if (bin === undefined) this.nulls++;
      else now[bin]! += 1;
    },
  };
}

interface ColumnCounter {
  add(value: LoggedValue): void;
}

/** Which columns of the profile are judged, and as what. Others (ids, labels, notes) are not the model's business. */
export interface Roles {
  readonly inputs: readonly ProfileColumn[];
  readonly outputs: readonly ProfileColumn[];
  readonly prediction: ProfileColumn | undefined;
}

export function rolesOf(profile: Profile, signature: { readonly input: string; readonly output: string }): Roles {
  const of = (tensor: string): ProfileColumn[] =>
    profile.columns.filter(({ name }) => name === tensor || name.startsWith(`${tensor}.`));
  return {
    inputs: of(signature.input),
    outputs: of(signature.output).filter(({ name }) => name !== "prediction"),
    prediction: profile.columns.find(({ name }) => name === "prediction"),
  };
}
