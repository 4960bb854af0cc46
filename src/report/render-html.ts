import { formatChange, formatTime, formatValue, shortCommit, shortDigest } from "./format.ts";
import { fill, headline } from "./headline.ts";
import { slicesHtml } from "./html-slices.ts";
import { html, Html } from "./html.ts";
import { intervalPlot } from "./interval-plot.ts";
import { seedsHtml } from "./seeds-table.ts";
import type { MetricRow, ModelReport, PipelineReport, Report } from "./schema.ts";

/** Rows of one table of the page; a browser shows more, but nobody reads them. */
const MOST = 500;

/** One page that needs nothing beside itself: no script, no font, no image from elsewhere; light and dark. */
export function renderHtml(report: Report): string {
  const { tone, title, sentences } = headline(report);
  const line = sentences.map((one) => fill(one, (name) => name)).join(" ");
  const page = html`<!doctype html>
    <html lang="en">
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <title>${title} · Lockstep report</title>
      <style>
        ${new Html(STYLE)}
      </style>
      <main>
        <header class="${tone}">
          <h1>${title}</h1>
          <p>${line}</p>
        </header>
        ${report.failures.map((failure) => html`<pre>${failure.split("\n").map((text) => html`${text} `)}</pre>`)}
        ${report.models.map(modelSection)} ${report.notes.length === 0 ? null : notes(report.notes)}
        ${report.pipelines.map(pipelineSection)}
        <footer>
          Lockstep · ${report.head.label} (${shortCommit(report.head.commit)}) against ${report.base.label}
          (${shortCommit(report.base.commit)})
        </footer>
      </main>
    </html> `;
  return page.text;
}

function modelSection(model: ModelReport): Html {
  const { production } = model;
  const row = (metric: MetricRow): Html =>
    html`<tr>
      <th scope="row">
        <code>${metric.name}</code
        >${metric.direction === null ? null : html` <span class="dim">${metric.direction} is better</span>`}
      </th>
      <td class="number">${formatValue(metric.base, metric.unit)}</td>
      <td class="number"><b>${formatValue(metric.head, metric.unit)}</b></td>
      <td>${change(metric)}</td>
      <td class="wide">${intervalPlot(metric)}</td>
      <td class="verdict ${metric.verdict ?? ""}">${metric.verdict?.replace("-", " ") ?? metric.note ?? "–"}</td>
      ${production === null ? null : html`<td class="number">${formatValue(metric.production, metric.unit)}</td>`}
    </tr>`;
  return html`<section>
    <h2>${model.name}</h2>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">metric</th>
            <th scope="col" class="number">base</th>
            <th scope="col" class="number">this change</th>
            <th scope="col">difference (95 % interval)</th>
            <th scope="col" class="wide">worse · better</th>
            <th scope="col">verdict</th>
            ${production === null ? null : html`<th scope="col" class="number">production v${production.version}</th>`}
          </tr>
        </thead>
        <tbody>
          ${model.metrics.slice(0, MOST).map(row)}
        </tbody>
      </table>
    </div>
    ${model.gates.length === 0 ? null : gates(model)} ${model.slices === null ? null : slicesHtml(model.slices)}
    ${model.notes.length === 0 ? null : notes(model.notes)} ${flips(model)}
  </section>`;
}

function change(metric: MetricRow): string {
  if (metric.interval === null) return formatChange(metric.difference, metric.unit);
  return `${formatChange(metric.difference, metric.unit)} (${formatChange(metric.interval[0], metric.unit)} to ${formatChange(metric.interval[1], metric.unit)})`;
}

function gates(model: ModelReport): Html {
  const row = (gate: ModelReport["gates"][number]): Html =>
    html`<tr>
      <td class="${gate.passed ? "better" : "worse"}">${gate.passed ? "pass" : "fail"}</td>
      <td><code>${gate.rule}</code></td>
      <td>${gate.found}</td>
    </tr>`;
  return html`<h3>Gates</h3>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">gate</th>
            <th scope="col">rule</th>
            <th scope="col">found</th>
          </tr>
        </thead>
        <tbody>
          ${model.gates.slice(0, MOST).map(row)}
        </tbody>
      </table>
    </div>`;
}

function notes(all: readonly string[]): Html {
  return html`<ul>
    ${all.map((note) => html`<li>${note}</li>`)}
  </ul>`;
}

function flips({ flips: all }: ModelReport): Html | null {
  if (all === null || all.fixed.count + all.broken.count === 0) return null;
  const rows = (kind: "fixed" | "broken"): Html[] =>
    all[kind].examples.map(
      (flip) =>
        html`<tr>
          <td class="${kind === "fixed" ? "better" : "worse"}">${kind}</td>
          <td><code>${flip.id}</code></td>
          <td>${flip.label}</td>
          <td>${flip.base}</td>
          <td>${flip.head}</td>
        </tr>`,
    );
  return html`<details>
    <summary>Flipped predictions: ${all.fixed.count} fixed, ${all.broken.count} broken</summary>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col"></th>
            <th scope="col">example</th>
            <th scope="col">label</th>
            <th scope="col">base said</th>
            <th scope="col">this change says</th>
          </tr>
        </thead>
        <tbody>
          ${rows("broken")}${rows("fixed")}
        </tbody>
      </table>
    </div>
  </details>`;
}

function pipelineSection(pipeline: PipelineReport): Html {
  const changed = [
    ...pipeline.data.map(({ name, base, head }) => [`data ${name}`, shortDigest(base), shortDigest(head)]),
    ...pipeline.params.map(({ file, key, base, head }) => [`${file}: ${key}`, base ?? "–", head ?? "–"]),
  ].slice(0, MOST);
  const changes = html`<h3>Changed</h3>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">what</th>
            <th scope="col">base</th>
            <th scope="col">this change</th>
          </tr>
        </thead>
        <tbody>
          ${changed.map(
            (cells) =>
              html`<tr>
                ${cells.map((cell) => html`<td><code>${cell}</code></td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
  const numbers = pipeline.numbers.slice(0, MOST).map(
    (row) =>
      html`<tr>
        <th scope="row"><code>${row.name}</code></th>
        <td class="number">${formatValue(row.base)}</td>
        <td class="number">${formatValue(row.head)}</td>
        <td class="number">${formatChange(row.difference)}</td>
      </tr>`,
  );
  const stages = pipeline.stages.slice(0, MOST).map(
    (one) =>
      html`<tr>
        <th scope="row"><code>${one.stage}</code></th>
        <td class="${one.status}">${one.status}</td>
        <td class="number">${one.status === "run" || one.status === "failed" ? formatTime(one.ms) : "–"}</td>
        <td>${one.reason}</td>
      </tr>`,
  );
  return html`<section>
    <h2>Pipeline ${pipeline.name}</h2>
    ${changed.length === 0 ? null : changes} ${pipeline.notes.length === 0 ? null : notes(pipeline.notes)}
    ${seedsHtml(pipeline, MOST)}
    ${
      numbers.length === 0
        ? null
        : html`<h3>Numbers of the metrics files</h3>
            <div class="scroll">
              <table>
                <thead>
                  <tr>
                    <th scope="col">number</th>
                    <th scope="col" class="number">base</th>
                    <th scope="col" class="number">this change</th>
                    <th scope="col" class="number">difference</th>
                  </tr>
                </thead>
                <tbody>
                  ${numbers}
                </tbody>
              </table>
            </div>`
    }
    <h3>Stages</h3>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">stage</th>
            <th scope="col">what happened</th>
            <th scope="col" class="number">time</th>
            <th scope="col">why</th>
          </tr>
        </thead>
        <tbody>
          ${stages}
        </tbody>
      </table>
    </div>
  </section>`;
}

const STYLE = `
:root{--ink:#1f2328;--dim:#59636e;--paper:#fff;--line:#d1d9e0;--tint:#f6f8fa;--good:#1a7f37;--bad:#d1242f;--warn:#9a6700;--note:#0969da}
@media (prefers-color-scheme:dark){:root{--ink:#f0f6fc;--dim:#9198a1;--paper:#0d1117;--line:#3d444d;--tint:#151b23;--good:#3fb950;--bad:#f85149;--warn:#d29922;--note:#4493f8}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:1080px;margin:0 auto;padding:24px 16px 48px}
header{border-left:4px solid var(--note);padding:4px 16px;margin-bottom:24px}
header.good{border-color:var(--good)}header.bad{border-color:var(--bad)}header.warn{border-color:var(--warn)}
h1{font-size:26px;margin:0}h2{font-size:20px;margin:32px 0 8px;border-bottom:1px solid var(--line);padding-bottom:4px}h3{font-size:16px;margin:20px 0 6px}
header p{margin:4px 0 0}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{border-bottom:1px solid var(--line);padding:6px 10px;text-align:left;vertical-align:middle}
thead th{color:var(--dim);font-weight:600;font-size:13px}
tbody th{font-weight:400}
.number{text-align:right;white-space:nowrap}
code{font:13px ui-monospace,monospace;background:var(--tint);padding:1px 4px;border-radius:4px;overflow-wrap:break-word}
pre{background:var(--tint);padding:12px;border-radius:6px;overflow-x:auto;font:13px/1.45 ui-monospace,monospace}
.dim,footer{color:var(--dim);font-size:13px}
.better{color:var(--good)}.worse,.failed{color:var(--bad)}.verdict.better,.verdict.worse{font-weight:600}
.plot .zero{stroke:var(--dim);stroke-dasharray:2 2}.plot .bar{stroke:var(--dim);stroke-width:2}.plot circle{fill:var(--dim)}
.plot.better .bar{stroke:var(--good)}.plot.better circle{fill:var(--good)}.plot.worse .bar{stroke:var(--bad)}.plot.worse circle{fill:var(--bad)}
details{margin-top:16px}summary{cursor:pointer;font-weight:600}
footer{margin-top:32px}
.wide{text-align:center}
@media (max-width:600px){.wide{display:none}}
`;
