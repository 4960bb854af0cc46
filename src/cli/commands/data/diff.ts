import { compareCodeUnits, ok } from "../../../core/index.ts";
import type { Context, Result } from "../../../core/index.ts";
import { diffData } from "../../../data/index.ts";
import type { DataDiff, DatasetDiff } from "../../../data/index.ts";
import type { Answer, Edge } from "../../command.ts";
import { bytes, counted, grouped, printable } from "../../text.ts";
import { readableStores } from "./stores.ts";
import type { Group } from "./stores.ts";

/** Files named of each dataset, unless all are asked for. */
const SHOWN = 20;

interface Options {
  readonly all?: boolean;
  readonly namesOnly?: boolean;
}

export function diff(edge: Edge, group: Group): void {
  group("diff [from] [to]", "say which files of the datasets differ: HEAD against the working tree, or any revisions")
    .option("--all", `name every file, not the first ${SHOWN} of each dataset`)
    .option("--names-only", "nothing but the paths of the files, every one")
    .action(async (from: string | undefined, to: string | undefined, options: Options) =>
      edge.out.answer(
        await run(edge.context(), { from: from ?? "HEAD", ...(to === undefined ? {} : { to }) }, options),
      ),
    );
}

async function run(
  context: Context,
  sides: { readonly from: string; readonly to?: string },
  options: Options,
): Promise<Result<Answer>> {
  const stores = await readableStores(context);
  if (!stores.ok) return stores;
  const found = await diffData(context, { ...sides, stores: stores.value });
  if (!found.ok) return found;
  const json = { ...found.value, totals: totals(found.value) };
  if (options.namesOnly === true) return ok({ json, text: found.value.datasets.flatMap(names).join("\n") });
  const sections = found.value.datasets.map((dataset) => section(dataset, options.all === true));
  const nothing = `no dataset differs between ${found.value.from.label} and ${found.value.to.label}`;
  return ok({ json, text: sections.length === 0 ? nothing : sections.join("\n") });
}

/** Files and bytes of all datasets together. */
function totals({ datasets }: DataDiff): Record<string, number> {
  const count = (list: "added" | "removed" | "changed" | "renamed" | "modes"): number =>
    datasets.reduce((sum, { files }) => sum + (files?.[list].length ?? 0), 0);
  return {
    added: count("added"),
    removed: count("removed"),
    changed: count("changed"),
    renamed: count("renamed"),
    modes: count("modes"),
    bytesBefore: datasets.reduce((sum, { before }) => sum + (before?.size ?? 0), 0),
    bytesAfter: datasets.reduce((sum, { after }) => sum + (after?.size ?? 0), 0),
  };
}

function section(dataset: DatasetDiff, all: boolean): string {
  const { name, change, before, after, files } = dataset;
  const [old, now] = [before?.path, after?.path];
  const place = old === undefined || now === undefined || old === now ? (now ?? old ?? "") : `${old} -> ${now}`;
  const size = `${bytes(before?.size ?? 0)} -> ${bytes(after?.size ?? 0)}`;
  const absent = after?.present === false ? ["  (not in the working tree: compared as data.lock.json says)"] : [];
  if (files === null) return [`${name} (${printable(place)}): ${change}, ${size}`, ...absent].join("\n");
  const parts = [
    ...(files.added.length > 0 ? [`${grouped(files.added.length)} added`] : []),
    ...(files.removed.length > 0 ? [`${grouped(files.removed.length)} removed`] : []),
    ...(files.changed.length > 0 ? [`${grouped(files.changed.length)} changed`] : []),
    ...(files.renamed.length > 0 ? [`${grouped(files.renamed.length)} renamed`] : []),
    ...(files.modes.length > 0 ? [`${counted(files.modes.length, "mode")}`] : []),
  ];
  const what = change === "changed" ? [] : [`${change} dataset`];
  const moved = parts.length === 0 && change === "changed" ? ["moved"] : [];
  const rows = lines(files);
  const shown = all ? rows : rows.slice(0, SHOWN);
  const more =
    rows.length > shown.length ? [`  and ${grouped(rows.length - shown.length)} more (--all names them)`] : [];
  return [
    `${name} (${printable(place)}): ${[...what, ...moved, ...parts].join(", ")}; ${size}`,
    ...absent,
    ...shown.map((row) => `  ${row}`),
    ...more,
  ].join("\n");
}

function lines(files: NonNullable<DatasetDiff["files"]>): string[] {
  return [
    ...files.added.map(({ path, size }) => `A ${printable(path)}  ${bytes(size)}`),
    ...files.removed.map(({ path, size }) => `D ${printable(path)}  ${bytes(size)}`),
    ...files.changed.map(
      ({ before, after }) => `M ${printable(after.path)}  ${bytes(before.size)} -> ${bytes(after.size)}`,
    ),
    ...files.renamed.map(({ before, after }) => `R ${printable(before.path)} -> ${printable(after.path)}`),
    ...files.modes.map(({ before, after }) => `X ${printable(after.path)}  ${before.mode} -> ${after.mode}`),
  ];
}

/** Paths from the repository's root, in order. A renamed file counts with both. */
function names({ before, after, files }: DatasetDiff): string[] {
  if (files === null) return [];
  const inside = (side: typeof before, path: string): string =>
    side === null || side.kind === "file" ? (side?.path ?? path) : `${side.path}/${path}`;
  const paths = [
    ...files.added.map(({ path }) => inside(after, path)),
    ...files.removed.map(({ path }) => inside(before, path)),
    ...[...files.changed, ...files.modes, ...files.renamed].map((pair) => inside(after, pair.after.path)),
    ...files.renamed.map((pair) => inside(before, pair.before.path)),
  ];
  return [...new Set(paths)].sort(compareCodeUnits).map(printable);
}
