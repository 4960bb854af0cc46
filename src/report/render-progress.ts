import { RUNNING } from "./announce.ts";
import { count, formatTime, shortCommit } from "./format.ts";
import { code, details, sentence, table } from "./markdown.ts";
import type { Live } from "./live.ts";
import type { Coming } from "./progress.ts";
import { Seen } from "./render-live.ts";
import type { WorkflowRun } from "./workflow-run.ts";

/** More rows than this are the run's own page's to show. */
const MOST = 30;

/**
 * What is told while an experiment runs: `markdown` for the comment, `line` for the commit status. Null: its files
 * could not be planned, which the experiment will say itself. Unless `named`, no text of the pull request is in it.
 * Equal for equal arguments: what has not moved gives no other text.
 */
export function renderProgress(
  coming: readonly Coming[] | null,
  run: WorkflowRun,
  { named, live }: { readonly named: boolean; readonly live?: Live | undefined },
): { markdown: string; line: string } {
  const said = coming === null ? "What it will run cannot be told from its files." : summary(coming);
  const since = `${run.startedAt.slice(0, 16).replace("T", " ")} UTC`;
  const attempt = run.attempt === 1 ? "" : `, attempt ${run.attempt}`;
  const seen = coming === null || live === undefined ? undefined : new Seen(coming, live, run.startedAt);
  const now = coming === null ? undefined : seen?.line(toRun(coming), named);
  const stages = coming !== null && named ? coming.map((one) => stageTable(one, seen)) : [];
  const link = /^https?:\/\/[A-Za-z0-9.:/_-]+$/.test(run.url) ? ` · [run](${run.url})` : "";
  const foot = `<sub>Lockstep · ${shortCommit(run.headSha)} · since ${since}${attempt}${link} · the report will be here</sub>`;
  return {
    markdown: [`${RUNNING} ${said}${now === undefined ? "" : `\n>\n> ${now}`}`, ...stages, foot].join("\n\n"),
    line: `The experiment is running since ${since}. ${said}`,
  };
}

/** Stages that will run, unless what they need comes out as it was. */
function toRun(coming: readonly Coming[]): number {
  return coming.flatMap(({ plan }) => plan.stages).filter(({ action }) => action === "run").length;
}

function summary(coming: readonly Coming[]): string {
  const all = coming.flatMap(({ plan }) => plan.stages);
  const run = toRun(coming);
  if (run === 0) return `All ${count(all.length, "stage")} are cached.`;
  const sum = (of: (one: Coming) => number): number => coming.reduce((total, one) => total + of(one), 0);
  const unknown = sum(({ expected }) => expected.unknown.length);
  const costs = coming.flatMap(({ expected }) => (expected.cost === null ? [] : [expected.cost]));
  const currency = coming.find(({ expected }) => expected.currency !== null)?.expected.currency ?? "";
  const cost = costs.reduce((a, b) => a + b, 0);
  // Small sums keep their first two digits.
  const amount = cost === 0 || cost >= 0.1 ? cost.toFixed(2) : cost.toPrecision(2);
  const price = costs.length === 0 ? "" : `, ${amount} ${code(currency)}`;
  // Pipelines of one experiment run one after the other.
  const time = unknown === run ? "" : ` Expected: about ${formatTime(sum(({ expected }) => expected.wall))}${price}.`;
  const open = unknown === 0 ? "" : ` Nothing is known yet of ${count(unknown, "stage")}.`;
  return `${run} of ${count(all.length, "stage")} will run.${time}${open}`;
}

function stageTable({ plan, expected }: Coming, seen: Seen | undefined): string {
  const rows = plan.stages.slice(0, MOST).map(({ stage, action, reason }) => {
    const ms = expected.stages.get(stage)?.ms ?? null;
    return [
      code(stage, 60),
      action === "run" ? "**run**" : action,
      ...(seen === undefined ? [] : [seen.word(plan.pipeline, stage)]),
      ms === null ? "–" : formatTime(ms),
      sentence(reason, 160),
    ];
  });
  const head = [
    ["stage", "left"],
    ["plan", "left"],
    ...(seen === undefined ? [] : [["now", "left"] as const]),
    ["expected", "right"],
    ["why", "left"],
  ] as const;
  const more = plan.stages.length > MOST ? [`… and ${plan.stages.length - MOST} more stages`] : [];
  return details(`Plan of ${code(plan.pipeline)}`, [table(head, rows), ...more].join("\n\n"));
}
