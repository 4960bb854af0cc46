/**
 * Runs the pipeline `demo` of a folder and kills itself, outright, right after the n-th lasting effect.
 * Arguments: folder, n (or "never").
 */
import { contextIn } from "../git/repository.ts";
import { runDemo } from "./project.ts";

const [folder = "", when = "never"] = process.argv.slice(2);
let effects = 0;
const context = contextIn(folder);
await runDemo(
  {
    ...context,
    emit(event) {
      if (event.type !== "effect") return;
      effects++;
      if (String(effects) === when) process.kill(process.pid, "SIGKILL");
    },
  },
  { jobs: 1 },
);
process.stdout.write(String(effects));
