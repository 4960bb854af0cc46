import { count, formatChange, formatP, formatValue } from "./format.ts";
import type { MetricRow, ModelReport, Report } from "./schema.ts";

/** A report in one line. `parts` are told apart so that each renderer escapes the metric names its own way. */
export interface Headline {
  readonly tone: "good" | "bad" | "warn" | "neutral";
  readonly title: string;
  /** Sentences; `{0}`, `{1}` ... stand for `names`, which are the repository's. */
  readonly sentences: readonly Sentence[];
}
export interface Sentence {
  readonly text: string;
  readonly names: readonly string[];
}

/** Models that have a sentence. */
const NAMED = 3;

/** What a reviewer reads first: the verdict, the metric that carries it, and the gates. */
export function headline(report: Report): Headline {
  const gates = gateSentence(report);
  if (report.state === "refused") {
    return { tone: "bad", title: "Result refused", sentences: [plain("Nothing of it was used; the reason is below.")] };
  }
  if (report.state === "failed") {
    const failed = report.pipelines.flatMap((one) => one.stages.filter(({ status }) => status === "failed"));
    const names = failed.map(({ stage }) => stage);
    const text =
      names.length === 0
        ? "There is no result to compare."
        : `Stage ${names
            .map((_, index) => `{${index}}`)
            .slice(0, 3)
            .join(", ")} failed; there is nothing to compare.`;
    return { tone: "bad", title: "The experiment failed", sentences: [{ text, names: names.slice(0, 3) }] };
  }
  const several = report.models.length > 1;
  const seeds = report.models.some(({ verdict }) => verdict !== null) ? null : seedsSentence(report);
  const sentences =
    seeds === null ? report.models.slice(0, NAMED).map((model) => modelSentence(model, several)) : [seeds];
  const more = report.models.length - NAMED;
  if (seeds === null && more > 0) sentences.push(plain(`Below: ${count(more, "model")} more.`));
  if (seeds === null && report.models.length === 0) sentences.push(plain(NO_MODEL));
  if (gates !== null) sentences.push(gates);
  const failing = report.conclusion === "failure";
  return { tone: failing ? "bad" : toneOf(report.verdict), title: titleOf(report), sentences };
}

function toneOf(verdict: Report["verdict"]): Headline["tone"] {
  if (verdict === "better") return "good";
  return verdict === "worse" ? "warn" : "neutral";
}

function titleOf({ verdict, models }: Report): string {
  switch (verdict) {
    case "better":
      return "Better";
    case "worse":
      return "Worse";
    case "equivalent":
      return models.length > 0 && models.every(({ identical }) => identical)
        ? "No change in any prediction"
        : "Equivalent";
    case "no-evidence":
      return "No evidence of a difference";
    case "none":
      return models.length === 0 ? "Results" : "No verdict";
    case "failed":
    case "refused":
      return "No result";
  }
}

const NO_MODEL = "No model uses this pipeline, so there are numbers and no verdict.";

/** What is shown over seeds, or the first that could be judged. */
function seedsSentence({ pipelines, verdict }: Report): Sentence | null {
  const judged = pipelines.flatMap(({ seeds }) => seeds.filter((row) => row.verdict !== null));
  const lead = judged.find((row) => row.verdict === verdict) ?? judged[0];
  if (lead === undefined || lead.base === null || lead.head === null || lead.interval === null) return null;
  const [low, high] = lead.interval;
  const p = lead.adjusted === null ? "" : `, ${formatP(lead.adjusted)}`;
  const interval = `95 % interval ${formatChange(low)} to ${formatChange(high)}`;
  const values = `${formatValue(lead.base.mean)} → ${formatValue(lead.head.mean)}`;
  const change = `(${formatChange(lead.difference)}, ${interval}${p})`;
  return { text: `{0} ${values} ${change}, mean over ${count(lead.head.n, "seed")}.`, names: [lead.name] };
}

function modelSentence(model: ModelReport, several: boolean): Sentence {
  const names: string[] = [];
  const name = (text: string): string => `{${names.push(text) - 1}}`;
  const subject = several ? `${name(model.name)}: ` : "";
  const moved = model.metrics.filter(({ verdict }) => verdict === "better" || verdict === "worse");
  const lead =
    moved.find(({ verdict }) => verdict === model.verdict) ?? model.metrics.find(({ head }) => head !== null);
  if (lead === undefined) return { text: `${subject}No metric could be measured.`, names };
  const against = moved.filter(
    ({ verdict }) => verdict !== lead.verdict && lead.verdict !== null && verdict !== model.verdict,
  );
  const where = placeOf(model);
  let text = `${subject}${name(lead.name)} ${movement(lead)}${where}.`;
  if (against.length > 0) {
    const list = against
      .slice(0, 3)
      .map((metric) => `${name(metric.name)} (${formatChange(metric.difference, metric.unit)})`);
    text += ` But ${list.join(", ")} ${against.length === 1 ? "is" : "are"} ${against[0]?.verdict ?? ""}.`;
  }
  return { text, names };
}

function movement(metric: MetricRow): string {
  if (metric.base === null || metric.difference === null) return formatValue(metric.head, metric.unit);
  const values = `${formatValue(metric.base, metric.unit)} → ${formatValue(metric.head, metric.unit)}`;
  if (metric.difference === 0) return `stays ${formatValue(metric.head, metric.unit)}`;
  const [low, high] = metric.interval ?? [null, null];
  const interval =
    low === null ? "" : `, 95 % interval ${formatChange(low, metric.unit)} to ${formatChange(high, metric.unit)}`;
  const p = metric.p === null ? "" : `, ${formatP(metric.p)}`;
  return `${values} (${formatChange(metric.difference, metric.unit)}${interval}${p})`;
}

function placeOf({ pairing }: ModelReport): string {
  switch (pairing?.kind) {
    case "same":
      return ` on the same ${count(pairing.examples, "example")}`;
    case "common":
      return ` on the ${count(pairing.examples, "example")} that both test sets have`;
    case "unpaired":
      return ", but the two sides were measured on different examples";
    case undefined:
      return "";
  }
}

function gateSentence(report: Report): Sentence | null {
  const gates = report.models.flatMap((model) => model.gates);
  if (gates.length === 0) return null;
  const failed = gates.filter(({ passed }) => !passed).length;
  if (failed === 0) return plain(gates.length === 1 ? "The gate passes." : `All ${gates.length} gates pass.`);
  return plain(`${failed} of ${count(gates.length, "gate")} ${failed === 1 ? "fails" : "fail"}.`);
}

function plain(text: string): Sentence {
  return { text, names: [] };
}

/** Puts the names in, each through `escape`. */
export function fill({ text, names }: Sentence, escape: (name: string) => string): string {
  return text.replace(/\{(\d+)\}/g, (_, index: string) => escape(names[Number(index)] ?? ""));
}
