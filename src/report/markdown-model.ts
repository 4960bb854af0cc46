import type { Section } from "../config/index.ts";
import { arrow, more, noteList } from "./detail.ts";
import type { Detail } from "./detail.ts";
import { formatChange, formatValue } from "./format.ts";
import { sliceSection } from "./markdown-slices.ts";
import { code, details, sentence, table } from "./markdown.ts";
import { pairingNotes } from "./pairing-notes.ts";
import type { MetricRow, ModelReport } from "./schema.ts";

export const MODEL_SECTIONS: Partial<Record<Section, (model: ModelReport, detail: Detail) => string[]>> = {
  metrics: (model, detail) => (model.metrics.length === 0 ? [] : [metricTable(model, detail)]),
  gates: (model, detail) => (model.gates.length === 0 ? [] : [gateTable(model, detail)]),
  slices: ({ slices }, detail) => (slices === null || slices.count === 0 ? [] : [sliceSection(slices, detail)]),
  flips: ({ flips: all }, detail) =>
    all === null || all.fixed.count + all.broken.count === 0 ? [] : [flips(all, detail)],
};

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
      ...(compared ? [formatValue(metric.base, metric.unit)] : []),
      `**${formatValue(metric.head, metric.unit)}**`,
      ...(compared ? [change(metric), verdictCell(metric)] : []),
      ...(production ? [formatValue(metric.production, metric.unit)] : []),
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

function change(metric: MetricRow): string {
  const text = formatChange(metric.difference, metric.unit);
  if (metric.interval === null || metric.difference === null) return text;
  const [low, high] = metric.interval;
  return low === 0 && high === 0
    ? text
    : `${text} (${formatChange(low, metric.unit)} to ${formatChange(high, metric.unit)})`;
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
  return [text, ...more(model.gates.length - detail.gates, "gate")].join("\n\n");
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
