import type { Plot } from "../../../pipeline/index.ts";
import { numberOf } from "../table.ts";
import type { PlotTable } from "../table.ts";
import { strideRows } from "../sample.ts";

/** Rows of each side that a template is given. */
const ROWS = 2_000;
const REVISIONS = ["base", "this change"];

export interface Filling {
  readonly plot: Plot;
  /** Null: there is no such side. */
  readonly base: PlotTable | null;
  readonly head: PlotTable | null;
}

/**
 * A template with DVC's anchors (`<DVC_METRIC_DATA>` ...) filled as DVC fills them for one file: every row with its
 * `rev`, which is what tells the sides apart. Anchors that only several files need are empty.
 */
export function fillTemplate(template: unknown, { plot, base, head }: Filling): unknown {
  const columns = (head ?? base)?.columns ?? [];
  const x = plot.x[0]?.field ?? "step";
  const y = plot.y[0]?.fields[0] ?? columns.at(-1) ?? "";
  const rows = [base, head].flatMap((table, side) => records(table, REVISIONS[side] ?? ""));
  const anchors: Readonly<Record<string, unknown>> = {
    DATA: rows,
    // The page has the title above the drawing.
    TITLE: "",
    X: escaped(x),
    Y: escaped(y),
    X_LABEL: plot.xLabel ?? x,
    Y_LABEL: plot.yLabel ?? y,
    COLOR: { field: "rev", scale: { domain: REVISIONS, range: ["var(--base)", "var(--head)"] } },
    GROUP_BY: ["rev"],
    GROUP_BY_X: ["rev", x],
    GROUP_BY_Y: ["rev", y],
    PIVOT_FIELD: "datum.rev",
    TOOLTIP: [{ field: "rev" }, { field: escaped(x) }, { field: escaped(y) }],
    ZOOM_AND_PAN: { name: "grid", select: "interval", bind: "scales" },
    PLOT_WIDTH: 300,
    PLOT_HEIGHT: 300,
    ROW: {},
    COLUMN: {},
    STROKE_DASH: {},
    SHAPE: {},
  };
  return replaced(template, (text) => {
    const name = /^<DVC_METRIC_([A-Z_]+)>$/.exec(text)?.[1];
    return name !== undefined && Object.hasOwn(anchors, name) ? anchors[name] : text;
  });
}

/** Numbers as numbers; without a column for x the number of the row is `step`. */
function records(table: PlotTable | null, rev: string): Record<string, unknown>[] {
  if (table === null) return [];
  return strideRows(table.rows.length, ROWS).map((at) => {
    const cells = table.columns.map((name, index) => {
      const cell = table.rows[at]?.[index] ?? null;
      const number = numberOf(cell);
      return [name, Number.isNaN(number) ? cell : number] as const;
    });
    return Object.fromEntries([["step", at], ...cells, ["rev", rev]]);
  });
}

/** As Vega-Lite wants a name in which these mean themselves. */
function escaped(field: string): string {
  return field.replace(/[.[\]]/g, "\\$&");
}

function replaced(value: unknown, fill: (text: string) => unknown): unknown {
  if (typeof value === "string") return fill(value);
  if (Array.isArray(value)) return value.map((one) => replaced(one, fill));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, replaced(inner, fill)]));
}
