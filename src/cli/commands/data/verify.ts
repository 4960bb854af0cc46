import { ok } from "../../../core/index.ts";
import type { Context, Result } from "../../../core/index.ts";
import { verifyData } from "../../../data/index.ts";
import { localCache } from "../../../store/index.ts";
import type { Answer, Edge } from "../../command.ts";
import { chosen, teamStore } from "./stores.ts";
import type { Group } from "./stores.ts";

export function verify(edge: Edge, group: Group): void {
  group("verify [names...]", "read every blob of the datasets in the store and check it")
    .option("--cache", "in this working copy's cache, not the team's store")
    .action(async (names: string[], options: { cache?: boolean }) =>
      edge.out.answer(await run(edge.context(), names, options.cache ?? false)),
    );
}

async function run(context: Context, names: readonly string[], cache: boolean): Promise<Result<Answer>> {
  const store = cache ? ok(localCache(context)) : await teamStore(context);
  if (!store.ok) return store;
  const verified = await verifyData(context, { ...chosen(names), store: store.value });
  if (!verified.ok) return verified;
  const lines = verified.value.map(({ name, blobs }) => `${name}: ${blobs} blobs are what they are named`);
  return ok({ json: { store: store.value.url, datasets: verified.value }, text: lines.join("\n") });
}
