import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** The folder of an npm package as a file at `start` would load it; undefined when it is not installed. */
export function packageFolder(name: string, start: string): string | undefined {
  let main: string;
  try {
    main = createRequire(start).resolve(name);
  } catch {
    return undefined;
  }
  for (let at = dirname(main); ; at = dirname(at)) {
    if (at.endsWith(join("node_modules", name))) return at;
    if (dirname(at) === at) return undefined;
  }
}

/** A path inside of a package, where both are there. */
export function packageFile(name: string, start: string, inside: string): string | undefined {
  const folder = packageFolder(name, start) ?? packageFolder(name, import.meta.filename);
  const path = folder === undefined ? undefined : join(folder, inside);
  return path !== undefined && existsSync(path) ? path : undefined;
}
