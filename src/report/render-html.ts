import type { Section } from "../config/index.ts";
import { shortCommit } from "./format.ts";
import { fill, headline } from "./headline.ts";
import { escapeHtml, html, Html } from "./html.ts";
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
/** Of the contents. */
const LINKS = 12;
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
  return [...pipelines, ...models].flatMap(({ plots }) => plots);
}

function page(report: Report, drawn: readonly Html[], bounds: Bounds): string {
  const { tone, title, sentences } = headline(report);
  const line = sentences.map((one) => fill(one, (name) => name)).join(" ");
  const { head, base, pullRequest } = report;
  const told = pieces(report, drawn, bounds);
  const links = told.flatMap(({ id, title: name }) => (id === null ? [] : [[id, name] as const])).slice(0, LINKS);
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
            <p>${together(line)}</p>
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
          ${notes(report.notes, bounds.rows)}
          ${told.map(
            (piece) =>
              html`<section${piece.id === null ? null : html` id="${piece.id}"`}><h2>${piece.title}</h2>${piece.body}</section>`,
          )}
        </main>
        <footer>Made by Lockstep from commit ${shortCommit(head.commit)}.</footer>
      </body>
    </html> `;
  return made.text;
}

/** Text in which no line ends between a number and its per cent sign. */
function together(text: string): Html {
  return new Html(escapeHtml(text).replaceAll(" %", "&nbsp;%"));
}

/** A part of the page under a heading of its own. */
interface Piece {
  /** Null: it goes on with what has been begun above, and is not in the contents. */
  readonly id: string | null;
  readonly title: string;
  readonly body: Html;
}

function pieces(report: Report, drawn: readonly Html[], bounds: Bounds): Piece[] {
  return chapters(report.sections).flatMap((chapter) => piecesOf(report, chapter, drawn, bounds));
}

function piecesOf(
  report: Report,
  { scope, sections, first }: Chapter,
  drawn: readonly Html[],
  bounds: Bounds,
): Piece[] {
  const told = <T>(all: Partial<Record<Section, (of: T, bounds: Bounds) => Html | null>>, of: T): (Html | null)[] =>
    sections.map((section) => all[section]?.(of, bounds) ?? null);
  switch (scope) {
    case "model":
      return report.models.map((model, index) => ({
        id: first ? `model-${index}` : null,
        title: `Model ${model.name}`,
        body: html`${first ? modelNotes(model, bounds) : null}${told(MODEL_SECTIONS, model)}`,
      }));
    case "pipeline":
      return report.pipelines.map((pipeline, index) => ({
        id: first ? `pipeline-${index}` : null,
        title: `Pipeline ${pipeline.name}`,
        body: html`${first ? notes(pipeline.notes, bounds.rows) : null}${told(PIPELINE_SECTIONS, pipeline)}`,
      }));
    case "report":
      return sections.flatMap((section) => {
        const body = bodyOf(section, report, drawn, bounds);
        return body === null ? [] : [{ id: section, title: TITLES[section] ?? section, body }];
      });
  }
}

const TITLES: Partial<Record<Section, string>> = { changes: "Changes", plots: "Plots", reproduce: "Reproduce" };

function bodyOf(section: Section, report: Report, drawn: readonly Html[], bounds: Bounds): Html | null {
  if (section === "changes") return changes(report, bounds);
  if (section === "reproduce") {
    const commands = reproduceCommands(report);
    return commands.length === 0 ? null : html`<pre tabindex="0">${lines(commands)}</pre>`;
  }
  const left = allPlots(report).length - bounds.plots;
  if (section !== "plots" || drawn.length === 0) return null;
  return html`<div class="plots">${drawn.slice(0, bounds.plots)}</div>
    ${left > 0 ? html`<p class="dim">… and ${left} more plots.</p>` : null}`;
}
