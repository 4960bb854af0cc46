import { ok } from "../../../core/index.ts";
import type { Context, Result } from "../../../core/index.ts";
import { logData } from "../../../data/index.ts";
import type { Answer, Edge } from "../../command.ts";
import { bytes, counted, grouped, printable, table } from "../../text.ts";
import type { Group } from "./stores.ts";

export function log(edge: Edge, group: Group): void {
  group("log <name>", "list the versions of a dataset in git's history, newest first").action(async (name: string) =>
    edge.out.answer(await run(edge.context(), name)),
  );
}

async function run(context: Context, name: string): Promise<Result<Answer>> {
  const found = await logData(context, name);
  if (!found.ok) return found;
  const rows = found.value.versions.map(({ commit, date, subject, dataset, change }) => [
    commit.slice(0, 12),
    date.slice(0, 10),
    dataset === null ? "removed" : dataset.digest.slice(7, 19),
    dataset === null ? "" : counted(dataset.files, "file"),
    dataset === null ? "" : bytes(dataset.size),
    signed(change.files, grouped),
    signed(change.bytes, bytes),
    printable(subject),
  ]);
  const cut = found.value.shallow
    ? ["older versions may be missing: this clone is shallow (`git fetch --unshallow`)"]
    : [];
  return ok({ json: found.value, text: [table(rows), ...cut].join("\n") });
}

function signed(change: number, say: (count: number) => string): string {
  return `${change < 0 ? "-" : "+"}${say(Math.abs(change))}`;
}
