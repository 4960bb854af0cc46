/**
 * Bundles the actions to actions/dist/<name>.js, the served process to actions/dist/serve/serve.js and the command
 * line to dist/cli.js: ESM, what is shared in chunks, not minified, and the same bytes from the same sources. With
 * --if-stale it does nothing when no input is newer than the last build; --into DIR puts the two folders elsewhere.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { rolldown } from "rolldown";

const ROOT = join(import.meta.dirname, "..");
const { values } = parseArgs({ options: { "if-stale": { type: "boolean" }, into: { type: "string", default: ROOT } } });
const OUT = values.into;
const ACTIONS = ["run", "report", "promote", "deploy", "drift"];
/** The thread that hashes and packs: a file of its own, which the store finds beside its bundle. */
const WORKER = "src/store/work/worker.ts";
/** The program that runs a stage's function, which the pipeline finds beside its bundle. */
const FUNCTION = "src/pipeline/functions/main.ts";
/** The program that draws a plot by a template of the repository's own. */
const TEMPLATE = "src/report/plots/template/main.ts";
/** The program that times a model's network. */
const SPEED = "src/performance/main.ts";
/** Native code, and what reads files of its own package: loaded from node_modules, where it is installed at all. */
const EXTERNAL = [
  /^node:/,
  /^canvas$/,
  /^onnxruntime-node/,
  /^@tensorflow\//,
  /^@actions\/workflow-parser/,
  /^@mermaid-js\//,
];
const INPUTS = ["src", "actions", "package-lock.json", "scripts/build.ts"];

interface Bundle {
  readonly dir: string;
  readonly input: Readonly<Record<string, string>>;
  /** One file without chunks, for a program that is copied elsewhere. */
  readonly single?: boolean;
  /** Folders that code finds beside itself: from -> to. */
  readonly copies?: Readonly<Record<string, string>>;
}

const TARGETS: Readonly<Record<string, readonly Bundle[]>> = {
  "actions/dist": [
    {
      dir: ".",
      input: {
        ...Object.fromEntries(ACTIONS.map((name) => [name, `actions/${name}/index.ts`])),
        worker: WORKER,
        function: FUNCTION,
        speed: SPEED,
        template: TEMPLATE,
      },
    },
    { dir: "serve", input: { serve: "src/serve/main.ts" }, single: true },
  ],
  dist: [
    {
      dir: ".",
      input: { cli: "src/cli/main.ts", worker: WORKER, function: FUNCTION, speed: SPEED, template: TEMPLATE },
      copies: { "src/sandbox/actions/provided": "chunks/provided" },
    },
  ],
};

async function bundle(into: string, { input, single, copies }: Bundle): Promise<void> {
  const build = await rolldown({
    input: { ...input },
    cwd: ROOT,
    platform: "node",
    external: EXTERNAL,
    logLevel: "warn",
    onLog(level, log, handle) {
      // Packages of others: cycles between their modules and `eval` in protobuf's inquire do no harm.
      if (log.code === "CIRCULAR_DEPENDENCY" || log.code === "EVAL") return;
      // A lazy import that pays in one bundle may share its module with an eager one in another.
      if (log.code === "INEFFECTIVE_DYNAMIC_IMPORT") return;
      if (log.code === "UNRESOLVED_IMPORT") throw new Error(log.message);
      handle(level, log);
    },
  });
  await build.write({
    dir: into,
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: "chunks/[name]-[hash].js",
    minify: false,
    sourcemap: false,
    ...(single === true ? { codeSplitting: false } : {}),
  });
  await build.close();
  for (const [from, to] of Object.entries(copies ?? {})) {
    if (existsSync(join(ROOT, from))) cpSync(join(ROOT, from), join(into, to), { recursive: true });
  }
}

/** Builds beside the target and swaps the two, so that whoever runs the old bundle meanwhile has a whole one. */
async function build(target: string): Promise<void> {
  const begun = new Date();
  const fresh = join(OUT, `${target}.new-${process.pid}`);
  const old = join(OUT, `${target}.old-${process.pid}`);
  mkdirSync(fresh, { recursive: true });
  try {
    for (const each of TARGETS[target] ?? []) await bundle(join(fresh, each.dir), each);
    // Whoever takes the folder alone (a release does) still has modules.
    writeFileSync(join(fresh, "package.json"), '{ "type": "module" }\n');
    // A source that is saved while this goes on is newer than the build.
    writeFileSync(join(fresh, ".built"), "");
    utimesSync(join(fresh, ".built"), begun, begun);
    if (existsSync(join(OUT, target))) renameSync(join(OUT, target), old);
    renameSync(fresh, join(OUT, target));
  } finally {
    rmSync(fresh, { recursive: true, force: true });
    rmSync(old, { recursive: true, force: true });
  }
}

function newest(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(
    stat.mtimeMs,
    ...readdirSync(path)
      .filter((name) => !name.startsWith("dist"))
      .map((name) => newest(join(path, name))),
  );
}

function isFresh(target: string, since: number): boolean {
  const stamp = join(OUT, target, ".built");
  return existsSync(stamp) && statSync(stamp).mtimeMs >= since;
}

function sizes(target: string): string {
  const files = readdirSync(join(OUT, target), { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.name.endsWith(".js"),
  );
  const bytes = files.reduce((sum, file) => sum + readFileSync(join(file.parentPath, file.name)).byteLength, 0);
  return `${target}: ${files.length} files, ${(bytes / 1e6).toFixed(1)} MB`;
}

const since =
  values["if-stale"] === true ? Math.max(...INPUTS.map((path) => newest(join(ROOT, path)))) : Number.POSITIVE_INFINITY;
for (const target of Object.keys(TARGETS)) {
  if (isFresh(target, since)) continue;
  await build(target);
  process.stdout.write(`${sizes(target)}\n`);
}
