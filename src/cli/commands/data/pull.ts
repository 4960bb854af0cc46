import { posix } from "node:path";
import { Option } from "commander";
import { fail, ok } from "../../../core/index.ts";
import type { Context, Failure, Result } from "../../../core/index.ts";
import { loadDataLock, pullData } from "../../../data/index.ts";
import { workingTree } from "../../../git/index.ts";
import type { LinkMode } from "../../../store/index.ts";
import type { Answer, Edge } from "../../command.ts";
import { printable } from "../../text.ts";
import { fromRoot } from "./add.ts";
import { chosen, readableStores } from "./stores.ts";
import type { Group } from "./stores.ts";

interface Wanted {
  readonly names: readonly string[];
  /** Globs, from the repository's root. */
  readonly paths: readonly string[];
  readonly overwrite: boolean;
  readonly link: LinkMode;
}

function links(): Option {
  const what = "how files that the cache holds singly (over 1 MiB, up to 8 MiB) come here; hard links are read-only";
  return new Option("--link <how>", what).choices(["auto", "copy", "reflink", "hardlink"]).default("auto");
}

export function pull(edge: Edge, group: Group): void {
  const paths = (glob: string, before: readonly string[] = []): string[] => [...before, glob];
  group("pull [names...]", "bring datasets into the working tree; an edit that was not added is kept")
    .option("--path <glob>", "only the files that this matches; may be given more than once", paths)
    .option("--overwrite", "replace such edits")
    .addOption(links())
    .action(async (names: string[], options: { path?: string[]; overwrite?: boolean; link: LinkMode }) => {
      const context = edge.context();
      const globs = (options.path ?? []).map((glob) => globFromRoot(context, edge.folder, glob));
      edge.out.answer(
        await run(context, { names, paths: globs, overwrite: options.overwrite ?? false, link: options.link }),
      );
    });
  group("checkout [names...]", "make the working tree what the lockfile says; an edit that was not added is kept")
    .option("--force", "replace such edits")
    .addOption(links())
    .action(async (names: string[], options: { force?: boolean; link: LinkMode }) =>
      edge.out.answer(
        await run(edge.context(), { names, paths: [], overwrite: options.force ?? false, link: options.link }),
      ),
    );
}

async function run(context: Context, { names, paths, overwrite, link }: Wanted): Promise<Result<Answer>> {
  const stores = await readableStores(context);
  if (!stores.ok) return stores;
  const only = paths.length === 0 ? {} : { paths };
  const pulled = await pullData(context, { ...chosen(names), ...only, stores: stores.value, overwrite, link });
  if (!pulled.ok) return fail(...(await withSources(context, pulled.failures)));
  const lines = pulled.value.map(
    ({ name, dataset, changed }) => `${printable(name)}: ${changed ? printable(dataset.path) : "unchanged"}`,
  );
  return ok({ json: { datasets: pulled.value }, text: lines.join("\n") });
}

/** Content that is in no store may still be where it was imported from. */
async function withSources(
  context: Context,
  failures: readonly [Failure, ...Failure[]],
): Promise<[Failure, ...Failure[]]> {
  const lock = await loadDataLock(workingTree(context));
  const datasets = lock.ok ? Object.entries(lock.value.datasets) : [];
  const say = (failure: Failure): Failure => {
    if (failure.code !== "blob-missing") return failure;
    const [name] = datasets.find(([, { digest, source }]) => digest === failure.digest && source !== undefined) ?? [];
    return name === undefined
      ? failure
      : { ...failure, hint: `\`lockstep data import --update ${name}\` gets it again` };
  };
  const [first, ...rest] = failures;
  return [say(first), ...rest.map(say)];
}

/** A glob as typed in a folder, as a glob from the repository's root. */
function globFromRoot(context: Context, folder: string, glob: string): string {
  const prefix = fromRoot(context, folder, ".").replace(/[\\*?[\]{}()!+@|]/g, "\\$&");
  return prefix === "" ? glob : posix.normalize(`${prefix}/${glob}`);
}
