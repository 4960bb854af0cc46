import { count, formatChange, formatValue } from "./format.ts";
import { html } from "./html.ts";
import type { Html } from "./html.ts";
import { intervalPlot } from "./interval-plot.ts";
import { change, code, table, text, verdictOf } from "./page/parts.ts";
import type { SliceReport, SliceRow } from "./slices.ts";

/** Slices worst first, each with its interval drawn; and what was found by looking. */
export function slicesHtml(slices: SliceReport, most: number): Html {
  const worse = slices.rows.some(({ verdict }) => verdict === "worse");
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
  const body = html`<summary>${count(slices.count, "slice")} compared</summary>
    ${table("Slices", columns, slices.rows, cells, most)} ${left} ${found(slices, most)}`;
  return html`<h3>Slices</h3>
    ${worse ? html`<details open>${body}</details>` : html`<details>${body}</details>`}`;
}

function cells(row: SliceRow): Html[] {
  const { slice, unit } = row;
  return [
    code(`${slice.column}=${slice.value}`),
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
