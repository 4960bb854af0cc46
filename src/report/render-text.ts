import { stripVTControlCharacters, styleText } from "node:util";
import { count, formatChange, formatTime, formatValue, shortCommit } from "./format.ts";
import { fill, headline } from "./headline.ts";
import type { Headline } from "./headline.ts";
import { visible } from "./markdown.ts";
import type { MetricRow, ModelReport, PipelineReport, Report } from "./schema.ts";
import { seedNotes, seedsText } from "./seeds-table.ts";
import { servingNote, servingReference, servingRows } from "./serving.ts";
import { stakesOf } from "./stakes.ts";

type Colour = "green" | "red" | "yellow" | "bold" | "dim";
type Paint = (colour: Colour, text: string) => string;
/** Its colour is put on after its width is known. */
type Cell = string | readonly [Colour, string];

/** Rows of a table; the page and `--json` have them all. */
const MOST = 50;
const TONES: Record<Headline["tone"], Colour> = { good: "green", bad: "red", warn: "yellow", neutral: "bold" };

/**
 * The report for a terminal: the verdict, then the comment's tables in columns. No text of the repository can move the
 * cursor, nor colour anything.
 */
export function renderText(report: Report, { colour = false }: { readonly colour?: boolean } = {}): string {
  const paint: Paint = (style, text) => (colour ? styleText(style, text, { validateStream: false }) : text);
  const { tone, title, sentences } = headline(report);
  const sections = [`${paint(TONES[tone], `${title}.`)} ${sentences.map((one) => fill(one, plain)).join(" ")}`];
  for (const failure of report.failures)
    sections.push(
      failure
        .split("\n")
        .map((line) => `  ${plain(line)}`)
        .join("\n"),
    );
  for (const model of report.models) sections.push(...modelSections(model, report.sections, paint));
  for (const pipeline of report.pipelines) {
    const changes = [
      ...pipeline.data.map(({ name, base, head }) => [`data ${plain(name)}`, plain(base ?? "–"), plain(head ?? "–")]),
      ...pipeline.params.map(({ key, base, head }) => [plain(key), plain(base ?? "–"), plain(head ?? "–")]),
    ];
    if (changes.length > 0) sections.push(columns([["changed", "base", "head"], ...changes], paint));
    if (pipeline.seeds.length > 0) {
      sections.push(columns(seedsText(pipeline, MOST, plain), paint));
      sections.push(
        seedNotes(pipeline)
          .map(({ file, text }) => `- ${plain(file)}: ${text}`)
          .join("\n"),
      );
    }
    sections.push(...numbers(pipeline, paint));
    const stages = pipeline.stages.map(
      ({ stage, status, ms }) => `${plain(stage)} ${status}${status === "run" ? ` ${formatTime(ms)}` : ""}`,
    );
    if (stages.length > 0) sections.push(`${plain(pipeline.name)}: ${stages.join(", ")}`);
    if (pipeline.notes.length > 0) sections.push(pipeline.notes.map((note) => `- ${plain(note)}`).join("\n"));
  }
  sections.push(
    `${plain(report.head.label)} (${shortCommit(report.head.commit)}) against ${plain(report.base.label)} (${shortCommit(report.base.commit)})`,
  );
  return sections.join("\n\n");
}

function modelSections(model: ModelReport, shown: Report["sections"], paint: Paint): string[] {
  const sections = shown.includes("stakes") ? stakes(model) : [];
  const produced = model.production !== null;
  const head = [
    plain(model.name),
    "base",
    "head",
    "difference (95 %)",
    "verdict",
    ...(produced ? [`production v${model.production?.version}`] : []),
  ];
  const rows = model.metrics.map((metric): Cell[] => [
    `${plain(metric.name)}${metric.direction === null ? "" : metric.direction === "higher" ? " ↑" : " ↓"}`,
    formatValue(metric.base, metric.unit),
    formatValue(metric.head, metric.unit),
    interval(metric),
    verdict(metric),
    ...(produced ? [formatValue(metric.production, metric.unit)] : []),
  ]);
  sections.push(columns([head, ...rows], paint));
  const gates = model.gates.toSorted((a, b) => Number(a.passed) - Number(b.passed));
  const gateRows = gates.map((gate): Cell[] => [
    gate.passed ? ["green", "pass"] : ["red", "FAIL"],
    plain(gate.rule),
    plain(gate.found),
  ]);
  if (gates.length > 0) sections.push(columns([["gate", "rule", "found"], ...gateRows], paint));
  if (shown.includes("serving")) sections.push(...serving(model, paint));
  sections.push(...slices(model, paint));
  const { fixed, broken } = model.flips ?? { fixed: { count: 0 }, broken: { count: 0 } };
  if (fixed.count + broken.count > 0) sections.push(`${fixed.count} predictions fixed, ${broken.count} broken`);
  if (model.notes.length > 0) sections.push(model.notes.map((note) => `- ${plain(note)}`).join("\n"));
  return sections;
}

function stakes(model: ModelReport): string[] {
  const told = stakesOf(model).map(({ name, desc, text }) => {
    return `${plain(desc === null ? name : `${name} (${desc})`)}: ${plain(text, 400)}`;
  });
  return told.length === 0 ? [] : [told.join("\n")];
}

function serving({ serving: all }: ModelReport, paint: Paint): string[] {
  if (all === null) return [];
  const against = servingReference(all);
  const rows = servingRows(all, against).map((row) => [
    `${plain(row.name)} ${row.direction === "higher" ? "↑" : "↓"}`,
    row.base,
    row.head,
    row.production,
    row.change,
  ]);
  const note = servingNote(all);
  const head = ["serving", "base", "head", "production", against === null ? "" : `against ${against} (95 %)`];
  return [columns([head, ...rows], paint), ...(note === null ? [] : [note])];
}

/** What is worse, and of the rest the first few. */
function slices({ slices: all }: ModelReport, paint: Paint): string[] {
  if (all === null || all.rows.length === 0) return [];
  const rows = all.rows.slice(0, SLICES);
  const cells = rows.map((row): Cell[] => [
    plain(`${row.slice.column}=${row.slice.value}`),
    String(row.examples),
    plain(row.name),
    interval(row),
    verdict(row),
  ]);
  const left = all.rows.length - rows.length + all.left;
  const text = columns([["slice", "examples", "metric", "difference (95 %)", "verdict"], ...cells], paint);
  return [left > 0 ? `${text}\n… and ${count(left, "more row")}` : text];
}

const SLICES = 10;

function numbers({ numbers: all }: PipelineReport, paint: Paint): string[] {
  if (all.length === 0) return [];
  const sorted = all.toSorted((a, b) => Number(a.difference === 0) - Number(b.difference === 0));
  const rows = sorted
    .slice(0, MOST)
    .map((row) => [plain(row.name), formatValue(row.base), formatValue(row.head), interval(row), verdict(row)]);
  const table = columns([["number", "base", "head", "difference", "verdict"], ...rows], paint);
  return [all.length > MOST ? `${table}\n… and ${count(all.length - MOST, "more number")}` : table];
}

function verdict({ verdict: word, note }: MetricRow): Cell {
  if (word === null) return plain(note ?? "–");
  const text = word.replace("-", " ");
  return word === "better" ? ["green", text] : word === "worse" ? ["red", text] : text;
}

function interval(metric: MetricRow): string {
  const change = formatChange(metric.difference, metric.unit);
  if (metric.interval === null) return change;
  return `${change} (${formatChange(metric.interval[0], metric.unit)} to ${formatChange(metric.interval[1], metric.unit)})`;
}

function plain(text: string, most = 200): string {
  return visible(stripVTControlCharacters(text), most);
}

function columns(rows: readonly (readonly Cell[])[], paint: Paint): string {
  const length = (cell: Cell): number => Array.from(typeof cell === "string" ? cell : cell[1]).length;
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => length(row[column] ?? "")))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, column) => {
          const text = typeof cell === "string" ? cell : paint(...cell);
          return column === row.length - 1
            ? text
            : text + " ".repeat(Math.max(0, (widths[column] ?? 0) - length(cell)));
        })
        .join("  ")
        .trimEnd(),
    )
    .map((line, index) => (index === 0 ? paint("dim", line) : line))
    .join("\n");
}
