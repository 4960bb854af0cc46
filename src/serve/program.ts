import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * The server's own program, for a child process or an image: one file that needs nothing but Node and
 * onnxruntime-node. From the sources it is `main.ts` (which Node runs as it is); from a bundle of the actions or of
 * the command line it is the bundle `actions/dist/serve/serve.js`, found upwards. Undefined when nothing was built.
 * @param bundled asks for the bundle even where the sources are at hand: an image has no sources.
 */
export function serverProgram(options: { readonly bundled?: boolean } = {}): string | undefined {
  const here = dirname(fileURLToPath(import.meta.url));
  const source = join(here, "main.ts");
  if (options.bundled !== true && existsSync(source)) return source;
  for (let at = here; ; at = dirname(at)) {
    for (const place of ["serve", join("actions", "dist", "serve")]) {
      const candidate = join(at, place, "serve.js");
      if (existsSync(candidate)) return candidate;
    }
    if (dirname(at) === at) return undefined;
  }
}
