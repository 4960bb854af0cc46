import { relative, resolve, sep } from "node:path";
import { Command } from "commander";
import { ok } from "../../core/index.ts";
import type { Context, Result } from "../../core/index.ts";
import { addData, loadDataLock, pullData, pushData, statusData, verifyData } from "../../data/index.ts";
import { workingTree } from "../../git/index.ts";
import { localCache, openStore, storeUrl } from "../../store/index.ts";
import type { Store } from "../../store/index.ts";
import type { Answer, Edge } from "../command.ts";
import { bytes, table } from "../text.ts";

export function build(edge: Edge): Command {
  const { out } = edge;
  const data = new Command("data").summary("track, move and check datasets").description("Datasets of data.lock.json.");
  const group = (name: string, summary: string): Command => data.command(name).summary(summary).description(summary);

  group("add <path>", "track a file or folder, or record that it changed")
    .option("--name <name>", "name of the dataset; the path's last part when absent")
    .action(async (path: string, options: { name?: string }) => {
      const context = edge.context();
      out.answer(await add(context, resolve(edge.folder, path), options.name));
    });
  group("status", "compare the working tree with the lockfile").action(async () =>
    out.answer(await status(edge.context())),
  );
  group("list", "list the datasets").action(async () => out.answer(await list(edge.context())));
  group("push [names...]", "copy datasets to the store").action(async (names: string[]) =>
    out.answer(await push(edge.context(), names)),
  );
  group("pull [names...]", "bring datasets into the working tree; an edit that was not added is kept")
    .option("--overwrite", "replace such edits")
    .action(async (names: string[], options: { overwrite?: boolean }) =>
      out.answer(await pull(edge.context(), names, options.overwrite ?? false)),
    );
  group("checkout [names...]", "make the working tree what the lockfile says, losing edits").action(
    async (names: string[]) => out.answer(await pull(edge.context(), names, true)),
  );
  group("verify [names...]", "read every blob in the store and check it").action(async (names: string[]) =>
    out.answer(await verify(edge.context(), names)),
  );
  return data;
}

async function add(context: Context, absolute: string, name: string | undefined): Promise<Result<Answer>> {
  const path = relative(context.cwd, absolute).split(sep).join("/");
  const added = await addData(context, { path, ...(name === undefined ? {} : { name }) });
  if (!added.ok) return added;
  const { dataset, changed, ignored } = added.value;
  const lines = [
    `${added.value.name}: ${dataset.files} files, ${bytes(dataset.size)}${changed ? "" : ", unchanged"}`,
    ...(changed ? ["data.lock.json changed: commit it, and `lockstep data push` the bytes"] : []),
    ...(ignored ? [`.gitignore now holds /${dataset.path}`] : []),
  ];
  return ok({ json: added.value, text: lines.join("\n") });
}

async function status(context: Context): Promise<Result<Answer>> {
  const found = await statusData(context);
  if (!found.ok) return found;
  const rows = found.value.map(({ name, dataset, state, cached }) => [
    name,
    dataset.path,
    state,
    cached ? "" : "not in the cache",
  ]);
  return ok({ json: { datasets: found.value }, text: rows.length === 0 ? "no datasets" : table(rows) });
}

async function list(context: Context): Promise<Result<Answer>> {
  const lock = await loadDataLock(workingTree(context));
  if (!lock.ok) return lock;
  const datasets = Object.entries(lock.value.datasets).map(([name, dataset]) => ({ name, ...dataset }));
  const rows = datasets.map(({ name, path, files, size, digest }) => [
    name,
    path,
    `${files} files`,
    bytes(size),
    digest.slice(0, 19),
  ]);
  return ok({ json: { datasets }, text: rows.length === 0 ? "no datasets" : table(rows) });
}

async function push(context: Context, names: readonly string[]): Promise<Result<Answer>> {
  const store = await teamStore(context);
  if (!store.ok) return store;
  const pushed = await pushData(context, { ...chosen(names), to: store.value });
  if (!pushed.ok) return pushed;
  const lines = pushed.value.map(({ name, blobs, bytes: sent }) =>
    blobs === 0 ? `${name}: there already` : `${name}: ${blobs} blobs, ${bytes(sent)}`,
  );
  return ok({ json: { store: store.value.url, datasets: pushed.value }, text: lines.join("\n") });
}

async function pull(context: Context, names: readonly string[], overwrite: boolean): Promise<Result<Answer>> {
  const store = await teamStore(context);
  if (!store.ok) return store;
  const stores = [localCache(context), store.value];
  const pulled = await pullData(context, { ...chosen(names), stores, overwrite });
  if (!pulled.ok) return pulled;
  const lines = pulled.value.map(({ name, dataset, changed }) => `${name}: ${changed ? dataset.path : "unchanged"}`);
  return ok({ json: { datasets: pulled.value }, text: lines.join("\n") });
}

async function verify(context: Context, names: readonly string[]): Promise<Result<Answer>> {
  const store = await teamStore(context);
  if (!store.ok) return store;
  const verified = await verifyData(context, { ...chosen(names), store: store.value });
  if (!verified.ok) return verified;
  const lines = verified.value.map(({ name, blobs }) => `${name}: ${blobs} blobs are what they are named`);
  return ok({ json: { store: store.value.url, datasets: verified.value }, text: lines.join("\n") });
}

async function teamStore(context: Context): Promise<Result<Store>> {
  const url = await storeUrl(context, workingTree(context));
  return url.ok ? openStore(context, url.value) : url;
}

function chosen(names: readonly string[]): { names?: readonly string[] } {
  return names.length === 0 ? {} : { names };
}
