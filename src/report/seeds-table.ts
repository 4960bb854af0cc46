import { more } from "./detail.ts";
import type { Detail } from "./detail.ts";
import { count, formatChange, formatValue } from "./format.ts";
import { html } from "./html.ts";
import type { Html } from "./html.ts";
import { code, sentence, table } from "./markdown.ts";
import { table as pageTable } from "./page/parts.ts";
import type { PipelineReport } from "./schema.ts";

type Row = PipelineReport["seeds"][number];
type Words = Record<"better" | "worse" | "equivalent" | "no-evidence", string>;

const PLAIN: Words = { better: "better", worse: "worse", equivalent: "equivalent", "no-evidence": "no evidence" };
const MARKED: Words = {
  better: "🟢\u00a0better",
  worse: "🔴\u00a0worse",
  equivalent: "⚪\u00a0equivalent",
  "no-evidence": "⚪\u00a0no\u00a0evidence",
};

/** What a metric over seeds says, but for its name and its verdict: mean and interval of each side, the difference. */
function values(row: Row): readonly [string, string, string] {
  return [mean(row.base), mean(row.head), change(row)];
}

function mean(side: Row["base"]): string {
  if (side === null) return "–";
  const [low, high] = side.interval ?? [];
  const interval = low === undefined || high === undefined ? "" : ` (${formatValue(low)} to ${formatValue(high)})`;
  return `${formatValue(side.mean)}${interval}`;
}

function change({ difference, interval }: Row): string {
  const text = formatChange(difference);
  return interval === null ? text : `${text} (${formatChange(interval[0])} to ${formatChange(interval[1])})`;
}

function label({ name, direction }: Row): string {
  return direction === null ? name : `${name} ${direction === "higher" ? "↑" : "↓"}`;
}

/** The word is ours, the note may be anybody's. */
function verdict({ verdict: word, note }: Row, words: Words, escape: (text: string) => string): string {
  return [...(word === null ? [] : [words[word]]), ...(note === null ? [] : [escape(note)])].join(", ") || "–";
}

/** How the rows were compared, of each file once. */
export function seedNotes({ seeds }: Pick<PipelineReport, "seeds">): { file: string; text: string }[] {
  const files = new Map(seeds.map((row) => [row.file, row]));
  return [...files.values()].map(({ file, base, head, paired }) => {
    const numbers = paired
      ? `the same ${count(head?.n ?? 0, "seed")} on both sides, compared seed by seed`
      : `${count(base?.n ?? 0, "seed")} on the base, ${head?.n ?? 0} on this side, not the same ones`;
    return { file, text: numbers };
  });
}

export function seedsMarkdown(pipeline: PipelineReport, detail: Detail): string[] {
  const { seeds } = pipeline;
  if (seeds.length === 0) return [];
  const most = Math.min(detail.metrics, Math.max(1, detail.numbers));
  const rows = seeds
    .slice(0, most)
    .map((row) => [code(label(row), 60), ...values(row), verdict(row, MARKED, sentence)]);
  const head = [
    ["mean over seeds (95 % interval)", "left"],
    ["base", "left"],
    [detail.head, "left"],
    ["difference", "left"],
    ["verdict", "left"],
  ] as const;
  const notes = seedNotes(pipeline)
    .slice(0, 10)
    .map(({ file, text }) => `- ${code(file, 80)}: ${text}.`);
  return [[table(head, rows), ...more(seeds.length - most, "metric"), notes.join("\n")].join("\n\n")];
}

export function seedsHtml(pipeline: PipelineReport, most: number): Html | null {
  if (pipeline.seeds.length === 0) return null;
  const cells = (row: Row): Html[] => [
    html`<code>${label(row)}</code>`,
    ...values(row).map((cell) => html`${cell}`),
    html`${verdict(row, PLAIN, (text) => text)}`,
  ];
  const columns = ["mean (95 % interval)", "base", "this change", "difference", "verdict"].map((title) => ({ title }));
  return html`<h3>Over seeds</h3>
    ${pageTable("Metrics over seeds", columns, pipeline.seeds, cells, most)}
    <ul class="notes">
      ${seedNotes(pipeline).map(({ file, text }) => html`<li><code>${file}</code>: ${text}.</li>`)}
    </ul>`;
}

/** Rows for a terminal, under their titles. */
export function seedsText({ seeds }: PipelineReport, most: number, plain: (text: string) => string): string[][] {
  return [
    ["mean over seeds", "base", "head", "difference (95 %)", "verdict"],
    ...seeds.slice(0, most).map((row) => [plain(label(row)), ...values(row), verdict(row, PLAIN, plain)]),
  ];
}
