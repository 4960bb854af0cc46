/**
 * Collects the garbage of the store `file:../team` of a folder, all of it at once, and kills itself, outright, right
 * after the n-th lasting effect. Arguments: folder, n (or "never").
 */
import { collectGarbage } from "../../src/data/index.ts";
import { openStore } from "../../src/store/index.ts";
import { contextIn } from "../git/repository.ts";
import { must } from "../store/contract.ts";
import { DEFAULTS } from "./gc-rig.ts";

const [folder = "", when = "never"] = process.argv.slice(2);
let effects = 0;
const context = contextIn(folder);
const counting = {
  ...context,
  emit(event: Parameters<typeof context.emit>[0]) {
    if (event.type !== "effect") return;
    effects++;
    if (String(effects) === when) process.kill(process.pid, "SIGKILL");
  },
};
const store = must(openStore(counting, "file:../team"));
must(await collectGarbage(counting, { ...DEFAULTS, store }));
process.stdout.write(String(effects));
