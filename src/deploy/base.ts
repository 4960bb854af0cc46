import { cp, mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { attempt, fail, ok, spawn } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { packageFile } from "./packages.ts";
import type { Engine } from "./engine.ts";

/**
 * Builds a base image out of this machine, for where none can be pulled: this Node, the shared libraries that it and
 * ONNX Runtime load, and the certificates. `serving.base_image` names it.
 */
export async function buildBase(context: Context, engine: Engine, tag: string): Promise<Result<string>> {
  const program = await realpath(process.execPath);
  const native = packageFile(
    "onnxruntime-node",
    join(context.cwd, "package.json"),
    `bin/napi-v6/linux/${process.arch}`,
  );
  const files = await librariesOf(context, [
    program,
    ...(native === undefined ? [] : [join(native, "onnxruntime_binding.node"), join(native, "libonnxruntime.so.1")]),
  ]);
  if (!files.ok) return files;
  const folder = await mkdtemp(join(tmpdir(), "lockstep-base-"));
  try {
    const laid = await attempt(folder, async () => {
      const root = join(folder, "root");
      const copy = async (from: string, to: string): Promise<void> => {
        await mkdir(dirname(join(root, to)), { recursive: true });
        await cp(from, join(root, to), { dereference: true, recursive: true });
      };
      await copy(program, "usr/local/bin/node");
      for (const library of files.value) {
        // oxlint-disable-next-line no-await-in-loop -- a dozen small files
        await copy(library, library.slice(1));
      }
      await copy("/etc/ssl/certs/ca-certificates.crt", "etc/ssl/certs/ca-certificates.crt").catch(() => {});
      await mkdir(join(root, "tmp"), { mode: 0o777, recursive: true });
      await mkdir(join(root, "etc"), { recursive: true });
      await writeFile(join(root, "etc/passwd"), "root:x:0:0:root:/:/\nnobody:x:65534:65534:nobody:/:/\n");
      await writeFile(join(root, "etc/group"), "root:x:0:\nnogroup:x:65534:\n");
      const recipe = ["FROM scratch", "COPY root/ /", "ENV PATH=/usr/local/bin:/usr/bin:/bin", 'ENTRYPOINT ["node"]'];
      await writeFile(join(folder, "Containerfile"), `${recipe.join("\n")}\n`);
    });
    if (!laid.ok) return laid;
    const built = await engine.build(folder, tag);
    return built.ok ? ok(tag) : built;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Absolute paths of the libraries that the loader would map for these files, and of the loader. */
async function librariesOf(context: Context, files: readonly string[]): Promise<Result<string[]>> {
  const found = new Set<string>();
  for (const file of files) {
    // oxlint-disable-next-line no-await-in-loop -- three
    const { exitCode, stdout, stderr } = await spawn("ldd", [file], { env: context.env });
    if (exitCode !== 0) return fail({ code: "external", what: `\`ldd ${file}\``, problem: stderr.trim() });
    for (const [, path] of stdout.toString().matchAll(/(?:=>\s*)?(\/\S+)\s+\(0x/g)) {
      // The runtime's own library travels with its package.
      if (path !== undefined && !basename(path).startsWith("libonnxruntime")) found.add(path);
    }
  }
  return ok([...found].sort());
}
