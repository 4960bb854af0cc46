import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { InferenceSession, Tensor } from "onnxruntime-node";
import { fail, ok } from "../core/index.ts";
import type { Result } from "../core/index.ts";

export type Ort = typeof import("onnxruntime-node");
export type { InferenceSession, Tensor };

/**
 * Loads ONNX Runtime: from where this code is installed, else from `roots` (folders with `node_modules`). It is never
 * bundled, because it is a native library, and never loaded before something is to be served.
 */
export async function loadRuntime(roots: readonly string[]): Promise<Result<Ort>> {
  try {
    return ok(await import("onnxruntime-node"));
  } catch (error) {
    if (!notFound(error)) throw error;
  }
  for (const root of roots) {
    try {
      const path = createRequire(join(root, "package.json")).resolve("onnxruntime-node");
      // oxlint-disable-next-line no-await-in-loop -- the first one found is the one
      const loaded = (await import(pathToFileURL(path).href)) as { default?: Ort } & Ort;
      return ok(loaded.default ?? loaded);
    } catch (error) {
      if (!notFound(error)) throw error;
    }
  }
  const hint = `\`npm install onnxruntime-node\` in ${roots[0] ?? "the repository"}`;
  return fail({ code: "external", what: "onnxruntime-node", problem: "the package is not installed", hint });
}

function notFound(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND";
}
