import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "..");
const FEATURES = [
  "data",
  "pipeline",
  "metrics",
  "evaluate",
  "report",
  "registry",
  "deploy",
  "serve",
  "profile",
  "monitor",
  "performance",
];
const FOUNDATION = ["statistics", "tables", "onnx", "git", "store", "records", "config", "github", "dvc"];

/** Room -> the rooms it may import; a feature only by its `index.ts`. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  config: ["core"],
  statistics: ["core"],
  tables: ["core"],
  onnx: ["core"],
  git: ["core"],
  github: ["core"],
  store: ["core", "config", "git", "github"],
  records: ["core", "config", "git", "github", "store"],
  dvc: ["core", "config", "git", "store"],
  ...Object.fromEntries(FEATURES.map((feature) => [feature, ["core", ...FOUNDATION, ...FEATURES]])),
  sandbox: ["core", ...FOUNDATION, ...FEATURES],
  cli: ["core", ...FOUNDATION, ...FEATURES, "sandbox"],
  actions: ["core", ...FOUNDATION, ...FEATURES],
};

/** The edges: the only places that may touch the process, the clock and the console. */
const EDGE = /^(src\/cli\/|actions\/|scripts\/|bin\/)/;
/** Programs that are started on their own (a child process or a container's entry) are edges too. */
const ENTRY = /\/(main|worker|entry)(-[a-z]+)?\.ts$/;
const TOUCHES = /\bprocess\.(env|cwd|argv|exit\b)|\bDate\.now\(|\bnew Date\(\)|\bconsole\./;

function files(folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter((file) => !file.includes("/dist/"));
}

const sources = [...files("src"), ...files("actions")];

function code(file: string): string {
  const text = readFileSync(join(root, file), "utf8");
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|[^:])\/\/.*$/gm, "$1");
}

function imports(file: string): string[] {
  const found = code(file).matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g);
  const target = (path: string): string =>
    relative(root, resolve(root, dirname(file), path))
      .split(sep)
      .join("/");
  // The project's manifest is open to all: it says the version.
  return [...found].map((match) => target(match[1]!)).filter((path) => path !== "package.json");
}

function room(file: string): string {
  const [top, second] = file.split("/");
  return top === "src" ? second! : top!;
}

describe("the import rule", () => {
  it("has something to judge", () => {
    expect(sources.length).toBeGreaterThan(20);
    expect(sources.flatMap(imports).length).toBeGreaterThan(40);
  });

  it("lets arrows point one way", () => {
    const wrong = sources.flatMap((file) =>
      imports(file)
        .filter((target) => room(target) !== room(file) && !(MAY_IMPORT[room(file)] ?? []).includes(room(target)))
        .map((target) => `${file} -> ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it("makes no circle of rooms", () => {
    const rooms = new Map<string, Set<string>>();
    for (const file of sources) {
      const targets = imports(file)
        .map(room)
        .filter((target) => target !== room(file));
      rooms.set(room(file), new Set([...(rooms.get(room(file)) ?? []), ...targets]));
    }
    // Taking away, again and again, the rooms that need none of the rest leaves exactly the circles.
    for (let before = -1; before !== rooms.size;) {
      before = rooms.size;
      for (const [name, needs] of rooms) if (![...needs].some((need) => rooms.has(need))) rooms.delete(name);
    }
    expect([...rooms.keys()]).toEqual([]);
  });

  it("opens a feature through its index only", () => {
    const wrong = sources.flatMap((file) =>
      imports(file)
        .filter((target) => FEATURES.includes(room(target)) && room(target) !== room(file))
        .filter((target) => !/^src\/[a-z]+\/index\.ts$/.test(target))
        .map((target) => `${file} -> ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it("keeps the process, the clock and the console in the edges", () => {
    const wrong = sources
      .filter((file) => !EDGE.test(file) && !ENTRY.test(file))
      .flatMap((file) =>
        code(file)
          .split("\n")
          .filter((line) => TOUCHES.test(line))
          .map((line) => `${file}: ${line.trim()}`),
      );
    expect(wrong).toEqual([]);
  });
});
