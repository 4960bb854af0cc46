import { ok } from "../../../core/index.ts";
import type { Context, Result } from "../../../core/index.ts";
import { openWorkspace, sendRuns } from "../../../pipeline/index.ts";
import type { Answer, Edge } from "../../command.ts";
import { counted, printable } from "../../text.ts";
import { commitName } from "./find.ts";
import type { Group } from "./find.ts";

export function push(edge: Edge, group: Group): void {
  group("push", "send this machine's runs to the records branch, as untrusted").action(async () =>
    edge.out.answer(await run(edge.context())),
  );
}

async function run(context: Context): Promise<Result<Answer>> {
  const workspace = await openWorkspace(context);
  if (!workspace.ok) return workspace;
  const sent = await sendRuns(context, workspace.value);
  if (!sent.ok) return sent;
  const { runs, stages, changed, left } = sent.value;
  const what = `${counted(runs.length, "run")} with ${counted(stages, "stage")}`;
  const lines = [
    ...runs.map((record) => `  ${record.pipeline} at ${commitName(record)}`),
    ...left.map((one) => `  not sent: ${one.pipeline} at ${commitName(one)}, ${one.reason}`),
  ];
  const head = runs.length === 0 ? "no runs to send" : `sent ${what}${changed ? "" : ", which were there already"}`;
  const json = { runs: runs.map(({ pipeline, commit }) => ({ pipeline, commit })), stages, changed, left };
  return ok({ json, text: [head, ...lines.map(printable)].join("\n") });
}
