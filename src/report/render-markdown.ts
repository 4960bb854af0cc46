import { count, formatChange, formatTime, formatValue, shortCommit, shortDigest } from "./format.ts";
import { fill, headline } from "./headline.ts";
import type { Headline } from "./headline.ts";
import { alert, block, code, details, sentence, table } from "./markdown.ts";
import { mermaid } from "./mermaid.ts";
import type { MetricRow, ModelReport, PipelineReport, Report } from "./schema.ts";

/** How much of each section is shown. */
interface Detail {
  /** What the judged side is called. */
  readonly head: string;
  readonly graph: boolean;
  readonly reasons: boolean;
  readonly flips: number;
  readonly changes: number;
  readonly numbers: number;
  readonly stages: number;
  readonly metrics: number;
  readonly gates: number;
  readonly failures: number;
  readonly models: number;
}

/** A section gives way only when all before it have: graph, flips, reasons, numbers, changes, stages, metrics, gates. */
const DETAILS: readonly Detail[] = (() => {
  const full: Detail = {
    head: "this PR",
    graph: true,
    reasons: true,
    flips: 10,
    changes: 100,
    numbers: 200,
    stages: 100,
    metrics: 100,
    gates: 100,
    failures: 20,
    models: 20,
  };
  const steps: Partial<Detail>[] = [
    {},
    { graph: false },
    { flips: 3 },
    { flips: 0 },
    { reasons: false },
    { numbers: 50 },
    { numbers: 10 },
    { changes: 20 },
    { stages: 20 },
    { metrics: 30, models: 10 },
    { gates: 20, failures: 5 },
    { numbers: 0, changes: 5, stages: 5, metrics: 10, models: 5 },
    { metrics: 3, gates: 5, failures: 1, models: 3, changes: 0, stages: 0 },
    { metrics: 1, gates: 1, models: 1 },
  ];
  let current = full;
  return steps.map((step) => (current = { ...current, ...step }));
})();

/** Fits a comment (65,536) with room for its marker. */
const DEFAULT_LIMIT = 65_000;
/** No report is shorter: what is left at the end is the verdict alone. */
const SHORTEST = 1_500;

/**
 * The report as GitHub Markdown of at most `maxCharacters`: sections shorten in a fixed order until it fits, and say
 * that they did. Every text of the repository is escaped.
 */
export function renderMarkdown(report: Report, options: { readonly maxCharacters?: number } = {}): string {
  const limit = Math.max(SHORTEST, options.maxCharacters ?? DEFAULT_LIMIT);
  const head = report.pullRequest === null ? "head" : "this PR";
  for (const detail of DETAILS) {
    const text = render(report, { ...detail, head });
    if (text.length <= limit) return text;
  }
  return [verdict(report), "The rest of this report is longer than a comment may be.", footer(report)].join("\n\n");
}

function render(report: Report, detail: Detail): string {
  const { models, pipelines } = report;
  return [
    verdict(report),
    ...failures(report, detail),
    ...models.slice(0, detail.models).flatMap((model) => modelSection(model, models.length > 1, detail)),
    ...more(models.length - detail.models, "model"),
    ...(report.notes.length === 0
      ? []
      : [
          report.notes
            .slice(0, 10)
            .map((note) => `- ${sentence(note)}`)
            .join("\n"),
        ]),
    ...pipelines.slice(0, detail.models).flatMap((pipeline) => pipelineSection(pipeline, pipelines.length > 1, detail)),
    ...more(pipelines.length - detail.models, "pipeline"),
    ...(report.state === "compared" ? [reproduce(report)] : []),
    footer(report),
  ].join("\n\n");
}

const ALERTS: Record<Headline["tone"], Parameters<typeof alert>[0]> = {
  good: "TIP",
  bad: "CAUTION",
  warn: "WARNING",
  neutral: "NOTE",
};

function verdict(report: Report): string {
  const { tone, title, sentences } = headline(report);
  const failing = report.conclusion === "failure" && report.state === "compared";
  const heading = failing ? `${title}, and a gate fails` : title;
  return alert(ALERTS[tone], [
    `**${heading}.** ${sentences.map((one) => fill(one, (name) => code(name, 60))).join(" ")}`,
  ]);
}

function failures(report: Report, detail: Detail): string[] {
  const shown = report.failures.slice(0, detail.failures).map((failure) => block(failure, 20));
  return [...shown, ...more(report.failures.length - detail.failures, "failure")];
}

function modelSection(model: ModelReport, titled: boolean, detail: Detail): string[] {
  const parts: string[] = titled ? [`### ${code(model.name)}`] : [];
  parts.push(metricTable(model, detail));
  if (model.gates.length > 0) parts.push(gateTable(model, detail));
  const notes = [...pairingNotes(model), ...model.notes];
  if (notes.length > 0)
    parts.push(
      notes
        .slice(0, 10)
        .map((note) => `- ${sentence(note)}`)
        .join("\n"),
    );
  if (model.flips !== null && model.flips.fixed.count + model.flips.broken.count > 0) parts.push(flips(model, detail));
  return parts;
}

function metricTable(model: ModelReport, detail: Detail): string {
  const compared = model.metrics.some(({ base }) => base !== null);
  const production = model.production !== null;
  const rows = model.metrics
    .slice(0, detail.metrics)
    .map((metric) => [
      `${code(metric.name, 60)}${arrow(metric)}`,
      ...(compared ? [formatValue(metric.base)] : []),
      `**${formatValue(metric.head)}**`,
      ...(compared ? [change(metric), verdictCell(metric)] : []),
      ...(production ? [formatValue(metric.production)] : []),
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

function arrow({ direction }: MetricRow): string {
  return direction === null ? "" : direction === "higher" ? " ↑" : " ↓";
}

function change(metric: MetricRow): string {
  const text = formatChange(metric.difference);
  if (metric.interval === null || metric.difference === null) return text;
  const [low, high] = metric.interval;
  return low === 0 && high === 0 ? text : `${text} (${formatChange(low)} to ${formatChange(high)})`;
}

function verdictCell(metric: MetricRow): string {
  switch (metric.verdict) {
    case "better":
      return "🟢 better";
    case "worse":
      return "🔴 worse";
    case "equivalent":
      return "⚪ equivalent";
    case "no-evidence":
      return "⚪ no evidence";
    case null:
      return metric.note === null ? "–" : sentence(metric.note);
  }
}

function gateTable(model: ModelReport, detail: Detail): string {
  // Failed gates first: they are what a reader looks for, and what must not be shortened away.
  const sorted = model.gates.toSorted((a, b) => Number(a.passed) - Number(b.passed));
  const rows = sorted
    .slice(0, detail.gates)
    .map((gate) => [gate.passed ? "✅ pass" : "❌ **fail**", code(gate.rule), sentence(gate.found)]);
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

function pairingNotes({ pairing }: ModelReport): string[] {
  if (pairing === null || pairing.kind === "same") return [];
  const sizes = `The base was measured on ${count(pairing.base, "example")}, the change on ${pairing.head}`;
  const labels = pairing.relabelled === 0 ? "" : ` Of the common ones, ${pairing.relabelled} have another label.`;
  if (pairing.kind === "common")
    return [`${sizes}. The comparison is on the ${pairing.examples} that both have with the same label.${labels}`];
  return [`${sizes}, with ${pairing.examples} in common, too few to compare the models on. No verdict.${labels}`];
}

function flips({ flips: all, name }: ModelReport, detail: Detail): string {
  const { fixed, broken } = all ?? { fixed: { count: 0, examples: [] }, broken: { count: 0, examples: [] } };
  const summary = `Flipped predictions: ${fixed.count} fixed, ${broken.count} broken`;
  if (detail.flips === 0) return `${summary}.`;
  const list = (title: string, { count: total, examples }: typeof fixed): string[] => {
    if (total === 0) return [];
    const rows = examples
      .slice(0, detail.flips)
      .map((flip) => [code(flip.id, 40), code(flip.label, 30), code(flip.base, 30), code(flip.head, 30)]);
    const head = [
      ["example", "left"],
      ["label", "left"],
      ["base said", "left"],
      [`${detail.head} says`, "left"],
    ] as const;
    return [`**${title}**`, table(head, rows), ...more(total - rows.length, "example")];
  };
  void name;
  return details(summary, [...list("Broken", broken), ...list("Fixed", fixed)].join("\n\n"));
}

function pipelineSection(pipeline: PipelineReport, titled: boolean, detail: Detail): string[] {
  const parts: string[] = titled ? [`#### Pipeline ${code(pipeline.name)}`] : [];
  if (pipeline.params.length + pipeline.data.length > 0) parts.push(changes(pipeline, detail));
  if (pipeline.notes.length > 0)
    parts.push(
      pipeline.notes
        .slice(0, 10)
        .map((note) => `- ${sentence(note)}`)
        .join("\n"),
    );
  if (pipeline.numbers.length > 0) parts.push(numbers(pipeline, detail));
  parts.push(stages(pipeline, detail));
  return parts;
}

function changes({ params, data }: PipelineReport, detail: Detail): string {
  const rows = [
    ...data.map(({ name, base, head }) => [`data ${code(name)}`, digest(base), digest(head)]),
    ...params.map(({ key, file, base, head }) => [
      `${code(key)}${file === "params.yaml" ? "" : ` in ${code(file)}`}`,
      base === null ? "–" : code(base, 80),
      head === null ? "–" : code(head, 80),
    ]),
  ];
  if (detail.changes === 0) return `Changed: ${count(params.length, "parameter")}, ${count(data.length, "dataset")}.`;
  const text = table(
    [
      ["changed", "left"],
      ["base", "left"],
      [detail.head, "left"],
    ],
    rows.slice(0, detail.changes),
  );
  return [text, ...more(rows.length - detail.changes, "change")].join("\n\n");
}

function digest(value: string | null): string {
  return value === null ? "–" : code(shortDigest(value));
}

function numbers(pipeline: PipelineReport, detail: Detail): string {
  const changed = pipeline.numbers.filter(({ difference }) => difference !== 0).length;
  const summary = `${count(pipeline.numbers.length, "number")} of the metrics files, ${changed} changed`;
  if (detail.numbers === 0) return `${summary}.`;
  const sorted = pipeline.numbers.toSorted((a, b) => Number(a.difference === 0) - Number(b.difference === 0));
  const rows = sorted
    .slice(0, detail.numbers)
    .map((row) => [
      `${code(row.name, 60)}${arrow(row)}`,
      formatValue(row.base),
      formatValue(row.head),
      formatChange(row.difference),
    ]);
  const text = table(
    [
      ["number", "left"],
      ["base", "right"],
      [detail.head, "right"],
      ["difference", "right"],
    ],
    rows,
  );
  const note = "Numbers without examples: how much of a difference is noise is not known.";
  return details(summary, [text, ...more(pipeline.numbers.length - detail.numbers, "number"), note].join("\n\n"));
}

const STATUS: Record<PipelineReport["stages"][number]["status"], string> = {
  cached: "cached",
  run: "**run**",
  failed: "❌ **failed**",
  skipped: "skipped",
};

function stages(pipeline: PipelineReport, detail: Detail): string {
  const tally = (["run", "cached", "failed", "skipped"] as const)
    .map((status) => [pipeline.stages.filter((stage) => stage.status === status).length, status] as const)
    .filter(([number]) => number > 0)
    .map(([number, status]) => `${number} ${status}`);
  const summary = `Stages: ${tally.join(", ") || "none"}; ${formatTime(pipeline.ms)}`;
  if (detail.stages === 0 || pipeline.stages.length === 0) return `${summary}.`;
  const rows = pipeline.stages
    .slice(0, detail.stages)
    .map((one) => [
      code(one.stage, 60),
      STATUS[one.status],
      one.status === "cached" || one.status === "skipped" ? "–" : formatTime(one.ms),
      ...(detail.reasons ? [sentence(one.reason, 160)] : []),
    ]);
  const head = [
    ["stage", "left"],
    ["", "left"],
    ["time", "right"],
    ["why", "left"],
  ] as const;
  const graph = detail.graph ? mermaid(pipeline.stages) : undefined;
  const body = [
    ...(graph === undefined ? [] : [`\`\`\`mermaid\n${graph}\n\`\`\``]),
    table(detail.reasons ? head : head.slice(0, 3), rows),
    ...more(pipeline.stages.length - detail.stages, "stage"),
  ];
  return details(summary, body.join("\n\n"));
}

function reproduce({ pipelines, head, base, pullRequest }: Report): string {
  const commands = [
    ...(pullRequest === null ? [] : [`git fetch origin pull/${pullRequest}/head`]),
    ...(head.commit === null ? [] : [`git checkout ${head.commit}`]),
    ...pipelines.slice(0, 5).map(({ name }) => `npx lockstep run ${name}`),
    ...(base.commit === null ? [] : [`npx lockstep compare ${base.commit.slice(0, 12)}`]),
  ];
  return details("Reproduce", block(commands.join("\n"), 20));
}

function footer({ head, base, runUrl, models }: Report): string {
  const from = base.commit === null ? "" : ` against ${shortCommit(base.commit)}`;
  const run = runUrl !== null && /^https?:\/\/[A-Za-z0-9.:/_-]+$/.test(runUrl) ? ` · [run](${runUrl})` : "";
  const method = models.some(({ resamples }) => resamples > 0)
    ? " · paired bootstrap, exact McNemar for accuracy, verdicts corrected by Holm over the metrics"
    : "";
  return `<sub>Lockstep · ${shortCommit(head.commit)}${from}${run}${method}</sub>`;
}

function more(left: number, noun: string): string[] {
  return left > 0 ? [`… and ${count(left, `more ${noun}`)}.`] : [];
}
