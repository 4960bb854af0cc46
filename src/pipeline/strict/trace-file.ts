import { createReadStream } from "node:fs";
import { posix } from "node:path";
import { createInterface } from "node:readline";
import { isSystemError } from "../../core/index.ts";
import { TraceReader } from "./trace.ts";
import type { Call } from "./trace.ts";

/** The calls of a trace, one at a time: a long stage makes millions. A file that is not there holds none. */
export async function* callsIn(file: string, start: string): AsyncGenerator<Call> {
  const reader = new TraceReader(start);
  try {
    for await (const line of createInterface({ input: createReadStream(file, "latin1"), crlfDelay: Infinity })) {
      const call = reader.read(line);
      if (call !== undefined) yield call;
    }
  } catch (error) {
    if (!isSystemError(error) || error.code !== "ENOENT") throw error;
  }
}

/** A path from the root; undefined of the root itself and of what lies elsewhere. */
export function below(root: string, path: string | undefined): string | undefined {
  if (path === undefined || !path.startsWith(`${root}/`)) return undefined;
  return path.slice(root.length + 1);
}

/**
 * The file whose content counts: of Python's compiled module, the module. Python reads the one in the place of the other
 * when their times match.
 */
export function sourceOf(path: string): string {
  const compiled = /^(.*?)(?:\/)?__pycache__\/([^/]+?)\.[^/.]+(?:\.opt-\w+)?\.pyc(?:\.\d+)?$/.exec(path);
  return compiled === null ? path : posix.join(compiled[1]!, `${compiled[2]!}.py`);
}
