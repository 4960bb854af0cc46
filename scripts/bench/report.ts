import { fastest, judge, ours, secondsOf } from "./aim.ts";
import type { Figure, Judged, Unit } from "./aim.ts";
import type { Case } from "./cases.ts";
import type { Outcome } from "./compete.ts";
import type { Machine } from "./machine.ts";
import { median } from "./statistics.ts";

/** What a case came to; `outcomes` hold every sample. */
export interface CaseReport {
  readonly name: string;
  readonly title: string;
  readonly outcomes: readonly Outcome[];
  readonly aims: readonly Judged[];
}

export type Suite = "data" | "pipeline" | "report";

/** The document that `--json` writes. */
export interface BenchReport {
  readonly benchVersion: 1;
  readonly suite: Suite;
  readonly scale: number;
  readonly runs: number;
  readonly machine: Machine;
  /** Program -> what it says; null when it is not there. */
  readonly versions: Readonly<Record<string, string | null>>;
  readonly cases: readonly CaseReport[];
}

export function reportOf(each: Case, outcomes: readonly Outcome[]): CaseReport {
  return { name: each.name, title: each.title, outcomes, aims: each.aims.map((aim) => judge(aim, outcomes)) };
}

type Row = readonly string[];

/** Ours beside the best peer and the limit, and each aim with what was reached. */
export function summaryRows(cases: readonly CaseReport[]): Row[] {
  const head = ["case", "ours", "best peer", "peer / ours", "limit", "ours / limit", "aim", "reached", "verdict"];
  const rows = cases.flatMap(({ name, outcomes, aims }) => {
    const [mine, peer, limit] = [ours(outcomes), fastest(outcomes, "peer"), slowestLimit(outcomes)];
    const figures = [
      time(secondsOf(mine)),
      peer === undefined ? "-" : `${time(secondsOf(peer))} ${peer.name}`,
      ratio(secondsOf(peer), secondsOf(mine)),
      limit === undefined ? "-" : `${time(secondsOf(limit))} ${limit.name}`,
      ratio(secondsOf(mine), secondsOf(limit)),
    ];
    return aims.map((aim, index) => [
      ...(index === 0 ? [name, ...figures] : ["", "", "", "", "", ""]),
      `${aim.text} (<= ${amount(aim.bound, aim.unit)})`,
      amount(aim.reached, aim.unit),
      verdict(aim),
    ]);
  });
  return [head, ...rows];
}

/** Everyone who took part. */
export function entrantRows({ outcomes }: CaseReport): Row[] {
  const rows = outcomes.map((outcome) => {
    const times = outcome.samples.map((sample) => sample.seconds);
    const facts = Object.entries(outcome.samples.at(-1)?.facts ?? {});
    return [
      outcome.name,
      String(times.length),
      time(secondsOf(outcome)),
      times.length === 0 ? "-" : `${number(Math.min(...times))}..${number(Math.max(...times))} s`,
      times.length === 0 ? "-" : `${Math.round(Math.max(...outcome.samples.map((sample) => sample.peak)) / 1e6)} MB`,
      [
        ...facts.map(([name, value]) => `${name} ${value.toLocaleString("en")}`),
        timedShare(outcome),
        firstLine(outcome.note),
      ]
        .filter((part) => part !== undefined)
        .join("; "),
    ];
  });
  return [["who", "runs", "median", "min..max", "peak memory", "counts, notes"], ...rows];
}

function timedShare({ samples }: Outcome): string | undefined {
  const timed = samples.flatMap((sample) => (sample.timed === undefined ? [] : [sample.timed]));
  return timed.length === 0 ? undefined : `reckoned from runs of ${number(median(timed))} s`;
}

/** Columns of one width each. */
export function alignedTable(rows: readonly Row[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function markdownTable([head = [], ...rows]: readonly Row[]): string {
  const line = (cells: Row): string => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function markdown(report: BenchReport): string {
  const { machine, versions } = report;
  return [
    facts(report).join("\n"),
    markdownTable(summaryRows(report.cases)),
    ...report.cases.map((each) => `### ${each.name}: ${each.title}\n\n${markdownTable(entrantRows(each))}`),
    `Versions: ${Object.entries(versions)
      .map(([name, version]) => `${name}: ${version ?? "not there"}`)
      .join("; ")}. Kernel ${machine.kernel}.`,
  ].join("\n\n");
}

/** The document with the figures of the suite in their place. */
export function intoDocument(document: string, report: BenchReport): string {
  const mark = `figures of ${report.suite}`;
  const place = new RegExp(`(<!-- ${mark} -->\\n)[^]*(\\n<!-- /${mark} -->)`);
  if (!place.test(document)) throw new Error(`the document has no place for the figures: <!-- ${mark} -->`);
  return document.replace(place, (_, from: string, to: string) => `${from}\n${markdown(report)}\n${to}`);
}

/** Lines on the machine and on how it was measured. */
export function facts({ machine, scale, runs, suite }: BenchReport): string[] {
  const { cores, cpu, flags, memory, fileSystem, load } = machine;
  return [
    `${cores} cores (${cpu}; ${flags.join(", ")}${flags.includes("sha_ni") ? "" : "; no SHA instructions"}), ` +
      `${Math.round(memory / 1e9)} GB of memory, ${fileSystem}, load before: ${load.toFixed(1)}.`,
    `Medians of ${runs} runs in turns; page cache warm; ${suite === "data" ? "S3 server on the same machine; " : ""}written data is flushed between the runs.`,
    ...(scale === 1
      ? []
      : [
          `${{ data: "Data", pipeline: "Pipelines", report: "Predictions" }[suite]} at ${scale} of its size: the aims are meant for all of it.`,
        ]),
  ];
}

/** A case with two limits: the one that does more of the work says more. */
function slowestLimit(outcomes: readonly Outcome[]): Outcome | undefined {
  return outcomes
    .filter((outcome) => outcome.role === "limit" && outcome.samples.length > 0)
    .toSorted((a, b) => secondsOf(b)!.value - secondsOf(a)!.value)[0];
}

function verdict({ verdict: word, reached, bound }: Judged): string {
  if (reached === undefined || bound === undefined) return "open: a figure is missing";
  if (word === "open") return "open: a run was ended at its limit";
  const share = reached.value / bound.value;
  return word === "met" ? `met: ${number(share)} of it` : `missed: ${number(share)} times it`;
}

function time(figure: Figure | undefined): string {
  return amount(figure, "s");
}

function amount(figure: Figure | undefined, unit: Unit): string {
  return figure === undefined ? "-" : `${figure.atLeast ? "> " : ""}${number(figure.value)} ${unit}`;
}

function ratio(above: Figure | undefined, below: Figure | undefined): string {
  if (above === undefined || below === undefined || below.atLeast) return "-";
  return `${above.atLeast ? "> " : ""}${number(above.value / below.value)}`;
}

/** Three digits that count. */
function number(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3)));
}

function firstLine(text: string | undefined): string | undefined {
  return text?.split("\n", 1)[0];
}
