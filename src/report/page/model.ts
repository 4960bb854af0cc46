import type { Section } from "../../config/index.ts";
import { formatValue } from "../format.ts";
import { html } from "../html.ts";
import type { Html } from "../html.ts";
import { slicesHtml } from "../html-slices.ts";
import { intervalPlot } from "../interval-plot.ts";
import { pairingNotes } from "../pairing-notes.ts";
import type { GateRow, MetricRow, ModelReport } from "../schema.ts";
import { stakesOf } from "../stakes.ts";
import { badge, change, code, nearby, notes, part, table, text, verdictOf } from "./parts.ts";
import type { Bounds } from "./parts.ts";
import { servingHtml } from "./serving.ts";

/** What each section shows of a model; null: nothing. */
export const MODEL_SECTIONS: Partial<Record<Section, (model: ModelReport, bounds: Bounds) => Html | null>> = {
  stakes,
  serving: servingHtml,
  metrics: metricTable,
  gates,
  slices: ({ slices }, bounds) => (slices === null ? null : slicesHtml(slices, bounds.rows)),
  flips,
};

/** Business metrics in sentences. */
function stakes(model: ModelReport, { rows: most }: Bounds): Html | null {
  const all = stakesOf(model);
  if (all.length === 0) return null;
  return html`<ul>
    ${all.slice(0, most).map(
      ({ name, desc, text: told }) =>
        html`<li>
          <b><code>${name}</code></b
          >${desc === null ? null : html` (${desc})`}: ${told}
        </li>`,
    )}
  </ul>`;
}

/** What has to be known of a comparison before its numbers mean anything. */
export function modelNotes(model: ModelReport, { rows }: Bounds): Html | null {
  return notes([...pairingNotes(model), ...model.notes], rows);
}

function metricTable(model: ModelReport, { rows: most }: Bounds): Html {
  const { production } = model;
  const compared = model.metrics.some(({ base }) => base !== null);
  const only = <T>(wanted: boolean, ...those: T[]): T[] => (wanted ? those : []);
  const cells = (metric: MetricRow): Html[] => [
    html`<code>${metric.name}</code
      >${metric.direction === null ? null : html`<span class="dim way">${metric.direction} is better</span>`}${nearby(metric)}`,
    ...only(compared, text(formatValue(metric.base, metric.unit))),
    html`<b>${formatValue(metric.head, metric.unit)}</b>`,
    ...only(compared, change(metric), html`${intervalPlot(metric)}`, verdictOf(metric)),
    ...only(production !== null, text(formatValue(metric.production, metric.unit))),
  ];
  const columns = [
    { title: "metric" },
    ...only(compared, { title: "base", number: true }),
    { title: "this change", number: true },
    ...only(
      compared,
      { title: "difference, 95 % interval" },
      { title: "worse · better", wide: true },
      { title: "verdict" },
    ),
    ...only(production !== null, { title: `production v${production?.version}`, number: true }),
  ];
  return table("Metrics", columns, model.metrics, cells, most);
}

function gates(model: ModelReport, { rows: most }: Bounds): Html | null {
  if (model.gates.length === 0) return null;
  const sorted = model.gates.toSorted((a, b) => Number(a.passed) - Number(b.passed));
  const cells = ({ passed, rule, found }: GateRow): Html[] => [
    text(rule),
    passed ? badge("good", "pass") : badge("bad", "fail"),
    text(found),
  ];
  const columns = [{ title: "rule" }, { title: "result" }, { title: "found", prose: true }];
  const failed = model.gates.filter(({ passed }) => !passed).length;
  const said = failed === 0 ? "all pass" : `${failed} of ${model.gates.length} fail`;
  return html`<h3>Gates <span class="dim">${said}</span></h3>
    ${table("Gates", columns, sorted, cells, most)}`;
}

function flips({ flips: all }: ModelReport, { rows: most }: Bounds): Html | null {
  if (all === null || all.fixed.count + all.broken.count === 0) return null;
  const rows = (["broken", "fixed"] as const).flatMap((kind) =>
    all[kind].examples.map((flip) => [
      code(flip.id),
      kind === "fixed" ? badge("good", kind) : badge("bad", kind),
      ...[flip.label, flip.base, flip.head, ...(flip.preview ?? []).map(({ value }) => value)].map(text),
    ]),
  );
  const shown = [...all.broken.examples, ...all.fixed.examples][0]?.preview ?? [];
  const titles = ["example", "", "label", "base said", "this change says", ...shown.map(({ column }) => column)];
  const columns = titles.map((title) => ({ title }));
  const said = `${all.broken.count} broken, ${all.fixed.count} fixed`;
  return part(
    "Flipped predictions",
    said,
    rows.length,
    table("Flipped predictions", columns, rows, (row) => row, most),
  );
}
