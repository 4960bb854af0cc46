import { arrow, more } from "./detail.ts";
import type { Detail } from "./detail.ts";
import { count, formatChange, formatTime, formatValue, shortDigest } from "./format.ts";
import { code, details, sentence, table } from "./markdown.ts";
import { mermaid } from "./mermaid.ts";
import type { PipelineReport } from "./schema.ts";
import { seedsMarkdown } from "./seeds-table.ts";

/** One pipeline: what changed going in, the numbers that came out, and what each stage did. */
export function pipelineSection(pipeline: PipelineReport, titled: boolean, detail: Detail): string[] {
  const parts: string[] = titled ? [`#### Pipeline ${code(pipeline.name)}`] : [];
  if (pipeline.params.length + pipeline.data.length > 0) parts.push(changes(pipeline, detail));
  if (pipeline.notes.length > 0)
    parts.push(
      pipeline.notes
        .slice(0, 10)
        .map((note) => `- ${sentence(note)}`)
        .join("\n"),
    );
  parts.push(...seedsMarkdown(pipeline, detail));
  if (pipeline.numbers.length > 0) parts.push(numbers(pipeline, detail));
  parts.push(stages(pipeline, detail));
  return parts;
}

function changes({ params, data }: PipelineReport, detail: Detail): string {
  const rows = [
    ...data.map(({ name, base, head }) => [`data ${code(name)}`, digest(base), digest(head)]),
    ...params.map(({ key, file, base, head }) => [
      `${code(key)}${file === "params.yaml" ? "" : ` in ${code(file)}`}`,
      base === null ? "–" : code(base, 80),
      head === null ? "–" : code(head, 80),
    ]),
  ];
  if (detail.changes === 0) return `Changed: ${count(params.length, "parameter")}, ${count(data.length, "dataset")}.`;
  const text = table(
    [
      ["changed", "left"],
      ["base", "left"],
      [detail.head, "left"],
    ],
    rows.slice(0, detail.changes),
  );
  return [text, ...more(rows.length - detail.changes, "change")].join("\n\n");
}

function digest(value: string | null): string {
  return value === null ? "–" : code(shortDigest(value));
}

function numbers(pipeline: PipelineReport, detail: Detail): string {
  const changed = pipeline.numbers.filter(({ difference }) => difference !== 0).length;
  const summary = `${count(pipeline.numbers.length, "number")} of the metrics files, ${changed} changed`;
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
  const summary = `Stages: ${tally.join(", ") || "none"}; ${formatTime(pipeline.ms)}`;
  if (detail.stages === 0 || pipeline.stages.length === 0) return `${summary}.`;
  const rows = pipeline.stages
    .slice(0, detail.stages)
    .map((one) => [
      code(one.stage, 60),
      STATUS[one.status],
      one.status === "cached" || one.status === "skipped" ? "–" : formatTime(one.ms),
      ...(detail.reasons ? [sentence(one.reason, 160)] : []),
    ]);
  const head = [
    ["stage", "left"],
    ["", "left"],
    ["time", "right"],
    ["why", "left"],
  ] as const;
  const graph = detail.graph ? mermaid(pipeline.stages) : undefined;
  const body = [
    ...(graph === undefined ? [] : [`\`\`\`mermaid\n${graph}\n\`\`\``]),
    table(detail.reasons ? head : head.slice(0, 3), rows),
    ...more(pipeline.stages.length - detail.stages, "stage"),
  ];
  return details(summary, body.join("\n\n"));
}
