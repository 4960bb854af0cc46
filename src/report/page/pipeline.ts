import type { Section } from "../../config/index.ts";
import { formatChange, formatCost, formatTime, formatValue, shortDigest } from "../format.ts";
import { html } from "../html.ts";
import type { Html } from "../html.ts";
import type { PipelineReport, Report } from "../schema.ts";
import { seedsHtml } from "../seeds-table.ts";
import { badge, code, table, text } from "./parts.ts";
import type { Bounds } from "./parts.ts";

export const PIPELINE_SECTIONS: Partial<Record<Section, (pipeline: PipelineReport, bounds: Bounds) => Html | null>> = {
  numbers: (pipeline, bounds) => html`${seedsHtml(pipeline, bounds.rows)}${numbers(pipeline, bounds)}`,
  stages,
};

function numbers(pipeline: PipelineReport, { rows: most }: Bounds): Html | null {
  if (pipeline.numbers.length === 0) return null;
  const sorted = pipeline.numbers.toSorted((a, b) => Number(a.difference === 0) - Number(b.difference === 0));
  const cells = (row: PipelineReport["numbers"][number]): Html[] => [
    code(row.name),
    text(formatValue(row.base)),
    html`<b>${formatValue(row.head)}</b>`,
    text(formatChange(row.difference)),
  ];
  const columns = ["number", "base", "this change", "difference"].map((title, index) => ({ title, number: index > 0 }));
  return html`<h3>Numbers of the metrics files</h3>
    <p class="dim">Without examples: how much of a difference is noise is not known.</p>
    ${table("Numbers of the metrics files", columns, sorted, cells, most)}`;
}

const TONES = { cached: "plain", skipped: "plain", run: "good", failed: "bad" } as const;

function stages(pipeline: PipelineReport, { rows: most }: Bounds): Html {
  const costs = pipeline.stages.flatMap(({ cost }) => (cost === null ? [] : [cost]));
  const paid = costs.length > 0;
  const cells = (one: PipelineReport["stages"][number]): Html[] => [
    code(one.stage),
    badge(TONES[one.status], one.status),
    text(one.status === "run" || one.status === "failed" ? formatTime(one.ms) : "–"),
    ...(paid ? [text(formatCost(one.cost, pipeline.currency))] : []),
    text(one.reason),
  ];
  const columns = [
    { title: "stage" },
    { title: "what happened" },
    { title: "time", number: true },
    ...(paid ? [{ title: "cost", number: true }] : []),
    { title: "why", prose: true },
  ];
  const total = costs.reduce((sum, cost) => sum + cost, 0);
  const ran = pipeline.stages.some(({ status }) => status === "run" || status === "failed");
  const taken = [
    ran ? formatTime(pipeline.ms) : "nothing had to run",
    ...(paid ? [formatCost(total, pipeline.currency)] : []),
  ].join(" · ");
  return html`<h3>Stages <span class="dim">${taken}</span></h3>
    ${table("Stages", columns, pipeline.stages, cells, most)}`;
}

/** Data, parameters and files that the change touches, of all pipelines. */
export function changes({ pipelines, files }: Report, { rows: most }: Bounds): Html | null {
  const several = pipelines.length > 1;
  const rows = pipelines.flatMap(({ name, data, params }) => [
    ...data.map((one) => [html`data ${code(one.name)}`, code(shortDigest(one.base)), code(shortDigest(one.head))]),
    ...params.map(({ file, key, base, head }) => [
      html`${code(key)} <span class="dim">${several ? `${name}, ` : ""}${file}</span>`,
      base === null ? text("–") : code(base),
      head === null ? text("–") : code(head),
    ]),
  ]);
  const columns = [{ title: "what", prose: true }, { title: "base" }, { title: "this change" }];
  const list = (files?.named ?? [])
    .slice(0, most)
    .map(({ path, change }) => html`<li>${code(path)} <span class="dim">${change}</span></li>`);
  if (rows.length === 0 && (files?.count ?? 0) === 0) return null;
  return html`${rows.length === 0 ? null : table("Changed data and parameters", columns, rows, (row) => row, most)}
  ${
    files === null || files.count === 0
      ? null
      : html`<details>
          <summary>Files changed: ${files.count}</summary>
          <ul class="files">
            ${list}
          </ul>
          ${files.count > list.length ? html`<p class="dim">… and ${files.count - list.length} more.</p>` : null}
        </details>`
  }`;
}
