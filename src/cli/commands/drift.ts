import { Command } from "commander";
import { ok } from "../../core/index.ts";
import type { Result } from "../../core/index.ts";
import type { DriftReport } from "../../monitor/index.ts";
import type { Answer, Edge } from "../command.ts";
import { table } from "../text.ts";

export function build(edge: Edge): Command {
  return new Command("drift")
    .summary("compare production with training")
    .description("Holds the prediction log against the profile of the production version. Reads only; 1 when drifted.")
    .argument("<model>", "name of the model")
    .action(async (model: string) => edge.out.answer(await run(edge, model)));
}

async function run(edge: Edge, model: string): Promise<Result<Answer>> {
  const { driftCheck } = await import("../../monitor/index.ts");
  // Without GitHub nothing is pushed, so that remote, branch and author are not looked at.
  const nowhere = { remote: "", branch: "", author: { name: "", email: "" } };
  const report = await driftCheck(edge.context(), undefined, { ...nowhere, model });
  if (!report.ok) return report;
  const { state } = report.value;
  return ok({ json: report.value, text: render(report.value), exitCode: state === "drifted" ? 1 : 0 });
}

function render({ model, version, state, rows, columns, performance, reasons }: DriftReport): string {
  const title = `${model}${version === null ? "" : ` version ${version}`}: ${state}, ${rows} rows`;
  const drifted = columns.filter((column) => column.drifted).sort((a, b) => b.psi - a.psi);
  const lines = drifted.map(({ column, role, test, psi, unseen, q }) => [
    column,
    role,
    test,
    psi.toFixed(2),
    `${(unseen * 100).toFixed(1)} %`,
    q.toExponential(1),
  ]);
  return [
    title,
    ...reasons.map((reason) => `  ${reason}`),
    ...(performance === null
      ? []
      : [`  ${performance.metric} ${performance.now.toFixed(4)} of ${performance.labelled} labelled rows`]),
    ...(lines.length === 0 ? [] : [table([["column", "role", "test", "PSI", "unseen", "q"], ...lines])]),
  ].join("\n");
}
