import { parse, CsvError } from "csv-parse/sync";
import { compareCodeUnits, fail, ok } from "../core/index.ts";
import type { Result } from "../core/index.ts";
import type { Profile, ProfileColumn } from "./profile.ts";
import { QuantileSketch, binOf, quantileEdges } from "./quantiles.ts";

const BINS = 20;
/** Numeric columns with at most this many values get a bin for each, and keep their spelling. */
const FEW = 64;
const KEPT_CATEGORIES = 200;
/** Memory bound: categories first seen after this many are counted together. */
const TRACKED_CATEGORIES = 10_000;
const LONGEST_CATEGORY = 200;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** One column of a stream of texts. Numeric until a text is met that is no number. */
class ColumnSketch {
  readonly name: string;
  #count = 0;
  #nulls = 0;
  #numeric = true;
  #min = Infinity;
  #max = -Infinity;
  #mean = 0;
  #squares = 0;
  readonly #quantiles = new QuantileSketch();
  readonly #categories = new Map<string, number>();
  #other = 0;

  constructor(name: string) {
    this.name = name;
  }

  add(text: string): void {
    if (text === "" || text === "NaN") {
      this.#nulls++;
      return;
    }
    this.#count++;
    const seen = this.#categories.get(text);
    const tracked =
      seen !== undefined || (this.#categories.size < TRACKED_CATEGORIES && text.length <= LONGEST_CATEGORY);
    if (tracked) this.#categories.set(text, (seen ?? 0) + 1);
    else this.#other++;
    const value = Number(text);
    if (!this.#numeric || !NUMBER.test(text) || !Number.isFinite(value)) {
      this.#numeric = false;
      return;
    }
    this.#min = Math.min(this.#min, value);
    this.#max = Math.max(this.#max, value);
    const delta = value - this.#mean;
    this.#mean += delta / this.#count;
    this.#squares += delta * (value - this.#mean);
    this.#quantiles.add(value);
  }

  finish(): ProfileColumn {
    const frequent = [...this.#categories].sort(([a, n], [b, m]) => m - n || compareCodeUnits(a, b));
    const shared = { name: this.name, count: this.#count, nulls: this.#nulls };
    if (!this.#numeric || this.#count === 0) {
      const categories = frequent.slice(0, KEPT_CATEGORIES);
      const kept = categories.reduce((sum, [, n]) => sum + n, 0);
      return { ...shared, type: "categorical", categories, other: this.#count - kept };
    }
    const weighted = this.#quantiles.weighted();
    const few = frequent.length <= FEW && this.#other === 0;
    const edges = few ? middles(weighted) : quantileEdges(weighted, BINS);
    const bins = Array.from({ length: edges.length + 1 }, () => 0);
    for (const [value, weight] of weighted) bins[binOf(edges, value)]! += weight;
    return {
      ...shared,
      type: "numeric",
      min: this.#min,
      max: this.#max,
      mean: this.#mean,
      std: Math.sqrt(this.#squares / this.#count),
      edges,
      bins,
      ...(few ? { categories: frequent } : {}),
    };
  }
}

/** Between every two neighbouring values, half way. */
function middles(weighted: readonly (readonly [number, number])[]): number[] {
  const values = [...new Set(weighted.map(([value]) => value))];
  return values.slice(1).map((value, i) => values[i]! + (value - values[i]!) / 2);
}

/**
 * The reference profile of a CSV table with a header, one pass, in memory that is bounded per column. Equal text
 * gives an equal profile. Fails with "file-invalid" when it is not a table.
 * @param file only names it in failures.
 */
export function sketchTable(csv: Uint8Array | string, file = "the profile table"): Result<Profile> {
  let columns: ColumnSketch[] | undefined;
  let rows = 0;
  const invalid = (line: number, problem: string): Result<Profile> =>
    fail({ code: "file-invalid", at: { file, line, column: 1 }, problem });
  const text = typeof csv === "string" ? csv : Buffer.from(csv.buffer, csv.byteOffset, csv.byteLength);
  try {
    parse(text, {
      bom: true,
      skip_empty_lines: true,
      on_record: (record: string[]) => {
        if (columns === undefined) columns = record.map((name) => new ColumnSketch(name));
        else {
          rows++;
          record.forEach((value, i) => columns![i]!.add(value));
        }
        return null;
      },
    });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    return invalid(Number(error["lines"] ?? 1), error.message);
  }
  if (columns === undefined) return invalid(1, "the table is empty: it needs a header and rows");
  const names = (columns as ColumnSketch[]).map((column) => column.name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) return invalid(1, `column "${twice}" is there twice`);
  if (rows === 0) return invalid(1, "the table has a header and no rows");
  return ok({ profileVersion: 1, rows, columns: (columns as ColumnSketch[]).map((column) => column.finish()) });
}
