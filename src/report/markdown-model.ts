import type { Section } from "../config/index.ts";
import { arrow, more, noteList } from "./detail.ts";
import type { Detail } from "./detail.ts";
import { formatChange, formatValue, unbroken } from "./format.ts";
import { servingSection } from "./markdown-serving.ts";
import { sliceSection } from "./markdown-slices.ts";
import { code, details, sentence, table } from "./markdown.ts";
import { pairingNotes } from "./pairing-notes.ts";
import type { MetricRow, ModelReport } from "./schema.ts";
import { stakesOf } from "./stakes.ts";

export const MODEL_SECTIONS: Partial<Record<Section, (model: ModelReport, detail: Detail) => string[]>> = {
  stakes: stakesList,
  serving: servingSection,
  metrics: (model, detail) => (model.metrics.length === 0 ? [] : [metricTable(model, detail)]),
  gates: (model, detail) => (model.gates.length === 0 ? [] : [gateTable(model, detail)]),
  slices: ({ slices }, detail) => (slices === null || slices.count === 0 ? [] : [sliceSection(slices, detail)]),
  flips: ({ flips: all }, detail) =>
    all === null || all.fixed.count + all.broken.count === 0 ? [] : [flips(all, detail)],
};

/** Business metrics in sentences. */
function stakesList(model: ModelReport, detail: Detail): string[] {
  const all = stakesOf(model);
  if (all.length === 0) return [];
  const lines = all.slice(0, detail.metrics).map(({ name, desc, text }) => {
    const said = desc === null ? "" : ` (${sentence(desc, 200)})`;
    return `- **${code(name, 60)}**${said}: ${text}`;
  });
  return [lines.join("\n"), ...more(all.length - detail.metrics, "business metric")];
}

/** What has to be known about the comparison. */
export function modelNotes(model: ModelReport, detail: Detail): string[] {
  return noteList([...pairingNotes(model), ...model.notes], detail);
}

function metricTable(model: ModelReport, detail: Detail): string {
  const compared = model.metrics.some(({ base }) => base !== null);
  const production = model.production !== null;
  const rows = model.metrics
    .slice(0, detail.metrics)
    .map((metric) => [
      `${code(metric.name, 60)}${arrow(metric)}`,
      ...(compared ? [value(metric.base, metric)] : []),
      `**${value(metric.head, metric)}**`,
      ...(compared ? [change(metric), verdictCell(metric)] : []),
      ...(production ? [value(metric.production, metric)] : []),
    ]);
  const text = table(
    [
      ["metric", "left"],
      ...(compared ? [["base", "right"] as const] : []),
      [detail.head, "right"],
      ...(compared ? [["difference (95 % interval)", "left"] as const, ["verdict", "left"] as const] : []),
      ...(production ? [[`production v${model.production?.version}`, "right"] as const] : []),
    ],
    rows,
  );
  return [text, ...more(model.metrics.length - detail.metrics, "metric")].join("\n\n");
}

function value(number: number | null, { unit }: MetricRow): string {
  return unbroken(formatValue(number, unit));
}

function change({ difference, interval, unit }: MetricRow): string {
  const text = unbroken(formatChange(difference, unit));
  if (interval === null || difference === null || (interval[0] === 0 && interval[1] === 0)) return text;
  return `${text} (${unbroken(formatChange(interval[0], unit))} to ${unbroken(formatChange(interval[1], unit))})`;
}

function verdictCell(metric: MetricRow): string {
  switch (metric.verdict) {
    case "better":
      return "🟢\u00a0better";
    case "worse":
      return "🔴\u00a0worse";
    case "equivalent":
      return "⚪\u00a0equivalent";
    case "no-evidence":
      return "⚪\u00a0no\u00a0evidence";
    case null:
      return metric.note === null ? "–" : sentence(metric.note);
  }
}

function gateTable(model: ModelReport, detail: Detail): string {
  // Failed gates first: they are what a reader looks for, and what must not be shortened away.
  const sorted = model.gates.toSorted((a, b) => Number(a.passed) - Number(b.passed));
  const rows = sorted
    .slice(0, detail.gates)
    .map((gate) => [gate.passed ? "✅\u00a0pass" : "❌\u00a0**fail**", code(gate.rule), sentence(gate.found)]);
  const text = table(
    [
      ["gate", "left"],
      ["rule", "left"],
      ["found", "left"],
    ],
    rows,
  );
  const told = [text, ...more(model.gates.length - detail.gates, "gate")].join("\n\n");
  // The verdict's line has said already that all pass.
  return sorted[0]?.passed === false ? told : details(`Gates: all ${model.gates.length} pass`, told);
}

function flips({ fixed, broken }: NonNullable<ModelReport["flips"]>, detail: Detail): string {
  const summary = `Flipped predictions: ${fixed.count} fixed, ${broken.count} broken`;
  if (detail.flips === 0) return `${summary}.`;
  const list = (title: string, { count: total, examples }: typeof fixed): string[] => {
    if (total === 0) return [];
    const rows = examples
      .slice(0, detail.flips)
      .map((flip) => [
        code(flip.id, 40),
        code(flip.label, 30),
        code(flip.base, 30),
        code(flip.head, 30),
        ...(flip.preview ?? []).map(({ value }) => code(value, 60)),
      ]);
    const head = [
      ["example", "left"],
      ["label", "left"],
      ["base said", "left"],
      [`${detail.head} says`, "left"],
      ...(examples[0]?.preview ?? []).map(({ column }) => [code(column, 30), "left"] as const),
    ] as const;
    return [`**${title}**`, table(head, rows), ...more(total - rows.length, "example")];
  };
  return details(summary, [...list("Broken", broken), ...list("Fixed", fixed)].join("\n\n"));
}
