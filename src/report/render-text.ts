import { stripVTControlCharacters } from "node:util";
import { formatChange, formatTime, formatValue, shortCommit } from "./format.ts";
import { fill, headline } from "./headline.ts";
import { visible } from "./markdown.ts";
import type { MetricRow, Report } from "./schema.ts";

/** The report for a terminal: the verdict, then tables in columns. No text of the repository can move the cursor. */
export function renderText(report: Report): string {
  const { title, sentences } = headline(report);
  const sections = [`${title}. ${sentences.map((one) => fill(one, plain)).join(" ")}`];
  for (const failure of report.failures)
    sections.push(
      failure
        .split("\n")
        .map((line) => `  ${plain(line)}`)
        .join("\n"),
    );
  for (const model of report.models) {
    const rows = model.metrics.map((metric) => [
      `${plain(metric.name)}${metric.direction === null ? "" : metric.direction === "higher" ? " ↑" : " ↓"}`,
      formatValue(metric.base),
      formatValue(metric.head),
      interval(metric),
      metric.verdict?.replace("-", " ") ?? plain(metric.note ?? "–"),
    ]);
    sections.push(columns([[plain(model.name), "base", "head", "difference (95 %)", "verdict"], ...rows]));
    if (model.gates.length > 0)
      sections.push(
        columns(model.gates.map((gate) => [gate.passed ? "pass" : "FAIL", plain(gate.rule), plain(gate.found)])),
      );
    const flips = model.flips;
    if (flips !== null && flips.fixed.count + flips.broken.count > 0)
      sections.push(`${flips.fixed.count} predictions fixed, ${flips.broken.count} broken`);
    if (model.notes.length > 0) sections.push(model.notes.map((note) => `- ${plain(note)}`).join("\n"));
  }
  for (const pipeline of report.pipelines) {
    const changes = [
      ...pipeline.data.map(({ name, base, head }) => [`data ${plain(name)}`, plain(base ?? "–"), plain(head ?? "–")]),
      ...pipeline.params.map(({ key, base, head }) => [plain(key), plain(base ?? "–"), plain(head ?? "–")]),
    ];
    if (changes.length > 0) sections.push(columns([["changed", "base", "head"], ...changes]));
    if (pipeline.numbers.length > 0 && report.models.every((model) => model.pipeline !== pipeline.name)) {
      const rows = pipeline.numbers.map((row) => [
        plain(row.name),
        formatValue(row.base),
        formatValue(row.head),
        formatChange(row.difference),
      ]);
      sections.push(columns([["metric", "base", "head", "difference"], ...rows]));
    }
    const stages = pipeline.stages.map(
      ({ stage, status, ms }) => `${plain(stage)} ${status}${status === "run" ? ` ${formatTime(ms)}` : ""}`,
    );
    sections.push(`${plain(pipeline.name)}: ${stages.join(", ")}`);
    if (pipeline.notes.length > 0) sections.push(pipeline.notes.map((note) => `- ${plain(note)}`).join("\n"));
  }
  sections.push(
    `${plain(report.head.label)} (${shortCommit(report.head.commit)}) against ${plain(report.base.label)} (${shortCommit(report.base.commit)})`,
  );
  return sections.join("\n\n");
}

function interval(metric: MetricRow): string {
  const change = formatChange(metric.difference);
  if (metric.interval === null) return change;
  return `${change} (${formatChange(metric.interval[0])} to ${formatChange(metric.interval[1])})`;
}

function plain(text: string): string {
  return visible(stripVTControlCharacters(text), 200);
}

function columns(rows: readonly (readonly string[])[]): string {
  const widths =
    rows[0]?.map((_, column) => Math.max(...rows.map((row) => Array.from(row[column] ?? "").length))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell + " ".repeat(Math.max(0, (widths[column] ?? 0) - Array.from(cell).length)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
