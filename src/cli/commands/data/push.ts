import { ok } from "../../../core/index.ts";
import type { Context, Result } from "../../../core/index.ts";
import { pushData } from "../../../data/index.ts";
import type { Answer, Edge } from "../../command.ts";
import { bytes } from "../../text.ts";
import { chosen, teamStore } from "./stores.ts";
import type { Group } from "./stores.ts";

export function push(edge: Edge, group: Group): void {
  group("push [names...]", "copy datasets to the store").action(async (names: string[]) =>
    edge.out.answer(await run(edge.context(), names)),
  );
}

async function run(context: Context, names: readonly string[]): Promise<Result<Answer>> {
  const store = await teamStore(context);
  if (!store.ok) return store;
  const pushed = await pushData(context, { ...chosen(names), to: store.value });
  if (!pushed.ok) return pushed;
  const lines = pushed.value.map(({ name, blobs, bytes: sent }) =>
    blobs === 0 ? `${name}: there already` : `${name}: ${blobs} blobs, ${bytes(sent)}`,
  );
  return ok({ json: { store: store.value.url, datasets: pushed.value }, text: lines.join("\n") });
}
