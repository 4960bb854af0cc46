import { formatChange } from "../format.ts";
import { html, Html } from "../html.ts";
import type { MetricRow } from "../schema.ts";

/** How much of the page's tables and plots is shown, so that it stays under a megabyte. */
export interface Bounds {
  readonly rows: number;
  readonly plots: number;
}

export interface Column {
  readonly title: string;
  readonly number?: boolean;
  /** Not on a narrow screen: it repeats what others say. */
  readonly wide?: boolean;
  /** Sentences, which need some room to be read. */
  readonly prose?: boolean;
}

/**
 * A table in a box of its own that scrolls sideways, also by keyboard, when it is wider than the screen. The first
 * cell of a row names it; of more rows than `most` it says how many there are.
 */
export function table<Row>(
  caption: string,
  columns: readonly Column[],
  rows: readonly Row[],
  cells: (row: Row) => readonly Html[],
  most: number,
): Html {
  const classOf = ({ number, wide, prose }: Column): Html | null => {
    const names = [...(number ? ["number"] : []), ...(wide ? ["wide"] : []), ...(prose ? ["prose"] : [])];
    return names.length === 0 ? null : html` class="${names.join(" ")}"`;
  };
  const left = rows.length - most;
  return html`<div class="scroll" role="region" tabindex="0" aria-label="${caption}">
      <table>
        <caption class="unseen">
          ${caption}
        </caption>
        <thead>
          <tr>
            ${columns.map((column) => html`<th scope="col" ${classOf(column)}>${column.title}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.slice(0, most).map(
            (row) =>
              html`<tr>
                ${cells(row).map((cell, index) =>
                  index === 0
                    ? html`<th scope="row" ${classOf(columns[0] ?? { title: "" })}>${cell}</th>`
                    : html`<td${classOf(columns[index] ?? { title: "" })}>${cell}</td>`,
                )}
              </tr> `,
          )}
        </tbody>
      </table>
    </div>
    ${left > 0 ? html`<p class="dim">… and ${left} more.</p>` : null}`;
}

/** Lines of a `pre`. */
export const lines = (all: readonly string[]): Html => html`${all.map((one) => [one, new Html("\n")])}`;
export const text = (value: string): Html => html`${value}`;
export const code = (value: string): Html => html`<code>${value}</code>`;

/** A word with its sign: what is told by colour is told by both of them too. */
export function badge(tone: "good" | "bad" | "plain", word: string): Html {
  const sign = { good: "✓", bad: "✗", plain: "–" }[tone];
  return html`<span class="badge ${tone}"><span aria-hidden="true">${sign}</span> ${word}</span>`;
}

export function notes(all: readonly string[], most: number): Html | null {
  if (all.length === 0) return null;
  const left = all.length - most;
  return html`<ul class="notes">
    ${all.slice(0, most).map((note) => html`<li>${note}</li>`)}${left > 0 ? html`<li>… and ${left} more.</li>` : null}
  </ul>`;
}

export function change(metric: MetricRow): Html {
  const { difference, interval, unit } = metric;
  if (interval === null || (interval[0] === 0 && interval[1] === 0)) return text(formatChange(difference, unit));
  return html`${formatChange(difference, unit)}
    <span class="dim way">${formatChange(interval[0], unit)} to ${formatChange(interval[1], unit)}</span>`;
}

/** The verdict beside a name, where its own column may be out of sight; nobody is told twice. */
export function nearby(row: Pick<MetricRow, "verdict" | "note">): Html | null {
  return row.verdict === null ? null : html`<span class="narrow" aria-hidden="true">${verdictOf(row)}</span>`;
}

/** How much of a table stands open; more is folded. */
const OPEN = 12;

/** A part under its heading, which tells what is in it; long ones are folded. */
export function part(title: string, said: string, rows: number, body: Html): Html {
  const heading = html`<h3>${title} <span class="dim">${said}</span></h3>`;
  if (rows <= OPEN) return html`${heading}${body}`;
  return html`${heading}
    <details>
      <summary>Show all ${rows}</summary>
      ${body}
    </details>`;
}

export function verdictOf({ verdict: found, note }: Pick<MetricRow, "verdict" | "note">): Html {
  switch (found) {
    case "better":
      return badge("good", "better");
    case "worse":
      return badge("bad", "worse");
    case "equivalent":
      return badge("plain", "equivalent");
    case "no-evidence":
      return badge("plain", "no evidence");
    case null:
      return html`<span class="dim">${note ?? "–"}</span>`;
  }
}
