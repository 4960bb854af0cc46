import type { ColumnDrift } from "./compare.ts";
import type { Decision, Evidence } from "./decide.ts";

const BARS = "▁▂▃▄▅▆▇█";
const SHOWN_COLUMNS = 25;
const WIDEST = 22;

/** What the issue is written from. */
export interface Finding {
  readonly model: string;
  readonly version: number;
  readonly evidence: Evidence;
  readonly decision: Decision;
  readonly from: Date | null;
  readonly to: Date | null;
  readonly minRows: number;
}

/** The issue's Markdown. Names of columns come from data, so that each is fenced as code and shortened. */
export function renderFinding(finding: Finding): string {
  const { model, version, evidence, decision, from, to } = finding;
  const { columns, performance, rows } = evidence;
  const period = from === null || to === null ? "" : `, ${minutes(from)} to ${minutes(to)} (UTC)`;
  const drifted = columns.filter((column) => column.drifted).sort((a, b) => b.psi - a.psi);
  const nulls = drifted.some((column) => column.nulls.some((share) => share > 0));
  return [
    `Version ${version} of model ${code(model)} meets other data than it was trained on, by ${rows} logged requests${period}.`,
    "",
    ...decision.reasons.map((reason) => `- **${kindOf(reason, decision)}**: ${reason}`),
    "",
    ...(performance
      ? [
          `Truth has arrived for ${performance.labelled} of them: ${performance.metric} ${performance.now.toFixed(4)}, at promotion ${performance.promised.toFixed(4)} (p ${performance.p < 1e-12 ? "" : "= "}${scientific(performance.p)}).`,
          "",
        ]
      : []),
    `| column | training | production | PSI | unseen |${nulls ? " nulls |" : ""} test | q |`,
    `| --- | --- | --- | ---: | ---: |${nulls ? " ---: |" : ""} --- | ---: |`,
    ...drifted.slice(0, SHOWN_COLUMNS).map((column) => line(column, nulls)),
    ...(drifted.length > SHOWN_COLUMNS ? ["", `and ${drifted.length - SHOWN_COLUMNS} more columns.`] : []),
    "",
    "<details><summary>How to read this</summary>",
    "",
    "A column is listed when the difference is both certain (q at most 0.01, corrected for the number of columns by Benjamini-Hochberg) and large (population stability index of at least 0.1, or a share of unseen values or nulls that moved by at least 5 %). Unseen: outside of the range, or none of the categories, of training. The pictures show the shares of the same bins on both sides; the first and the last bar are the tails.",
    "",
    "</details>",
    "",
    `This issue is kept up to date by every check and closes itself on recovery. \`lockstep drift ${model}\` shows the same.`,
  ].join("\n");
}

function kindOf(reason: string, { conceptDrift, predictionDrift }: Decision): string {
  if (conceptDrift && reason.includes("at promotion")) return "performance";
  return predictionDrift && reason.startsWith("the predictions") ? "predictions" : "inputs";
}

function line(column: ColumnDrift, nulls: boolean): string {
  const [then, now] = column.nulls;
  const cells = [
    code(column.column),
    sparkline(column.before),
    sparkline(column.now),
    column.psi.toFixed(2),
    percent(column.unseen),
    ...(nulls ? [`${percent(then)} → ${percent(now)}`] : []),
    column.test,
    scientific(column.q),
  ];
  return `| ${cells.join(" | ")} |`;
}

/** Counts as bars of equal area; neighbours are joined where there are too many. */
export function sparkline(counts: readonly number[]): string {
  const join = Math.ceil(counts.length / WIDEST);
  const joined: number[] = [];
  for (let i = 0; i < counts.length; i += join) {
    joined.push(counts.slice(i, i + join).reduce((sum, count) => sum + count, 0));
  }
  const most = Math.max(...joined, 1);
  return joined.map((count) => (count === 0 ? "▁" : BARS[Math.min(7, Math.round((count / most) * 7))])).join("");
}

/** Hostile text in a code span of a table cell: no way out of the span, the cell or the line, and not long. */
export function code(text: string): string {
  const plain = text.replace(/[\p{C}\p{Z}`|\\]/gu, (c) => (c === " " ? c : "·")).trim();
  return `\`${plain.length > 60 ? `${plain.slice(0, 59)}…` : plain || "·"}\``;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function scientific(p: number): string {
  return p >= 0.001 ? p.toFixed(3) : p < 1e-12 ? "< 1e-12" : p.toExponential(1);
}

function minutes(time: Date): string {
  return time.toISOString().slice(0, 16).replace("T", " ");
}
