import { z } from "zod";
import type { Against } from "../config/index.ts";
import { brief, showSize, showTime } from "../evaluate/index.ts";
import type { MeasuredSpeed } from "../evaluate/index.ts";

const QUANTITIES = ["p50", "p95", "p99", "throughput"] as const;
type Quantity = (typeof QUANTITIES)[number];
const bytes = z.number().nullable();
/** With its 95 % interval. */
const estimate = z.strictObject({ value: z.number(), low: z.number(), high: z.number() });
type Estimate = z.infer<typeof estimate>;

/** What a model takes to serve. */
export const servingSchema = z.strictObject({
  /** Latency of one row in ms, rows in a second; of the references as measured beside the head. */
  speed: z.array(
    z.strictObject({
      quantity: z.enum(QUANTITIES),
      head: estimate,
      base: z.number().nullable(),
      production: z.number().nullable(),
      /** Head by reference. */
      ratios: z.strictObject({ base: estimate.nullable(), production: estimate.nullable() }),
    }),
  ),
  /** Bytes of the model's files; null: not there, or not known. */
  files: z.array(z.strictObject({ name: z.string(), base: bytes, head: bytes, production: bytes })),
  /** Why there is no speed. */
  note: z.string().nullable(),
});
export type ServingReport = z.infer<typeof servingSchema>;

/** Bytes of files by name. */
export type Sizes = Readonly<Record<string, number | null>>;

export function servingReport(
  head: Sizes,
  others: { readonly base: Sizes; readonly production: Sizes } | undefined,
  speed: MeasuredSpeed | undefined,
): ServingReport | null {
  const files = Object.keys(head).map((name) => ({
    name,
    base: others?.base[name] ?? null,
    head: head[name] ?? null,
    production: others?.production[name] ?? null,
  }));
  const measured = speed?.kind === "measured" ? speed.all : [];
  if (files.length === 0 && measured.length === 0) return null;
  const beside = (what: Against): (typeof measured)[number] | undefined =>
    measured.find(({ against }) => against?.what === what);
  const [base, production] = [beside("base"), beside("production")];
  const own = production ?? base ?? measured[0];
  return {
    speed: QUANTITIES.flatMap((quantity) =>
      own === undefined
        ? []
        : [
            {
              quantity,
              head: own.quantities[quantity],
              base: base?.against?.quantities[quantity].value ?? null,
              production: production?.against?.quantities[quantity].value ?? null,
              ratios: { base: base?.ratios?.[quantity] ?? null, production: production?.ratios?.[quantity] ?? null },
            },
          ],
    ),
    files,
    note: speed === undefined || speed.kind === "measured" ? null : speed.why,
  };
}

/** A row of the table as text; a file's name is the repository's. */
export interface ServingRow {
  readonly name: string;
  readonly file: boolean;
  readonly direction: "higher" | "lower";
  readonly base: string;
  readonly head: string;
  readonly production: string;
  /** How the head stands to the reference. */
  readonly change: string;
}

/** What the head is held against: production where it is known, else the base; null: neither is. */
export function servingReference({ speed, files }: ServingReport): Against | null {
  const all = [...speed, ...files];
  const known = (what: Against): boolean => all.some((row) => row[what] !== null);
  return known("production") ? "production" : known("base") ? "base" : null;
}

export function servingRows({ speed, files }: ServingReport, against: Against | null): ServingRow[] {
  const show = (quantity: Quantity, value: number | null): string => {
    if (value === null) return "–";
    return quantity === "throughput" ? `${brief(value)} rows/s` : showTime(value);
  };
  const size = (value: number | null): string => (value === null ? "–" : showSize(value));
  return [
    ...speed.map(({ quantity, head, base, production, ratios }): ServingRow => {
      return {
        name: quantity === "throughput" ? quantity : `${quantity} latency`,
        file: false,
        direction: quantity === "throughput" ? "higher" : "lower",
        base: show(quantity, base),
        head: show(quantity, head.value),
        production: show(quantity, production),
        change: timesOf(against === null ? null : ratios[against]),
      };
    }),
    ...files.map((file): ServingRow => {
      const before = against === null ? null : file[against];
      return {
        name: file.name,
        file: true,
        direction: "lower",
        base: size(file.base),
        head: size(file.head),
        production: size(file.production),
        change: before === null || file.head === null ? "–" : grown(file.head - before),
      };
    }),
  ];
}

function timesOf(ratio: Estimate | null): string {
  if (ratio === null) return "–";
  if (ratio.low === 1 && ratio.high === 1) return "the same file";
  return `${brief(ratio.value)} times (${brief(ratio.low)} to ${brief(ratio.high)})`;
}

function grown(difference: number): string {
  if (difference === 0) return "0";
  return `${difference > 0 ? "+" : "−"}${showSize(Math.abs(difference))}`;
}

/** How the numbers were come by, or why there are none. */
export function servingNote({ speed, note }: ServingReport): string | null {
  if (speed.length === 0) return note;
  return "Measured in ONNX Runtime on the experiment's runner, in turns; latency is of one row. What a ratio says holds elsewhere, a time does not.";
}
