import { resolve } from "node:path";
import { fail, ok } from "../../../core/index.ts";
import type { Context, Result } from "../../../core/index.ts";
import { mergeData, mergeDriver } from "../../../data/index.ts";
import type { MergeOptions } from "../../../data/index.ts";
import { localCache } from "../../../store/index.ts";
import type { Answer, Edge } from "../../command.ts";
import { teamStore } from "./stores.ts";
import type { Group } from "./stores.ts";

interface Options {
  readonly ours?: boolean;
  readonly theirs?: boolean;
  readonly driver?: readonly string[];
}

export function merge(edge: Edge, group: Group): void {
  group("merge", "resolve a conflict in data.lock.json, by the files of the datasets")
    .option("--ours", "where both sides changed the same file, take ours")
    .option("--theirs", "where both sides changed the same file, take theirs")
    .option("--driver <base-ours-theirs...>", "as git's merge driver: %O %A %B")
    .action(async (options: Options) => edge.out.answer(await run(edge, options)));
}

async function run(edge: Edge, { ours, theirs, driver }: Options): Promise<Result<Answer>> {
  if (ours === true && theirs === true)
    return fail({ code: "usage", message: "--ours and --theirs exclude each other" });
  const context = edge.context();
  const team = await teamStore(context);
  if (!team.ok) return team;
  const options: MergeOptions = {
    stores: { cache: localCache(context), team: team.value },
    ...(ours === true ? { prefer: "ours" } : theirs === true ? { prefer: "theirs" } : {}),
  };
  return driver === undefined ? inIndex(context, options) : asDriver(edge, context, driver, options);
}

async function inIndex(context: Context, options: MergeOptions): Promise<Result<Answer>> {
  const merged = await mergeData(context, options);
  if (!merged.ok) return merged;
  if (merged.value === null) return ok({ json: { resolved: false }, text: "data.lock.json has no conflict" });
  const { lock, merged: names } = merged.value;
  const lines = [
    ...names.map((name) => `${name}: files of both sides`),
    "data.lock.json is resolved and added: `git commit`, then `lockstep data push` and `lockstep data pull`",
  ];
  return ok({ json: { resolved: true, merged: names, datasets: lock.datasets }, text: lines.join("\n") });
}

async function asDriver(
  { folder }: Edge,
  context: Context,
  files: readonly string[],
  options: MergeOptions,
): Promise<Result<Answer>> {
  const [base, ours, theirs, ...more] = files.map((file) => resolve(folder, file));
  if (base === undefined || ours === undefined || theirs === undefined || more.length > 0) {
    return fail({ code: "usage", message: "--driver takes three files: %O %A %B" });
  }
  const merged = await mergeDriver(context, { base, ours, theirs }, options);
  return merged.ok ? ok({ json: { resolved: true, merged: merged.value.merged }, text: "" }) : merged;
}
