import { Command } from "commander";
import type { Edge } from "../command.ts";
import { add } from "./data/add.ts";
import { diff } from "./data/diff.ts";
import { gc } from "./data/gc.ts";
import { importCommand } from "./data/import.ts";
import { list } from "./data/list.ts";
import { log } from "./data/log.ts";
import { merge } from "./data/merge.ts";
import { pull } from "./data/pull.ts";
import { push } from "./data/push.ts";
import { status } from "./data/status.ts";
import type { Group } from "./data/stores.ts";
import { verify } from "./data/verify.ts";

export function build(edge: Edge): Command {
  const data = new Command("data").summary("track, move and check datasets").description("Datasets of data.lock.json.");
  const group: Group = (name, summary) => data.command(name).summary(summary).description(summary);
  for (const register of [add, importCommand, status, diff, log, list, push, pull, merge, verify, gc]) {
    register(edge, group);
  }
  return data;
}
