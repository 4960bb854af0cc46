import { formatValue } from "../format.ts";
import { html, Html } from "../html.ts";
import { sumOf } from "../plots/matrix.ts";
import type { BarsPlot, LinesPlot, MatrixPlot, PlotReport } from "../plots/schema.ts";
import { CHART_WIDTH, colourOf, heightOf, sidesOf } from "./chart.ts";
import type { Charts } from "./chart.ts";

/** One plot with its title, legend and what a reader who does not see it has to know. `index` makes its ids unique. */
export async function figure(plot: PlotReport, index: number, charts: () => Promise<Charts>): Promise<Html> {
  const note = plot.note === null ? null : html`<p class="dim">${plot.note}</p>`;
  // Two tables side by side need the whole width.
  const wide = plot.kind === "matrix" && plot.classes.length > 3;
  return html`<figure${wide ? html` class="whole"` : null}>
    <figcaption>${plot.title}</figcaption>
    ${await body(plot, index, charts)}${note}
  </figure> `;
}

async function body(plot: PlotReport, index: number, charts: () => Promise<Charts>): Promise<Html> {
  switch (plot.kind) {
    case "lines":
      if (plot.drawing !== undefined) return drawingOf(plot, plot.drawing);
      return html`${await drawing(plot, index, charts, describeLines(plot))}${legend(plot)}`;
    case "bars":
      return html`${await drawing(plot, index, charts, describeBars(plot))}${barsLegend(plot)}`;
    case "matrix":
      return matrices(plot);
    case "image":
      return html`<div class="sides">
        ${(["base", "head"] as const).map((side) => {
          const address = plot[side];
          return address === null || !ADDRESS.test(address)
            ? null
            : html`<div>
                <p class="dim">${SIDES[side]}</p>
                <img alt="${plot.title}, ${SIDES[side]}" src="${new Html(address)}" />
              </div>`;
        })}
      </div>`;
  }
}

/** In an `img` an SVG runs no script, loads nothing and reaches nothing of the page. */
function drawingOf(plot: LinesPlot, svg: string): Html {
  const address = `data:image/svg+xml;base64,${Buffer.from(svg).toString("base64")}`;
  return html`<img class="chart" alt="${plot.title}. ${describeLines(plot)}" src="${new Html(address)}" />`;
}

/** Nothing but the bytes of a picture, in base64. */
const ADDRESS = /^data:image\/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/]+=*$/;
const SIDES = { base: "base", head: "this change" };

async function drawing(
  plot: LinesPlot | BarsPlot,
  index: number,
  charts: () => Promise<Charts>,
  told: string,
): Promise<Html> {
  const svg = await (await charts()).draw(plot);
  return html`<svg
    class="chart"
    role="img"
    aria-labelledby="t${index} d${index}"
    viewBox="0 0 ${CHART_WIDTH} ${heightOf(plot)}"
  >
    <title id="t${index}">${plot.title}</title>
    <desc id="d${index}">${told}</desc>
    ${new Html(svg)}
  </svg>`;
}

/** Where each series begins and ends, and its range. */
function describeLines({ series, x, y, template }: LinesPlot): string {
  const told = series.map(({ side, name, points }) => {
    const ys = points.map((point) => point[1]);
    const range = `from ${formatValue(Math.min(...ys))} to ${formatValue(Math.max(...ys))}`;
    const subject = `${SIDES[side]}${name === "" ? "" : `, ${name}`}`;
    if (template.startsWith("scatter")) return `${subject}: ${points.length} points, ${range}`;
    return `${subject}: first ${formatValue(ys[0] ?? null)}, last ${formatValue(ys.at(-1) ?? null)}, ${range}`;
  });
  return `${y === "" ? "Lines" : y} by ${x}. ${told.join(". ")}.`;
}

function describeBars({ bars, x }: BarsPlot): string {
  const told = bars.map(
    ({ name, base, head }) => `${name}: base ${formatValue(base)}, this change ${formatValue(head)}`,
  );
  return `Bars of ${x}. ${told.join(". ")}.`;
}

function legend(plot: LinesPlot): Html {
  const names = [...new Set(plot.series.map(({ name }) => name))];
  const cloud = plot.template.startsWith("scatter");
  const rows = plot.series.map((one) => {
    const colour = colourOf(names, one);
    const mark = cloud
      ? one.side === "base"
        ? html`<path d="M10 2l4 4-4 4-4-4z" fill="none" stroke="${colour}" stroke-width="1.5" />`
        : html`<circle cx="10" cy="6" r="3.5" fill="none" stroke="${colour}" stroke-width="1.5" />`
      : html`<path
          d="M0 6h24"
          stroke="${colour}"
          stroke-width="2.5"
          ${one.side === "base" ? new Html('stroke-dasharray="5 3"') : null}
        />`;
    const last = one.points.at(-1)?.[1] ?? null;
    const label = one.name === "" ? SIDES[one.side] : html`<code>${one.name}</code> ${SIDES[one.side]}`;
    const fewer =
      one.total > one.points.length && cloud
        ? html` <span class="dim">${one.points.length} of ${one.total}</span>`
        : null;
    return html`<li>
      <svg aria-hidden="true" width="24" height="12">${mark}</svg>
      ${label}${fewer}${cloud || plot.template === "simple" ? null : html` <span class="dim">${formatValue(last)}</span>`}
    </li>`;
  });
  return html`<ul class="legend">
    ${rows}
  </ul>`;
}

function barsLegend(plot: BarsPlot): Html {
  const sides = sidesOf(plot);
  return html`<ul class="legend">
    ${sides.map(
      (side) =>
        html`<li>
          <svg aria-hidden="true" width="24" height="12">
            <rect
              x="1"
              y="2"
              width="22"
              height="8"
              fill="var(--${side})"
              stroke="var(--${side})"
              fill-opacity="${side === "base" ? "0.45" : "1"}"
            />
          </svg>
          ${SIDES[side]}
        </li>`,
    )}
  </ul>`;
}

/** Tables rather than a drawing: numbers to read, the tint as help. */
function matrices(plot: MatrixPlot): Html {
  const sides = (["base", "head"] as const).filter((side) => plot[side] !== null);
  return html`<div class="sides">${sides.map((side) => matrix(plot, plot[side] ?? [], SIDES[side]))}</div>
    <p class="dim">Rows: ${plot.x}. Columns: ${plot.y}.</p>`;
}

function matrix(
  { classes, normalized, title, x, y }: MatrixPlot,
  counts: readonly (readonly number[])[],
  side: string,
): Html {
  const caption = `${title}, ${side}: rows ${x}, columns ${y}`;
  const rows = counts.map((row, at) => {
    const sum = row.reduce((total, value) => total + value, 0) || 1;
    const cells = row.map((value, column) => {
      const share = value / (normalized ? sumOf(counts, column) : sum);
      const shown = normalized ? share.toFixed(2) : formatCount(value);
      if (value === 0) return html`<td class="none">${shown}</td>`;
      return html`<td
        class="${column === at ? "heat right" : "heat"}"
        style="--share:${(0.12 + share * 0.48).toFixed(2)}"
      >
        ${shown}
      </td>`;
    });
    return html`<tr>
      <th scope="row">${classes[at] ?? ""}</th>
      ${cells}
    </tr>`;
  });
  return html`<div class="scroll" role="region" tabindex="0" aria-label="${caption}">
    <table class="matrix">
      <caption>
        ${side}
      </caption>
      <thead>
        <tr>
          <td></td>
          ${classes.map((name) => html`<th scope="col">${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
}

function formatCount(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(1);
}
