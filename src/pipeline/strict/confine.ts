import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, realpath, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { attempt } from "../../core/index.ts";
import type { Context, Result } from "../../core/index.ts";
import type { Stage } from "../stage.ts";
import { bubblewrapArgs, inWorld } from "./bubblewrap.ts";
import { listed, withMissed } from "./missed.ts";
import { removeRoom, ROOMS } from "./room.ts";
import type { Room } from "./room.ts";
import { straced } from "./strace.ts";
import { toolsAmongTemporary } from "./tools.ts";
import { growTree, harvest } from "./tree.ts";
import type { View } from "./view.ts";

/**
 * A room in which the repository holds what the stage declares and nothing else. Its writes go to a tree of its own, of
 * which only the outputs are taken.
 * @param traced whether strace is there to tell what the stage looked for in vain.
 */
export async function confine(context: Context, stage: Stage, view: View, traced: boolean): Promise<Result<Room>> {
  return attempt(ROOMS, async () => {
    const root = await realpath(context.cwd);
    const place = join(root, ROOMS, randomUUID());
    const [tree, temporary, settings] = [join(place, "tree"), join(place, "tmp"), join(place, "settings")];
    const trace = join(ROOMS, "trace");
    await mkdir(temporary, { recursive: true });
    const mounts = await growTree(root, tree, stage, view);
    const args = bubblewrapArgs(
      {
        root,
        folder: join(root, stage.wdir ?? ""),
        tree,
        temporary,
        shown: [...mounts.shown, ...toolsAmongTemporary(context, root)],
        writable: mounts.writable,
      },
      existsSync,
    );
    await writeFile(settings, args.map((text) => `${text}\0`).join(""));
    return {
      wrap: (command) => inWorld(settings, traced ? straced(command, join(root, trace), "failed") : command),
      async leave(ended) {
        const dropped = await attempt("outputs", () => harvest(root, tree, view, mounts));
        if (!dropped.ok) return dropped;
        if (dropped.value.length > 0) {
          const message = `${stage.name} wrote what is no output of it, and is gone: ${listed(dropped.value)}`;
          context.emit({ type: "note", message });
        }
        return withMissed(context, { stage, view, root, ended, trace: traced ? join(tree, trace) : undefined });
      },
      [Symbol.asyncDispose]: () => removeRoom(place),
    };
  });
}
