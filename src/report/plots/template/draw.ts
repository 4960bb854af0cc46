import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { fail, isRelativePath, ok, spawn } from "../../../core/index.ts";
import type { Context, Result } from "../../../core/index.ts";
import type { Source } from "../../../git/index.ts";
import { axisConfig } from "../../page/chart.ts";
import { SCHEMES } from "../../page/style.ts";
import { fillTemplate } from "./fill.ts";
import type { Filling } from "./fill.ts";

const TEMPLATE_BYTES = 64 * 1024;
/** Of a drawing; a page holds dozens. */
const SVG_CHARACTERS = 150_000;
const TIME_MS = 20_000;
const MEMORY_MB = 256;
const DEPTH = 40;

/** Draws a plot by a template of the repository's own as an SVG document; fails where it cannot, and says why. */
export type TemplateDrawer = (filling: Filling) => Promise<Result<string>>;

/** Templates are looked for where DVC does: in `.dvc/plots`, with or without `.json`, then by path. */
export function templatesOf(context: Context, source: Source): TemplateDrawer {
  return async (filling) => {
    const name = filling.plot.template ?? "";
    const broken = (problem: string): Result<never> => fail({ code: "external", what: `template ${name}`, problem });
    let text: string | undefined;
    for (const path of [`.dvc/plots/${name}`, `.dvc/plots/${name}.json`, name]) {
      if (!isRelativePath(path)) continue;
      // oxlint-disable-next-line no-await-in-loop -- the first that is there
      const bytes = await source.read(path);
      if (!bytes.ok) return bytes;
      if (bytes.value === undefined) continue;
      if (bytes.value.length > TEMPLATE_BYTES) return broken(`it has more than ${TEMPLATE_BYTES} bytes`);
      text = bytes.value.toString("utf8");
      break;
    }
    if (text === undefined) return broken("there is no such file in .dvc/plots");
    const template = parse(text);
    if (template === undefined) return broken("it is no Vega-Lite in JSON");
    if (loads(template)) return broken("it loads an address, which a report does not");
    const spec = fillTemplate(template, filling) as Record<string, unknown>;
    const config = spec["config"];
    const merged = { ...axisConfig(), ...(isObject(config) ? config : {}) };
    const drawn = await run(context, { background: null, ...spec, config: merged });
    return drawn.ok ? ok(styled(drawn.value)) : broken(drawn.problem);
  };
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) && depthOf(value) <= DEPTH ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function depthOf(value: unknown): number {
  if (value === null || typeof value !== "object") return 0;
  return 1 + Object.values(value).reduce((most: number, inner) => Math.max(most, depthOf(inner)), 0);
}

function loads(value: unknown): boolean {
  if (value === null || typeof value !== "object") return false;
  return Object.entries(value).some(([key, inner]) => (key === "url" && !Array.isArray(value)) || loads(inner));
}

/** In a process that has no environment, writes nothing, starts nothing and reads the program's own files only. */
async function run(
  { signal }: Context,
  spec: object,
): Promise<{ ok: true; value: string } | { ok: false; problem: string }> {
  const { script, folders } = program();
  const limit = AbortSignal.timeout(TIME_MS);
  const flags = ["--permission", ...folders.map((folder) => `--allow-fs-read=${folder}`)];
  const ended = await spawn(process.execPath, [...flags, `--max-old-space-size=${MEMORY_MB}`, script], {
    env: {},
    input: JSON.stringify(spec),
    signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
  });
  if (limit.aborted) return { ok: false, problem: `it was not drawn in ${TIME_MS / 1000} s` };
  if (ended.exitCode === 1) return { ok: false, problem: ended.stderr.trim().slice(0, 120) };
  if (ended.exitCode !== 0) return { ok: false, problem: `it ended early, as with more than ${MEMORY_MB} MB` };
  const svg = ended.stdout.toString();
  if (svg.length > SVG_CHARACTERS) return { ok: false, problem: "its drawing is too large" };
  return svg.startsWith("<svg ") ? { ok: true, value: svg } : { ok: false, problem: "nothing was drawn" };
}

/** The program's file, beside this one in the sources and beside the bundle when built; what it may read. */
function program(): { script: string; folders: string[] } {
  const places = ["./main.ts", "./template.js", "../template.js"].map((path) => new URL(path, import.meta.url));
  const script = places.map((place) => fileURLToPath(place)).find((place) => existsSync(place));
  if (script === undefined) throw new Error("the program that draws templates is missing from this installation");
  let root = dirname(script);
  while (!existsSync(join(root, "package.json")) && dirname(root) !== root) root = dirname(root);
  const modules = join(root, "node_modules");
  return { script, folders: [realpathSync(root), ...(existsSync(modules) ? [realpathSync(modules)] : [])] };
}

/** The page's colours, which a picture does not have from the page around it. */
function styled(svg: string): string {
  return svg.replace(
    /^<svg [^>]*>/,
    (root) => `${root}<style>${SCHEMES}text{font-family:system-ui,sans-serif}</style>`,
  );
}
