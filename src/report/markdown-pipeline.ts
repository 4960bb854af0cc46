import type { Section } from "../config/index.ts";
import { arrow, more } from "./detail.ts";
import type { Detail } from "./detail.ts";
import { count, formatChange, formatCost, formatTime, formatValue, unbroken } from "./format.ts";
import { code, details, sentence, table } from "./markdown.ts";
import { mermaid } from "./mermaid.ts";
import type { PipelineReport } from "./schema.ts";
import { seedsMarkdown } from "./seeds-table.ts";

export const PIPELINE_SECTIONS: Partial<Record<Section, (pipeline: PipelineReport, detail: Detail) => string[]>> = {
  numbers: (pipeline, detail) => [
    ...seedsMarkdown(pipeline, detail),
    ...(pipeline.numbers.length === 0 ? [] : [numbers(pipeline, detail)]),
  ],
  stages: (pipeline, detail) => [stages(pipeline, detail)],
};

function numbers(pipeline: PipelineReport, detail: Detail): string {
  const changed = pipeline.numbers.filter(({ difference }) => difference !== 0).length;
  const summary = `Metrics files: ${count(pipeline.numbers.length, "number")}, ${changed} changed`;
  if (detail.numbers === 0) return `${summary}.`;
  const sorted = pipeline.numbers.toSorted((a, b) => Number(a.difference === 0) - Number(b.difference === 0));
  const rows = sorted
    .slice(0, detail.numbers)
    .map((row) => [
      `${code(row.name, 60)}${arrow(row)}`,
      formatValue(row.base),
      formatValue(row.head),
      formatChange(row.difference),
    ]);
  const text = table(
    [
      ["number", "left"],
      ["base", "right"],
      [detail.head, "right"],
      ["difference", "right"],
    ],
    rows,
  );
  const note = "Numbers without examples: how much of a difference is noise is not known.";
  return details(summary, [text, ...more(pipeline.numbers.length - detail.numbers, "number"), note].join("\n\n"));
}

const STATUS: Record<PipelineReport["stages"][number]["status"], string> = {
  cached: "cached",
  run: "**run**",
  failed: "❌ **failed**",
  skipped: "skipped",
};

function stages(pipeline: PipelineReport, detail: Detail): string {
  const tally = (["run", "cached", "failed", "skipped"] as const)
    .map((status) => [pipeline.stages.filter((stage) => stage.status === status).length, status] as const)
    .filter(([number]) => number > 0)
    .map(([number, status]) => `${number} ${status}`);
  const costs = pipeline.stages.flatMap(({ cost }) => (cost === null ? [] : [cost]));
  const paid = costs.length > 0;
  const total = paid ? `; ${sum(costs, pipeline.currency)}` : "";
  const ran = pipeline.stages.some(({ status }) => status === "run" || status === "failed");
  const summary = `Stages: ${tally.join(", ") || "none"}${ran ? `; ${formatTime(pipeline.ms)}` : ""}${total}`;
  if (detail.stages === 0 || pipeline.stages.length === 0) return `${summary}.`;
  const rows = pipeline.stages
    .slice(0, detail.stages)
    .map((one) => [
      code(one.stage, 60),
      STATUS[one.status],
      one.status === "cached" || one.status === "skipped" ? "–" : unbroken(formatTime(one.ms)),
      ...(paid ? [formatCost(one.cost, "")] : []),
      ...(detail.reasons ? [sentence(one.reason, 160)] : []),
    ]);
  const head = [
    ["stage", "left"],
    ["", "left"],
    ["time", "right"],
    ...(paid ? [[`cost${pipeline.currency === "" ? "" : ` (${code(pipeline.currency, 12)})`}`, "right"] as const] : []),
    ...(detail.reasons ? [["why", "left"] as const] : []),
  ] as const;
  const graph = detail.graph ? mermaid(pipeline.stages) : undefined;
  const body = [
    ...(graph === undefined ? [] : [`\`\`\`mermaid\n${graph}\n\`\`\``]),
    table(head, rows),
    ...more(pipeline.stages.length - detail.stages, "stage"),
  ];
  return details(summary, body.join("\n\n"));
}

/** Stands in a summary, where nothing is read as Markdown: a currency that is no plain word is left to the table. */
function sum(costs: readonly number[], currency: string): string {
  const total = costs.reduce((all, cost) => all + cost, 0);
  return formatCost(total, /^[A-Za-z]{1,8}$/.test(currency) ? currency : "").replace("<", "under");
}
