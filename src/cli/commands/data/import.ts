import { fail, isDigest, ok } from "../../../core/index.ts";
import type { Context, Digest, Result } from "../../../core/index.ts";
import { checkSources, importData, updateImport } from "../../../data/index.ts";
import type { ImportedData } from "../../../data/index.ts";
import type { Answer, Edge } from "../../command.ts";
import { bytes, counted, printable, table } from "../../text.ts";
import { fromRoot } from "./add.ts";
import { readableStores } from "./stores.ts";
import type { Group } from "./stores.ts";

interface Options {
  readonly name?: string;
  readonly digest?: string;
  readonly update?: string;
  readonly check?: string | true;
}

export function importCommand(edge: Edge, group: Group): void {
  group(
    "import [url] [path]",
    "fetch an http, https or s3 URL and track it as a dataset; one that ends in / is a folder",
  )
    .option("--name <name>", "name of the dataset; the path's last part when absent")
    .option("--digest <digest>", "what the file has to be: sha256:<64 hex digits>")
    .option("--update <name>", "fetch the source of this dataset again")
    .option("--check [name]", "only ask whether the sources (or this one) still have what was imported")
    .action(async (url: string | undefined, path: string | undefined, options: Options) =>
      edge.out.answer(await run(edge, url, path, options)),
    );
}

async function run(
  edge: Edge,
  url: string | undefined,
  path: string | undefined,
  { name, digest, update, check: checked }: Options,
): Promise<Result<Answer>> {
  if (
    [url, update, checked].filter((way) => way !== undefined).length !== 1 ||
    (url === undefined && name !== undefined)
  ) {
    return fail({ code: "usage", message: "give a URL, or --update NAME, or --check [NAME]" });
  }
  if (digest !== undefined && !isDigest(digest)) {
    return fail({ code: "usage", message: `"${digest}" is not sha256: and 64 lower-case hex digits` });
  }
  const context = edge.context();
  if (checked !== undefined) return check(context, checked === true ? undefined : checked);
  const stores = await readableStores(context);
  if (!stores.ok) return stores;
  const options = { stores: stores.value, ...(digest === undefined ? {} : { digest: digest as Digest }) };
  if (update !== undefined) return answer(await updateImport(context, { ...options, name: update }));
  const target = targetFromRoot(context, edge.folder, path);
  const imported = await importData(context, {
    ...options,
    url: url as string,
    path: target,
    ...(name === undefined ? {} : { name }),
  });
  return answer(imported);
}

/** Where the file goes, from the root; one that ends in `/` is a folder that the file goes into. */
function targetFromRoot(context: Context, folder: string, path: string | undefined): string {
  const from = fromRoot(context, folder, path ?? ".");
  const isFolder = path === undefined || path === "." || path.endsWith("/");
  return isFolder ? (from === "" ? "./" : `${from}/`) : from;
}

function answer(imported: Result<ImportedData>): Result<Answer> {
  if (!imported.ok) return imported;
  const { name, dataset, changed } = imported.value;
  const lines = [
    `${name}: ${counted(dataset.files, "file")}, ${bytes(dataset.size)}, in ${printable(dataset.path)}${changed ? "" : ", unchanged"}`,
    ...(changed ? ["data.lock.json changed: commit it, and `lockstep data push` the bytes"] : []),
  ];
  return ok({ json: imported.value, text: lines.join("\n") });
}

async function check(context: Context, name: string | undefined): Promise<Result<Answer>> {
  const found = await checkSources(context, name === undefined ? {} : { names: [name] });
  if (!found.ok) return found;
  const rows = found.value.map(({ name: dataset, state, detail, movedTo, url }) => [
    dataset,
    state,
    printable([detail, ...(movedTo === undefined ? [] : [`moved to ${movedTo}`])].filter(Boolean).join("; ")),
    printable(url),
  ]);
  const stale = found.value.some(
    ({ state, movedTo }) => state === "changed" || state === "gone" || movedTo !== undefined,
  );
  const text = rows.length === 0 ? "no dataset was imported" : table(rows);
  return ok({ json: { sources: found.value }, text, exitCode: stale ? 1 : 0 });
}
