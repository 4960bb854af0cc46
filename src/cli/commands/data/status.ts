import { ok } from "../../../core/index.ts";
import type { Context, Result } from "../../../core/index.ts";
import { statusData } from "../../../data/index.ts";
import type { Answer, Edge } from "../../command.ts";
import { printable, table } from "../../text.ts";
import type { Group } from "./stores.ts";

export function status(edge: Edge, group: Group): void {
  group("status", "compare the working tree with the lockfile").action(async () =>
    edge.out.answer(await run(edge.context())),
  );
}

async function run(context: Context): Promise<Result<Answer>> {
  const found = await statusData(context);
  if (!found.ok) return found;
  const rows = found.value.map(({ name, dataset, state, cached }) => [
    printable(name),
    printable(dataset.path),
    state,
    cached ? "" : "not in the cache",
  ]);
  return ok({ json: { datasets: found.value }, text: rows.length === 0 ? "no datasets" : table(rows) });
}
