import { ok } from "../../core/index.ts";
import type { Result } from "../../core/index.ts";
import type { Plot } from "../../pipeline/index.ts";
import { buildPlot } from "./build.ts";
import type { Tables } from "./build.ts";
import { noteOf } from "./files.ts";
import type { PlotFile, PlotFiles } from "./files.ts";
import { imagePlot, imageType } from "./image.ts";
import { TEMPLATES } from "./schema.ts";
import type { LinesPlot, PlotReport } from "./schema.ts";
import { readTables } from "./table.ts";
import type { PlotTable } from "./table.ts";
import type { TemplateDrawer } from "./template/draw.ts";

/** Plots of one pipeline that are drawn. */
const MOST = 50;

export interface Gathered {
  readonly plots: PlotReport[];
  /** What could not be drawn, and why. */
  readonly notes: string[];
}

/**
 * Draws the plots of a pipeline from the files of both sides (null: there is no such side). A file that cannot be read
 * is a note, never a failure: plots decide nothing.
 */
export async function gatherPlots(
  declared: readonly Plot[],
  files: { readonly base: PlotFiles | null; readonly head: PlotFiles },
  templates: TemplateDrawer,
): Promise<Gathered> {
  const plots: PlotReport[] = [];
  const notes: string[] = [];
  let left = 0;
  for (const plot of declared) {
    // oxlint-disable-next-line no-await-in-loop -- one plot's files in memory at a time
    const [base, head] = [await open(plot, files.base, notes), await open(plot, files.head, notes)];
    for (const one of split(plot, [...head.keys(), ...base.keys()])) {
      if (plots.length === MOST) {
        left++;
        continue;
      }
      // oxlint-disable-next-line no-await-in-loop
      const drawn = await draw(one, base, head, files.base !== null, notes, templates);
      if (drawn !== null) plots.push(drawn);
    }
  }
  if (left > 0) notes.push(`${left} more plots are not drawn: a report has at most ${MOST} of a pipeline.`);
  return { plots, notes: [...new Set(notes)] };
}

type Files = ReadonlyMap<string, PlotFile>;

async function open({ x, y }: Plot, files: PlotFiles | null, notes: string[]): Promise<Files> {
  const found = new Map<string, PlotFile>();
  const paths = [...y.map(({ file }) => file), ...x.flatMap(({ file }) => (file === null ? [] : [file]))];
  for (const path of files === null ? [] : new Set(paths)) {
    // oxlint-disable-next-line no-await-in-loop -- a look-up each
    const at = await files!.at(path);
    if (at.ok) for (const file of at.value) found.set(file.path, file);
    else notes.push(`The plot ${path} is not drawn: ${noteOf(at)}`);
  }
  return found;
}

/** A plot of a folder is one plot for each file in it. */
function split(plot: Plot, paths: readonly string[]): Plot[] {
  const folders = plot.y.filter(({ file }) => paths.some((path) => path.startsWith(`${file}/`)));
  if (folders.length === 0) return [plot];
  const inside = [...new Set(paths)].filter((path) => folders.some(({ file }) => path.startsWith(`${file}/`)));
  return inside.sort().map((path) => {
    const folder = folders.find(({ file }) => path.startsWith(`${file}/`));
    return { ...plot, id: path, y: [{ file: path as Plot["y"][number]["file"], fields: folder?.fields ?? [] }] };
  });
}

async function draw(
  plot: Plot,
  base: Files,
  head: Files,
  compared: boolean,
  notes: string[],
  templates: TemplateDrawer,
): Promise<PlotReport | null> {
  const [image] = plot.y.map(({ file }) => file).filter((file) => imageType(file) !== undefined);
  if (image !== undefined) {
    const [before, after] = [await bytesOf(base.get(image), notes), await bytesOf(head.get(image), notes)];
    return before === null && after === null ? null : imagePlot(image, before, after);
  }
  const [before, after] = [await tables(plot, base, notes), await tables(plot, head, notes)];
  const made = buildPlot(plot, compared ? before : null, after);
  const drawn = await drawnBy(templates, plot, made, { base: compared ? before : null, head: after });
  if (drawn === null && after.size > 0)
    notes.push(`The plot ${plot.id} is not drawn: the files hold none of its columns.`);
  return drawn;
}

/** By the template of the repository's own that a plot may name; as lines where that cannot be, with the reason. */
async function drawnBy(
  templates: TemplateDrawer,
  plot: Plot,
  made: PlotReport | null,
  tablesOf: { readonly base: Tables | null; readonly head: Tables },
): Promise<PlotReport | null> {
  if (plot.template === null || TEMPLATES.some((name) => name === plot.template)) return made;
  if (made !== null && made.kind !== "lines") return made;
  const first = (side: Tables | null): PlotTable | null => side?.get(plot.y[0]?.file ?? "")?.[0] ?? null;
  const [base, head] = [first(tablesOf.base), first(tablesOf.head)];
  if (base === null && head === null) return made;
  const drawn = await templates({ plot, base, head });
  if (drawn.ok) return { ...(made ?? nothing(plot)), drawing: drawn.value };
  const why = `drawn as lines: ${noteOf(drawn)}`;
  return made === null ? null : { ...made, note: made.note === null ? `${why}.` : `${made.note} ${why}.` };
}

/** What a template draws of columns that are no numbers has no lines. */
function nothing({ id, title, xLabel, yLabel }: Plot): LinesPlot {
  const frame = { id, title: title ?? id, x: xLabel ?? "", y: yLabel ?? "", note: null };
  return { kind: "lines", ...frame, template: "linear", diagonal: false, series: [] };
}

async function tables({ x, y, header }: Plot, files: Files, notes: string[]): Promise<Map<string, PlotTable[]>> {
  const read = new Map<string, PlotTable[]>();
  for (const path of new Set([...y, ...x].flatMap(({ file }) => (file === null ? [] : [file])))) {
    // oxlint-disable-next-line no-await-in-loop -- one file in memory at a time
    const bytes = await bytesOf(files.get(path), notes);
    if (bytes === null) continue;
    const found: Result<PlotTable[]> = bytes.length === 0 ? ok([]) : readTables(path, bytes, header);
    if (found.ok) read.set(path, found.value);
    else notes.push(`The plot ${path} is not drawn: ${noteOf(found)}`);
  }
  return read;
}

async function bytesOf(file: PlotFile | undefined, notes: string[]): Promise<Buffer | null> {
  if (file === undefined) return null;
  const bytes = await file.read();
  if (bytes.ok) return bytes.value;
  notes.push(`The plot ${file.path} is not drawn: ${noteOf(bytes)}`);
  return null;
}
