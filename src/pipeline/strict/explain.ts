import { randomUUID } from "node:crypto";
import { lstat, mkdir, realpath } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { attempt, compareCodeUnits } from "../../core/index.ts";
import type { Context, Failure, Result } from "../../core/index.ts";
import type { Stage } from "../stage.ts";
import { listed, SHOWN } from "./missed.ts";
import { ReadLog } from "./read-log.ts";
import { removeRoom, ROOMS } from "./room.ts";
import type { Room } from "./room.ts";
import { straced } from "./strace.ts";
import { isForeign } from "./tools.ts";
import { callsIn } from "./trace-file.ts";
import type { View } from "./view.ts";

/** A room that is the workspace as it is, watched. */
export async function explain(
  context: Context,
  stage: Stage,
  view: View,
  tell: (failure: Failure) => void,
): Promise<Result<Room>> {
  return attempt(ROOMS, async () => {
    const root = await realpath(context.cwd);
    const place = join(root, ROOMS, randomUUID());
    const trace = join(place, "trace");
    await mkdir(place, { recursive: true });
    return {
      wrap: (command) => straced(command, trace, "all"),
      async leave(ended) {
        if (!ended.ok) return ended;
        const log = new ReadLog(view, stage, [root, context.cwd]);
        const read = await attempt("the trace", async () => {
          for await (const call of callsIn(trace, join(root, stage.wdir ?? ""))) log.add(call);
          return filesOf(root, log.undeclared);
        });
        if (!read.ok) return read;
        const inside = read.value.filter((path) => !isAbsolute(path));
        const foreign = read.value.filter((path) => isAbsolute(path) && isForeign(context, path));
        if (foreign.length > 0) {
          const message = `${stage.name} read outside of the repository, of which no key can tell: ${listed(foreign)}`;
          context.emit({ type: "warning", message });
        }
        const idle = log.untouched();
        if (idle.length > 0) context.emit({ type: "note", message: `${stage.name} did not read ${listed(idle)}` });
        if (inside.length > 0) tell(undeclared(stage, inside));
        return ended;
      },
      [Symbol.asyncDispose]: () => removeRoom(place),
    };
  });
}

/** What is there as a file: folders are opened to be listed, and what was deleted again was the stage's own. */
async function filesOf(root: string, paths: ReadonlySet<string>): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths) {
    const there = await lstat(resolve(root, path)).catch(() => undefined);
    if (there !== undefined && !there.isDirectory()) files.push(path);
  }
  return files.map(stripVTControlCharacters).sort(compareCodeUnits);
}

function undeclared(stage: Stage, paths: readonly string[]): Failure {
  return {
    code: "reads-undeclared",
    at: stage.at([...stage.where, "deps"]),
    stage: stage.name,
    paths: paths.slice(0, SHOWN),
    more: Math.max(0, paths.length - SHOWN),
    hint: `add to its deps:\n${paths.map((path) => `    - ${JSON.stringify(path)}`).join("\n")}`,
  };
}
