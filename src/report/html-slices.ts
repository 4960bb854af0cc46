import { count, formatChange, formatValue } from "./format.ts";
import { html } from "./html.ts";
import type { Html } from "./html.ts";
import { intervalPlot } from "./interval-plot.ts";
import type { SliceReport, SliceRow } from "./slices.ts";

/** Slices worst first, each with its interval drawn; and what was found by looking. */
export function slicesHtml(slices: SliceReport): Html {
  const worse = slices.rows.some(({ verdict }) => verdict === "worse");
  const left = slices.left === 0 ? null : html`<p class="dim">… and ${count(slices.left, "more row")}.</p>`;
  const body = html`<summary>Slices: ${count(slices.count, "slice")} compared</summary>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">slice</th>
            <th scope="col" class="number">examples</th>
            <th scope="col">metric</th>
            <th scope="col" class="number">base</th>
            <th scope="col" class="number">this change</th>
            <th scope="col">difference (95 % interval)</th>
            <th scope="col" class="wide">worse · better</th>
            <th scope="col">verdict</th>
          </tr>
        </thead>
        <tbody>
          ${slices.rows.map(row)}
        </tbody>
      </table>
    </div>
    ${left} ${found(slices)}`;
  return worse ? html`<details open>${body}</details>` : html`<details>${body}</details>`;
}

function row(one: SliceRow): Html {
  const { slice, interval, unit } = one;
  const bounds = interval === null ? "" : ` (${formatChange(interval[0], unit)} to ${formatChange(interval[1], unit)})`;
  return html`<tr>
    <th scope="row"><code>${slice.column}=${slice.value}</code></th>
    <td class="number">${String(one.examples)}</td>
    <td><code>${one.name}</code></td>
    <td class="number">${formatValue(one.base, unit)}</td>
    <td class="number"><b>${formatValue(one.head, unit)}</b></td>
    <td>${formatChange(one.difference, unit)}${bounds}</td>
    <td class="wide">${intervalPlot(one)}</td>
    <td class="verdict ${one.verdict ?? ""}">${one.verdict?.replace("-", " ") ?? one.note ?? "–"}</td>
  </tr>`;
}

function found({ search }: SliceReport): Html | null {
  if (search === null || search.found.length === 0) return null;
  return html`<h4>Found by looking (exploration, FDR 5 %)</h4>
    <p>Change of the ${search.loss}, in the slice and outside of it; ${count(search.looked, "slice")} looked at.</p>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">slice</th>
            <th scope="col" class="number">examples</th>
            <th scope="col" class="number">inside</th>
            <th scope="col" class="number">outside</th>
          </tr>
        </thead>
        <tbody>
          ${search.found.map(
            ({ parts, examples, inside, outside }) =>
              html`<tr>
                <th scope="row">
                  <code>${parts.map(({ column, value }) => `${column}=${value}`).join(" and ")}</code>
                </th>
                <td class="number">${String(examples)}</td>
                <td class="number">${formatChange(inside)}</td>
                <td class="number">${formatChange(outside)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}
