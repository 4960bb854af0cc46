import { Command } from "commander";
import type { Edge } from "../command.ts";
import { diff } from "./runs/diff.ts";
import type { Group } from "./runs/find.ts";
import { list } from "./runs/list.ts";
import { push } from "./runs/push.ts";
import { show } from "./runs/show.ts";

export function build(edge: Edge): Command {
  const runs = new Command("runs")
    .summary("look at the records")
    .description("Runs on this machine and on the records branch.");
  const group: Group = (name, summary) => runs.command(name).summary(summary).description(summary);
  for (const register of [list, show, diff, push]) register(edge, group);
  return runs;
}
