/**
 * Bundles the actions to actions/dist/<name>.js and the command line to dist/cli.js: ESM, what is shared in chunks of
 * its own, not minified, and the same bytes from the same sources. With --if-stale it does nothing when no input is
 * newer than the last build.
 */
import { existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { rolldown } from "rolldown";

const ROOT = join(import.meta.dirname, "..");
const ACTIONS = ["run", "report", "promote", "deploy", "drift"];
/** Native code and what only some commands need is loaded from node_modules, where it is installed at all. */
const EXTERNAL = [/^node:/, "onnxruntime-node", /^@tensorflow\//];
const INPUTS = ["src", "actions", "package-lock.json", "scripts/build.ts"];

interface Bundle {
  readonly dir: string;
  readonly input: Record<string, string>;
}

const BUNDLES: readonly Bundle[] = [
  {
    dir: "actions/dist",
    input: Object.fromEntries(ACTIONS.map((name) => [name, join(ROOT, "actions", name, "index.ts")])),
  },
  { dir: "dist", input: { cli: join(ROOT, "src/cli/main.ts") } },
];

async function build({ dir, input }: Bundle): Promise<void> {
  const bundle = await rolldown({
    input,
    cwd: ROOT,
    platform: "node",
    external: EXTERNAL,
    // `import.meta.url`-relative files do not move with a bundle; none of ours may depend on them without a fallback.
    logLevel: "warn",
    onLog(level, log, handle) {
      if (log.code === "CIRCULAR_DEPENDENCY" || log.code === "EVAL") return;
      if (log.code === "UNRESOLVED_IMPORT") throw new Error(log.message);
      handle(level, log);
    },
  });
  rmSync(join(ROOT, dir), { recursive: true, force: true });
  await bundle.write({
    dir: join(ROOT, dir),
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: "chunks/[name]-[hash].js",
    minify: false,
    sourcemap: false,
    legalComments: "inline",
  });
  await bundle.close();
  // Whoever takes the folder alone (a release branch does) still has modules.
  writeFileSync(join(ROOT, dir, "package.json"), '{ "type": "module" }\n');
  writeFileSync(stampOf(dir), "");
}

function stampOf(dir: string): string {
  return join(ROOT, dir, ".built");
}

function newest(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(
    stat.mtimeMs,
    ...readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.name !== "dist")
      .map((entry) => newest(join(path, entry.name))),
  );
}

function isFresh({ dir }: Bundle): boolean {
  const stamp = stampOf(dir);
  if (!existsSync(stamp)) return false;
  const built = statSync(stamp).mtimeMs;
  return INPUTS.every((path) => newest(join(ROOT, path)) <= built);
}

function sizes(dir: string): string {
  const files = readdirSync(join(ROOT, dir), { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.name.endsWith(".js"),
  );
  const bytes = files.reduce((sum, file) => sum + readFileSync(join(file.parentPath, file.name)).byteLength, 0);
  return `${relative(ROOT, join(ROOT, dir))}: ${files.length} files, ${(bytes / 1e6).toFixed(1)} MB`;
}

const ifStale = process.argv.includes("--if-stale");
for (const bundle of BUNDLES) {
  if (ifStale && isFresh(bundle)) continue;
  await build(bundle);
  process.stdout.write(`${sizes(bundle.dir)}\n`);
}
