import { html } from "../html.ts";
import type { Html } from "../html.ts";
import type { ModelReport } from "../schema.ts";
import { servingNote, servingReference, servingRows } from "../serving.ts";
import type { ServingRow } from "../serving.ts";
import { code, table, text } from "./parts.ts";
import type { Bounds } from "./parts.ts";

export function servingHtml({ serving, production }: ModelReport, { rows: most }: Bounds): Html | null {
  if (serving === null) return null;
  const against = servingReference(serving);
  const only = <T>(what: "base" | "production", cell: T): T[] =>
    [...serving.speed, ...serving.files].some((row) => row[what] !== null) ? [cell] : [];
  const cells = (row: ServingRow): Html[] => [
    html`${row.file ? code(row.name) : text(row.name)}<span class="dim way">${row.direction} is better</span>`,
    ...only("base", text(row.base)),
    html`<b>${row.head}</b>`,
    ...only("production", text(row.production)),
    ...(against === null ? [] : [text(row.change)]),
  ];
  const columns = [
    { title: "serving" },
    ...only("base", { title: "base", number: true }),
    { title: "this change", number: true },
    ...only("production", { title: `production v${production?.version ?? ""}`, number: true }),
    ...(against === null ? [] : [{ title: `against ${against}, 95 % interval` }]),
  ];
  const note = servingNote(serving);
  return html`<h3>Serving</h3>
    ${table("Serving", columns, servingRows(serving, against), cells, most)}
    ${note === null ? null : html`<p class="dim">${note}</p>`}`;
}
