import { count, formatChange, formatValue } from "./format.ts";
import { html } from "./html.ts";
import type { Html } from "./html.ts";
import { intervalPlot } from "./interval-plot.ts";
import { change, code, nearby, part, table, text, verdictOf } from "./page/parts.ts";
import type { SliceReport, SliceRow } from "./slices.ts";

/** Slices worst first, each with its interval drawn; and what was found by looking. */
export function slicesHtml(slices: SliceReport, most: number): Html {
  const worse = new Set(
    slices.rows.flatMap(({ verdict, slice }) => (verdict === "worse" ? [`${slice.column}=${slice.value}`] : [])),
  ).size;
  const columns = [
    { title: "slice" },
    { title: "examples", number: true },
    { title: "metric" },
    { title: "base", number: true },
    { title: "this change", number: true },
    { title: "difference, 95 % interval" },
    { title: "worse · better", wide: true },
    { title: "verdict" },
  ];
  const left = slices.left === 0 ? null : html`<p class="dim">… and ${count(slices.left, "more row")}.</p>`;
  const body = html`${table("Slices", columns, slices.rows, cells, most)} ${left} ${found(slices, most)}`;
  const said = `${slices.count} compared, ${worse === 0 ? "none shown to be worse" : `${worse} worse`}`;
  // What is worse is never folded.
  return part("Slices", said, worse > 0 ? 0 : slices.rows.length, body);
}

function cells(row: SliceRow): Html[] {
  const { slice, unit } = row;
  return [
    html`${code(`${slice.column}=${slice.value}`)}${nearby(row)}`,
    text(String(row.examples)),
    code(row.name),
    text(formatValue(row.base, unit)),
    html`<b>${formatValue(row.head, unit)}</b>`,
    change(row),
    html`${intervalPlot(row)}`,
    verdictOf(row),
  ];
}

function found({ search }: SliceReport, most: number): Html | null {
  if (search === null || search.found.length === 0) return null;
  const columns = ["slice", "examples", "inside", "outside"].map((title, index) => ({ title, number: index > 0 }));
  return html`<h4>Found by looking (exploration, FDR 5 %)</h4>
    <p>Change of the ${search.loss}, in the slice and outside of it; ${count(search.looked, "slice")} looked at.</p>
    ${table(
      "Slices found by looking",
      columns,
      search.found,
      ({ parts, examples, inside, outside }) => [
        code(parts.map(({ column, value }) => `${column}=${value}`).join(" and ")),
        text(String(examples)),
        text(formatChange(inside)),
        text(formatChange(outside)),
      ],
      most,
    )}`;
}
