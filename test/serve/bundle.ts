import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { rolldown } from "rolldown";

const ROOT = resolve(import.meta.dirname, "..", "..");

/** The server's program as one file, built from the sources as they are now; below the project, so it finds packages. */
export async function bundleServer(): Promise<{ program: string } & AsyncDisposable> {
  const cache = join(ROOT, "node_modules", ".cache");
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, "lockstep-serve-"));
  const bundle = await rolldown({
    input: { serve: join(ROOT, "src/serve/main.ts") },
    cwd: ROOT,
    platform: "node",
    external: [/^node:/, /^onnxruntime-node/],
    logLevel: "silent",
  });
  await bundle.write({ dir: folder, format: "esm", codeSplitting: false, entryFileNames: "[name].mjs" });
  await bundle.close();
  return {
    program: join(folder, "serve.mjs"),
    [Symbol.asyncDispose]: async () => rm(folder, { recursive: true, force: true }),
  };
}
