import type { Command } from "commander";
import { ok } from "../../../core/index.ts";
import type { Context, Result } from "../../../core/index.ts";
import { workingTree } from "../../../git/index.ts";
import { localCache, openStore, storeUrl } from "../../../store/index.ts";
import type { Store } from "../../../store/index.ts";

/** Begins a command of `lockstep data`. */
export type Group = (name: string, summary: string) => Command;

/** The store that the settings name. */
export async function teamStore(context: Context): Promise<Result<Store>> {
  const url = await storeUrl(context, workingTree(context));
  return url.ok ? openStore(context, url.value) : url;
}

/** Where content is looked for: this working copy's cache first, then the team's store. */
export async function readableStores(context: Context): Promise<Result<Store[]>> {
  const store = await teamStore(context);
  return store.ok ? ok([localCache(context), store.value]) : store;
}

/** Names as features take them: none given means all. */
export function chosen(names: readonly string[]): { names?: readonly string[] } {
  return names.length === 0 ? {} : { names };
}
