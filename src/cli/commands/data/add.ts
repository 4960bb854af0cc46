import { relative, resolve, sep } from "node:path";
import { ok } from "../../../core/index.ts";
import type { Context, Result } from "../../../core/index.ts";
import { addData } from "../../../data/index.ts";
import type { Answer, Edge } from "../../command.ts";
import { bytes, counted } from "../../text.ts";
import type { Group } from "./stores.ts";

export function add(edge: Edge, group: Group): void {
  group("add <path>", "track a file or folder, or record that it changed")
    .option("--name <name>", "name of the dataset; the path's last part when absent")
    .action(async (path: string, options: { name?: string }) => {
      const context = edge.context();
      edge.out.answer(await run(context, fromRoot(context, edge.folder, path), options.name));
    });
}

/** A path as typed in a folder, as a path from the repository's root. */
export function fromRoot(context: Context, folder: string, path: string): string {
  return relative(context.cwd, resolve(folder, path)).split(sep).join("/");
}

async function run(context: Context, path: string, name: string | undefined): Promise<Result<Answer>> {
  const added = await addData(context, { path, ...(name === undefined ? {} : { name }) });
  if (!added.ok) return added;
  const { dataset, changed, ignored } = added.value;
  const lines = [
    `${added.value.name}: ${counted(dataset.files, "file")}, ${bytes(dataset.size)}${changed ? "" : ", unchanged"}`,
    ...(changed ? ["data.lock.json changed: commit it, and `lockstep data push` the bytes"] : []),
    ...(ignored ? [`.gitignore now holds /${dataset.path}`] : []),
  ];
  return ok({ json: added.value, text: lines.join("\n") });
}
