import type { Section } from "../config/index.ts";
import { shortCommit } from "./format.ts";
import { fill, headline } from "./headline.ts";
import { html, Html } from "./html.ts";
import { loadCharts } from "./page/chart.ts";
import type { Charts } from "./page/chart.ts";
import { MODEL_SECTIONS, modelNotes } from "./page/model.ts";
import { lines, notes } from "./page/parts.ts";
import type { Bounds } from "./page/parts.ts";
import { changes, PIPELINE_SECTIONS } from "./page/pipeline.ts";
import { figure } from "./page/plots.ts";
import { STYLE } from "./page/style.ts";
import { reproduceCommands } from "./reproduce.ts";
import type { Report } from "./schema.ts";
import { chapters } from "./views.ts";
import type { Chapter } from "./views.ts";

/** Bytes of a page; a browser shows more, but nobody waits for it or reads it. */
const MOST = 990_000;
/** Rows of all tables that could fit at all, so that no page is written only to be thrown away. */
const ROWS = 4_000;
/** Each is tried when the one before makes too large a page. */
const BOUNDS: readonly Bounds[] = [
  { rows: 500, plots: 48 },
  { rows: 200, plots: 48 },
  { rows: 100, plots: 24 },
  { rows: 30, plots: 12 },
  { rows: 10, plots: 4 },
  { rows: 3, plots: 0 },
];

/**
 * One page that needs nothing beside itself: no script, no font, no image from elsewhere. Light and dark, for wide and
 * narrow screens, paper and screen readers; at most MOST bytes, with less in each table where there is too much.
 */
export async function renderHtml(report: Report): Promise<string> {
  const drawn = await figures(report, BOUNDS[0]!.plots);
  const fits = (page: string): boolean => Buffer.byteLength(page) <= MOST;
  let text = "";
  const may = BOUNDS.filter(({ rows }) => rowsOf(report, rows) <= ROWS);
  for (const bounds of may.length === 0 ? BOUNDS.slice(-1) : may) {
    text = page(report, drawn, bounds);
    if (fits(text)) break;
  }
  return text;
}

function rowsOf({ models, pipelines }: Report, most: number): number {
  const lists = [
    ...models.flatMap(({ metrics, gates, slices }) => [metrics, gates, slices?.rows ?? []]),
    ...pipelines.flatMap(({ numbers, stages, params, seeds }) => [numbers, stages, params, seeds]),
  ];
  return lists.reduce((sum, { length }) => sum + Math.min(length, most), 0);
}

/** Every plot that there is room for, drawn once. */
async function figures(report: Report, most: number): Promise<Html[]> {
  if (!report.sections.includes("plots")) return [];
  let loaded: Promise<Charts> | undefined;
  const charts = async (): Promise<Charts> => (loaded ??= loadCharts());
  const drawn: Html[] = [];
  for (const plot of allPlots(report).slice(0, most)) {
    // oxlint-disable-next-line no-await-in-loop -- one after another: drawing is work of this thread
    drawn.push(await figure(plot, drawn.length, charts));
  }
  return drawn;
}

function allPlots({ models, pipelines }: Report): Report["models"][number]["plots"] {
  return [...models, ...pipelines].flatMap(({ plots }) => plots);
}

function page(report: Report, drawn: readonly Html[], bounds: Bounds): string {
  const { tone, title, sentences } = headline(report);
  const line = sentences.map((one) => fill(one, (name) => name)).join(" ");
  const { head, base, pullRequest } = report;
  const told = chapters(report.sections).map((chapter) => chapterOf(report, chapter, drawn, bounds));
  const links = contents(report);
  const made = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · Lockstep report</title>
        <style>
          ${new Html(STYLE)}
        </style>
      </head>
      <body>
        <a class="skip" href="#report">Skip to the report</a>
        <header>
          <p class="about">
            Lockstep report · ${pullRequest === null ? null : html`pull request ${pullRequest} · `}
            <b>${head.label}</b> (${shortCommit(head.commit)}) against
            <b>${base.label}</b> (${shortCommit(base.commit)})
          </p>
          <div class="verdict ${tone}">
            <h1>${title}</h1>
            <p>${line}</p>
          </div>
          ${
            links.length < 2
              ? null
              : html`<nav aria-label="Contents">
                  <ul>
                    ${links.map(([id, name]) => html`<li><a href="#${id}">${name}</a></li>`)}
                  </ul>
                </nav>`
          }
        </header>
        <main id="report">
          ${report.failures
            .slice(0, bounds.rows)
            .map((failure) => html`<pre tabindex="0">${lines(failure.split("\n").slice(-50))}</pre>`)}
          ${notes(report.notes, bounds.rows)} ${told}
        </main>
        <footer>Made by Lockstep from commit ${shortCommit(head.commit)}.</footer>
      </body>
    </html> `;
  return made.text;
}

function contents(report: Report): (readonly [string, string])[] {
  const { models, pipelines, sections } = report;
  return [
    ...models.map(({ name }, index) => [`model-${index}`, name] as const),
    ...(sections.includes("plots") && allPlots(report).length > 0 ? [["plots", "Plots"] as const] : []),
    ...pipelines.map(({ name }, index) => [`pipeline-${index}`, `Pipeline ${name}`] as const),
  ].slice(0, 12);
}

function chapterOf(report: Report, { scope, sections, first }: Chapter, drawn: readonly Html[], bounds: Bounds): Html {
  const told = <T>(all: Partial<Record<Section, (of: T, bounds: Bounds) => Html | null>>, of: T): (Html | null)[] =>
    sections.map((section) => all[section]?.(of, bounds) ?? null);
  const id = (kind: string, index: number): Html | null => (first ? html` id="${kind}-${index}"` : null);
  switch (scope) {
    case "model":
      return html`${report.models.map(
        (model, index) =>
          html`<section${id("model", index)}><h2>${model.name}</h2>${first ? modelNotes(model, bounds) : null}${told(MODEL_SECTIONS, model)}</section>`,
      )}`;
    case "pipeline":
      return html`${report.pipelines.map(
        (pipeline, index) =>
          html`<section${id("pipeline", index)}><h2>Pipeline ${pipeline.name}</h2>${first ? notes(pipeline.notes, bounds.rows) : null}${told(PIPELINE_SECTIONS, pipeline)}</section>`,
      )}`;
    case "report":
      return html`${sections.map((section) => reportSection(section, report, drawn, bounds))}`;
  }
}

function reportSection(section: Section, report: Report, drawn: readonly Html[], bounds: Bounds): Html | null {
  if (section === "changes") return changes(report, bounds);
  if (section === "reproduce") {
    const commands = reproduceCommands(report);
    return commands.length === 0
      ? null
      : html`<section>
          <h2>Reproduce</h2>
          <pre tabindex="0">${lines(commands)}</pre>
        </section>`;
  }
  const left = allPlots(report).length - bounds.plots;
  if (section !== "plots" || drawn.length === 0) return null;
  return html`<section id="plots">
    <h2>Plots</h2>
    <div class="plots">${drawn.slice(0, bounds.plots)}</div>
    ${left > 0 ? html`<p class="dim">… and ${left} more plots.</p>` : null}
  </section>`;
}
