import { ok } from "../../../core/index.ts";
import type { Context, Result } from "../../../core/index.ts";
import { loadDataLock } from "../../../data/index.ts";
import { workingTree } from "../../../git/index.ts";
import type { Answer, Edge } from "../../command.ts";
import { bytes, counted, printable, table } from "../../text.ts";
import type { Group } from "./stores.ts";

export function list(edge: Edge, group: Group): void {
  group("list", "list the datasets").action(async () => edge.out.answer(await run(edge.context())));
}

async function run(context: Context): Promise<Result<Answer>> {
  const lock = await loadDataLock(workingTree(context));
  if (!lock.ok) return lock;
  const datasets = Object.entries(lock.value.datasets).map(([name, dataset]) => ({ name, ...dataset }));
  const rows = datasets.map(({ name, path, files, size, digest, source }) => [
    name,
    printable(path),
    counted(files, "file"),
    bytes(size),
    digest.slice(0, 19),
    source === undefined ? "" : printable(source.url),
  ]);
  return ok({ json: { datasets }, text: rows.length === 0 ? "no datasets" : table(rows) });
}
