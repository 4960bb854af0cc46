import { readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { nearest } from "../../core/index.ts";
import { kindOf } from "./coded.ts";
import { UndeclaredModule, guardModules } from "./guard.ts";
import type { Job, Problem } from "./job.ts";

type Called = { readonly returned: unknown } | { readonly problem: Problem; readonly stack?: string };

/** Loads the module and calls the function. What the team's code throws is a problem with its place. */
export async function callFunction(job: Job, inputs: Readonly<Record<string, unknown>>): Promise<Called> {
  const { root, module, name, params, deps } = job;
  using _ = guardModules(root, deps);
  try {
    const exported = (await import(pathToFileURL(join(root, module)).href)) as Readonly<Record<string, unknown>>;
    const code = exported[name];
    if (typeof code === "function") return { returned: await code(inputs, params) };
    const functions = Object.keys(exported).filter((key) => typeof exported[key] === "function");
    const near = nearest(name, functions);
    const what = name in exported ? `${kindOf(code)} as "${name}", which is no function` : `no "${name}"`;
    return {
      problem: {
        reason: `cannot start: ${module} exports ${what}`,
        ...(near === undefined ? {} : { hint: `did you mean "${near}"?` }),
      },
    };
  } catch (error) {
    if (error instanceof UndeclaredModule) {
      const hint = `import it by its path in quotes, or name ${error.path} in "deps"`;
      return { problem: { reason: `loads ${error.path}, which its key does not know`, hint } };
    }
    return thrown(root, error);
  }
}

/** Without the frames of this program, below those of the function. */
function ownFrames(stack: string): string {
  const lines = stack.split("\n");
  const end = lines.findIndex((line) => line.includes(import.meta.url));
  return lines.slice(0, end === -1 ? undefined : end).join("\n");
}

/** What was thrown, at the first frame that is the team's own. */
function thrown(root: string, error: unknown): Called {
  if (!(error instanceof Error)) return { problem: { reason: `threw ${kindOf(error)}: ${String(error)}` } };
  const [first = ""] = error.message.split("\n");
  const reason = `threw ${error.name}${first === "" ? "" : `: ${first}`}`;
  const stack = ownFrames(error.stack ?? "");
  for (const [, url, line, column] of stack.matchAll(/(file:\/\/[^\s()]+?):(\d+)(?::(\d+))?\)?$/gm)) {
    const path = fileURLToPath(url!);
    const file = relative(root, path).split(sep).join("/");
    if (file.startsWith("../") || file.split("/").includes("node_modules")) continue;
    const source = readFileSync(path, "utf8").split("\n")[Number(line) - 1]?.replace(/\r$/, "");
    const at = { file, line: Number(line), column: Number(column ?? 1), ...(source === undefined ? {} : { source }) };
    return { problem: { reason, at }, stack };
  }
  return { problem: { reason }, stack };
}
