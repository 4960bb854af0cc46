import { parse, CsvError } from "csv-parse/sync";
import type { ModelConfig } from "../config/index.ts";
import { compareCodeUnits, fail, ok } from "../core/index.ts";
import type { Result } from "../core/index.ts";
import type { JoinedRow } from "./window.ts";

type Retrain = NonNullable<NonNullable<ModelConfig["monitor"]>["retrain"]>;

/** The shape of the files that labelled requests are written to. */
export interface TableShape {
  readonly id: string;
  readonly label: string;
  readonly features: string | readonly string[];
  /** Tensor whose columns are the features. */
  readonly input: string;
  /** A label that is none of these is not written; undefined: any finite number (regression) or short text. */
  readonly classes: readonly string[] | undefined;
  readonly numericLabel: boolean;
}

/** Tasks whose labels are numbers. */
const NUMERIC = new Set(["regression", "ranking"]);

export function shapeOf(config: ModelConfig, retrain: Retrain): TableShape {
  const input = config.serving?.input ?? "";
  const { id = "id", label = "label", features = input } = retrain.columns ?? {};
  const classes = config.serving?.classes;
  return { id, label, features, input, classes, numericLabel: NUMERIC.has(config.evaluation.task) };
}

/** Rows of one UTC day as a CSV file of the dataset: `feedback/<day>.csv`. */
export interface DayTable {
  readonly path: string;
  readonly header: readonly string[];
  /** By id; each as long as the header. */
  readonly rows: ReadonlyMap<string, readonly string[]>;
}

/** A label is written to a file that a training will read: nothing that is not a label may get there. */
function isLabel(label: string, shape: TableShape): boolean {
  if (shape.classes !== undefined) return shape.classes.includes(label);
  if (shape.numericLabel) return label.trim() !== "" && Number.isFinite(Number(label));
  return label !== "" && label.length <= 200 && !/\p{C}/u.test(label);
}

/**
 * The training row of a labelled request under its day; undefined where it cannot be one: no label, a label that is no
 * class, a value that is missing, or another number of values than the header has names.
 */
export function trainingRow(
  { header, row, label }: JoinedRow,
  shape: TableShape,
): { readonly path: string; readonly header: readonly string[]; readonly cells: readonly string[] } | undefined {
  if (label === undefined || !isLabel(label, shape)) return undefined;
  const places = header.inputs.flatMap((name, i) =>
    name === shape.input || name.startsWith(`${shape.input}.`) ? [i] : [],
  );
  const values = places.map((i) => row.inputs[i] ?? null);
  if (values.length === 0 || values.includes(null)) return undefined;
  const { features } = shape;
  const names =
    typeof features === "string"
      ? places.map((i) => `${features}${header.inputs[i]!.slice(shape.input.length)}`)
      : features;
  if (names.length !== values.length) return undefined;
  const day = new Date(row.time).toISOString().slice(0, 10);
  return {
    path: `feedback/${day}.csv`,
    header: [shape.id, shape.label, ...names],
    cells: [row.id, label, ...values.map(String)],
  };
}

/** Adds rows to the files they belong to. A row that is there already is replaced: its label may have been corrected. */
export function mergeTables(base: readonly DayTable[], added: readonly DayTable[]): DayTable[] {
  const merged = new Map(base.map((table) => [table.path, table]));
  for (const table of added) {
    const there = merged.get(table.path);
    // Another header is another kind of row (the model's input changed): it takes the day over, never mixes with it.
    const same = there !== undefined && there.header.join("\0") === table.header.join("\0");
    merged.set(table.path, same ? { ...table, rows: new Map([...there.rows, ...table.rows]) } : table);
  }
  return [...merged.values()].sort((a, b) => compareCodeUnits(a.path, b.path));
}

/** Sorted by id, so that the same rows are the same bytes. */
export function encodeTable({ header, rows }: DayTable): Buffer {
  const sorted = [...rows.values()].sort((a, b) => compareCodeUnits(a[0]!, b[0]!));
  return Buffer.from(`${[header, ...sorted].map((cells) => cells.map(quote).join(",")).join("\n")}\n`);
}

export function decodeTable(path: string, bytes: Buffer): Result<DayTable> {
  try {
    const [header, ...rows] = parse(bytes, { bom: true, skip_empty_lines: true }) as string[][];
    return ok({ path, header: header ?? [], rows: new Map(rows.map((cells) => [cells[0] ?? "", cells])) });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    return fail({ code: "external", what: path, problem: error.message, cause: error });
  }
}

function quote(cell: string): string {
  return /[",\n\r]/.test(cell) || cell !== cell.trim() ? `"${cell.replaceAll('"', '""')}"` : cell;
}
