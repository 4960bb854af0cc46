import type { Section } from "../config/index.ts";
import { DETAILS, more, noteList } from "./detail.ts";
import type { Detail } from "./detail.ts";
import { shortCommit } from "./format.ts";
import { fill, headline } from "./headline.ts";
import type { Headline } from "./headline.ts";
import { changesSection } from "./markdown-changes.ts";
import { MODEL_SECTIONS, modelNotes } from "./markdown-model.ts";
import { PIPELINE_SECTIONS } from "./markdown-pipeline.ts";
import { plotsSection } from "./markdown-plots.ts";
import { alert, block, code, details } from "./markdown.ts";
import { methodOf } from "./method.ts";
import { reproduceCommands } from "./reproduce.ts";
import type { Report } from "./schema.ts";
import { chapters } from "./views.ts";
import type { Chapter } from "./views.ts";

/** Fits a comment (65,536) with room for its marker. */
const DEFAULT_LIMIT = 65_000;
/** No report is shorter: what is left at the end is the verdict alone. */
const SHORTEST = 1_500;

export interface MarkdownOptions {
  readonly maxCharacters?: number;
  /** URL of the page of the whole report. */
  readonly page?: string | null;
}

/**
 * The report as GitHub Markdown of at most `maxCharacters`: sections shorten in a fixed order until it fits, and say
 * that they did. Every text of the repository is escaped.
 */
export function renderMarkdown(report: Report, options: MarkdownOptions = {}): string {
  const limit = Math.max(SHORTEST, options.maxCharacters ?? DEFAULT_LIMIT);
  const end = footer(report, options.page ?? null);
  const head = report.pullRequest === null ? "head" : "this PR";
  for (const detail of DETAILS) {
    const text = render(report, { ...detail, head }, end);
    if (text.length <= limit) return text;
  }
  const rest = ["The rest of this report is longer than a comment may be.", end];
  const short = [verdict(report), ...rest].join("\n\n");
  return short.length <= limit ? short : [verdict(report, false), ...rest].join("\n\n");
}

function render(report: Report, detail: Detail, end: string): string {
  return [
    verdict(report),
    ...failures(report, detail),
    ...noteList(report.notes, detail),
    ...chapters(report.sections).flatMap((chapter) => told(report, chapter, detail)),
    end,
  ].join("\n\n");
}

function told(report: Report, { scope, sections, first }: Chapter, detail: Detail): string[] {
  const { models, pipelines } = report;
  switch (scope) {
    case "model":
      return [
        ...models
          .slice(0, detail.models)
          .flatMap((model) =>
            titled(models.length > 1 ? `### ${code(model.name)}` : null, [
              ...(first ? modelNotes(model, detail) : []),
              ...sections.flatMap((section) => MODEL_SECTIONS[section]?.(model, detail) ?? []),
            ]),
          ),
        ...more(models.length - detail.models, "model"),
      ];
    case "pipeline":
      return [
        ...pipelines
          .slice(0, detail.models)
          .flatMap((pipeline) =>
            titled(pipelines.length > 1 ? `#### Pipeline ${code(pipeline.name)}` : null, [
              ...(first ? noteList(pipeline.notes, detail) : []),
              ...sections.flatMap((section) => PIPELINE_SECTIONS[section]?.(pipeline, detail) ?? []),
            ]),
          ),
        ...more(pipelines.length - detail.models, "pipeline"),
      ];
    case "report":
      return sections.flatMap((section) => REPORT_SECTIONS[section]?.(report, detail) ?? []);
  }
}

/** Nothing has no title. */
function titled(title: string | null, body: readonly string[]): readonly string[] {
  return title === null || body.length === 0 ? body : [title, ...body];
}

const REPORT_SECTIONS: Partial<Record<Section, (report: Report, detail: Detail) => string[]>> = {
  changes: changesSection,
  plots: plotsSection,
  reproduce: (report) => {
    const commands = reproduceCommands(report);
    return commands.length === 0 ? [] : [details("Reproduce", block(commands.join("\n"), 20))];
  },
};

const ALERTS: Record<Headline["tone"], Parameters<typeof alert>[0]> = {
  good: "TIP",
  bad: "CAUTION",
  warn: "WARNING",
  neutral: "NOTE",
};

/** Without its sentences it is of bounded length, whatever the metrics are called. */
function verdict(report: Report, spoken = true): string {
  const { tone, title, sentences } = headline(report);
  const failing = report.conclusion === "failure" && report.state === "compared";
  const heading = failing ? `${title}, and a gate fails` : title;
  const said = spoken ? sentences.map((one) => fill(one, (name) => code(name, 60))) : [];
  return alert(ALERTS[tone], [[`**${heading}.**`, ...said].join(" ")]);
}

function failures(report: Report, detail: Detail): string[] {
  const shown = report.failures.slice(0, detail.failures).map((failure) => block(failure, 20));
  return [...shown, ...more(report.failures.length - detail.failures, "failure")];
}

function footer({ head, base, runUrl, models }: Report, page: string | null): string {
  const from = base.commit === null ? "" : ` against ${shortCommit(base.commit)}`;
  const links = [...link("run", runUrl), ...link("full report", page)].map((one) => ` · ${one}`).join("");
  const said = methodOf(models);
  const method = said === null ? "" : ` · ${said}`;
  return `<sub>Lockstep · ${shortCommit(head.commit)}${from}${links}${method}</sub>`;
}

function link(name: string, url: string | null): string[] {
  return url !== null && /^https?:\/\/[A-Za-z0-9.:/_-]+$/.test(url) ? [`[${name}](${url})`] : [];
}
