import { more } from "./detail.ts";
import type { Detail } from "./detail.ts";
import { count } from "./format.ts";
import { code, details, sentence, table } from "./markdown.ts";
import type { MatrixPlot, PlotReport } from "./plots/schema.ts";
import type { Report } from "./schema.ts";
import { sumOf } from "./plots/matrix.ts";
import { barChart, lineChart } from "./xychart.ts";
import type { Chart } from "./xychart.ts";

/** More classes make a table nobody reads in a comment. */
const CLASSES = 10;
const NAMED = 10;
const OWN = "Drawn as lines here, and by its own template on the report's page.";

/** Those that the pipeline declares first, then those of the predictions; what cannot be drawn here is named. */
export function plotsSection({ models, pipelines }: Report, detail: Detail): string[] {
  const all = [...pipelines, ...models].flatMap(({ plots }) => plots);
  if (all.length === 0) return [];
  if (detail.plots === 0) return [`${count(all.length, "plot")}: on the report's page.`];
  const drawn: string[] = [];
  const left: PlotReport[] = [];
  for (const plot of all) {
    const body = drawn.length < detail.plots ? draw(plot, detail) : null;
    if (body === null) left.push(plot);
    else drawn.push(`**${code(plot.title, 80)}**\n\n${body}`);
  }
  const named = left.slice(0, NAMED).map(({ title }) => code(title, 40));
  const others = left.length === 0 ? [] : [`On the report's page: ${named.join(", ")}.`];
  return [details(`Plots: ${all.length}`, [...drawn, ...others, ...more(left.length - NAMED, "plot")].join("\n\n"))];
}

function draw(plot: PlotReport, detail: Detail): string | null {
  switch (plot.kind) {
    case "lines":
      return chart(
        lineChart(plot),
        [plot.drawing === undefined ? "" : OWN, plot.note ?? ""].join(" ").trim() || null,
        detail,
      );
    case "bars":
      return chart(barChart(plot), plot.note, detail);
    case "matrix":
      return matrix(plot, detail);
    case "image":
      return null;
  }
}

function chart(made: Chart | null, note: string | null, { head }: Detail): string | null {
  if (made === null) return null;
  const legend = made.colours.map(([colour, { side, name }]) => {
    const whose = side === "base" ? "base" : head;
    return `${colour}: ${name === "" ? whose : `${code(name, 40)} ${whose}`}`;
  });
  const notes = [made.note, note].flatMap((text) => (text === null ? [] : [` ${sentence(text, 200)}`]));
  return `\`\`\`mermaid\n${made.mermaid}\n\`\`\`\n\n${legend.join("; ")}.${notes.join("")}`;
}

/** One table of both sides: a cell that changed holds both numbers. */
function matrix({ classes, base, head, normalized, x, y, note }: MatrixPlot, detail: Detail): string | null {
  if (classes.length > CLASSES) return null;
  const share = (counts: MatrixPlot["base"], row: number, column: number): string | null => {
    const value = counts?.[row]?.[column];
    if (value === undefined) return null;
    return normalized ? (value / sumOf(counts ?? [], column)).toFixed(2) : String(Number(value.toFixed(1)));
  };
  const rows = classes.map((name, row) => [
    code(name, 20),
    ...classes.map((_, column) => {
      const values = [share(base, row, column), share(head, row, column)].filter((one) => one !== null);
      return [...new Set(values)].join("\u00a0→\u00a0");
    }),
  ]);
  const columns = [["", "left"] as const, ...classes.map((name) => [code(name, 20), "right"] as const)];
  const sides = base === null ? detail.head : head === null ? "base" : `base → ${detail.head} where they differ`;
  const told = `Rows: ${sentence(x, 40)}. Columns: ${sentence(y, 40)}. Cells: ${sides}.`;
  return [table(columns, rows), [told, ...(note === null ? [] : [sentence(note, 200)])].join(" ")].join("\n\n");
}
