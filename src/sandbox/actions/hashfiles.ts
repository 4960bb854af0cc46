import { data } from "@actions/expressions";
import type { FunctionDefinition } from "@actions/expressions/funcs/info";
import { createHash } from "node:crypto";
import { globSync, readFileSync, statSync } from "node:fs";
import { isAbsolute, join, relative } from "node:path";

/**
 * SHA-256 over the SHA-256 of each file that matches, in code-unit order of their paths; "" when none does. Patterns
 * are relative to the workspace; one that starts with `!` takes files away again. Files outside do not count.
 */
export function hashFiles(workspace: string, patterns: readonly string[]): string {
  const found = new Set<string>();
  for (const pattern of patterns.flatMap((item) => item.split("\n")).map((item) => item.trim())) {
    if (pattern === "" || pattern.startsWith("#")) continue;
    const negative = pattern.startsWith("!");
    const bare = negative ? pattern.slice(1) : pattern;
    const local = isAbsolute(bare) ? relative(workspace, bare) : bare;
    for (const path of globSync(local, { cwd: workspace })) {
      if (path.startsWith("..")) continue;
      if (negative) found.delete(path);
      else if (statSync(join(workspace, path), { throwIfNoEntry: false })?.isFile() === true) found.add(path);
    }
  }
  if (found.size === 0) return "";
  const whole = createHash("sha256");
  for (const path of [...found].toSorted()) {
    whole.update(
      createHash("sha256")
        .update(readFileSync(join(workspace, path)))
        .digest(),
    );
  }
  return whole.digest("hex");
}

export function hashFilesFunction(workspace: string): FunctionDefinition {
  return {
    name: "hashFiles",
    minArgs: 1,
    maxArgs: 255,
    call: (...args) =>
      new data.StringData(
        hashFiles(
          workspace,
          args.map((item) => item.coerceString()),
        ),
      ),
  };
}
