import { Command } from "commander";
import { ok } from "../../core/index.ts";
import type { Result } from "../../core/index.ts";
import type { Answer, Edge } from "../command.ts";

export function build(edge: Edge): Command {
  return new Command("retrain")
    .summary("add labelled requests to the dataset of a model")
    .description("Does in the working tree what the retraining pull request proposes; nothing is committed.")
    .argument("<model>", "name of the model")
    .action(async (model: string) => edge.out.answer(await run(edge, model)));
}

async function run(edge: Edge, model: string): Promise<Result<Answer>> {
  const { retrainLocally } = await import("../../monitor/index.ts");
  const done = await retrainLocally(edge.context(), model);
  if (!done.ok) return done;
  const { dataset, path, rows, unusable, changed } = done.value;
  const skipped = unusable === 0 ? "" : `, ${unusable} cannot be used`;
  const text = changed
    ? `${rows} labelled requests are in ${path}${skipped}; commit data.lock.json, then \`lockstep run\``
    : `dataset ${dataset} has every labelled request already (${rows}${skipped})`;
  return ok({ json: done.value, text });
}
