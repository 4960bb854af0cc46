import type { Context } from "../core/index.ts";

/** Below this many bytes a task takes no time, and needs no bar. */
const SHORT = 2 * 1024 * 1024;

/** Tells how far a task over so many bytes is; what is counted beyond them (a retry) does not show. */
export function byteProgress(context: Context, task: string, total: number): (more: number) => void {
  let done = 0;
  return (more) => {
    done = Math.min(total, done + more);
    if (total > SHORT) context.emit({ type: "progress", task, unit: "bytes", done, total });
  };
}
