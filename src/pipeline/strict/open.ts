import { join } from "node:path";
import { attempt, ok } from "../../core/index.ts";
import type { Context, Failure, Result } from "../../core/index.ts";
import { bubblewrapWorks } from "./bubblewrap.ts";
import { confine } from "./confine.ts";
import { explain } from "./explain.ts";
import { removeRoom, ROOMS } from "./room.ts";
import type { Enter } from "./room.ts";
import { straceWorks } from "./strace.ts";
import { viewOf } from "./view.ts";

/** "confine": what a stage does not declare is not there. "explain": it is, and reading it is told. */
export type Strictness = "confine" | "explain";

/**
 * How stages are run strictly on this machine; a failure where it cannot be done. Under the workspace lock.
 * @param tell is given what a stage that was only watched should have declared; it ends well all the same.
 */
export async function openStrict(
  context: Context,
  how: Strictness,
  tell: (failure: Failure) => void,
): Promise<Result<Enter>> {
  // Of runs that were killed.
  const cleared = await attempt(ROOMS, () => removeRoom(join(context.cwd, ROOMS)));
  if (!cleared.ok) return cleared;
  const traced = await straceWorks(context);
  const works = how === "confine" ? await bubblewrapWorks(context) : traced;
  if (!works.ok) return works;
  return ok(async (stage, reads) => {
    const view = await viewOf(context, stage, reads);
    if (!view.ok) return view;
    return how === "confine"
      ? confine(context, stage, view.value, traced.ok)
      : explain(context, stage, view.value, tell);
  });
}
