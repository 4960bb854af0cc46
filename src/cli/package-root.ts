import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder Lockstep is installed in, from the sources and from the bundle alike: it holds templates and actions. */
export function packageRoot(): string {
  for (let at = dirname(fileURLToPath(import.meta.url)); ; at = dirname(at)) {
    const manifest = join(at, "package.json");
    if (existsSync(manifest) && (JSON.parse(readFileSync(manifest, "utf8")) as { name?: string }).name === "lockstep") {
      return at;
    }
    if (dirname(at) === at) throw new Error("Lockstep's own package.json is not above its code");
  }
}
