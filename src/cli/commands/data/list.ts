import { ok } from "../../../core/index.ts";
import type { Context, Result } from "../../../core/index.ts";
import { loadDatasets } from "../../../data/index.ts";
import { workingTree } from "../../../git/index.ts";
import type { Answer, Edge } from "../../command.ts";
import { bytes, counted, printable, table } from "../../text.ts";
import type { Group } from "./stores.ts";

export function list(edge: Edge, group: Group): void {
  group("list", "list the datasets").action(async () => edge.out.answer(await run(edge.context())));
}

async function run(context: Context): Promise<Result<Answer>> {
  const tracked = await loadDatasets(workingTree(context));
  if (!tracked.ok) return tracked;
  const datasets = tracked.value.map(({ name, dataset }) => ({ name, ...dataset }));
  const rows = datasets.map((dataset) => [
    printable(dataset.name),
    printable(dataset.path),
    dataset.files === undefined ? "" : counted(dataset.files, "file"),
    dataset.size === undefined ? "" : bytes(dataset.size),
    dataset.digest.slice(0, 19),
    "file" in dataset ? printable(dataset.file) : printable(dataset.source?.url ?? ""),
  ]);
  return ok({ json: { datasets }, text: rows.length === 0 ? "no datasets" : table(rows) });
}
