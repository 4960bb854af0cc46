import type { StageConfig } from "../config/index.ts";
import type { RelativePath } from "../core/index.ts";
import { covers } from "./stage.ts";
import type { Pipeline } from "./stage.ts";

/** A column of a file; `file` is null where the plot's own files are meant. */
export interface Axis {
  readonly file: RelativePath | null;
  readonly field: string;
}

/** One plot as DVC describes it: which columns of which files, and how they are drawn. */
export interface Plot {
  readonly id: string;
  /** Name of a template; null: linear. */
  readonly template: string | null;
  readonly title: string | null;
  readonly xLabel: string | null;
  readonly yLabel: string | null;
  /** False: a csv or tsv file whose columns are called 0, 1, 2 ... */
  readonly header: boolean;
  /** None: the number of the row. As many as there are `y`, or one for all. */
  readonly x: readonly Axis[];
  /** Files, or folders of files, and their columns; no columns: the last one. */
  readonly y: readonly { readonly file: RelativePath; readonly fields: readonly string[] }[];
}

type Labels = Pick<Plot, "template" | "title" | "xLabel" | "yLabel">;

interface PlotFields {
  readonly template?: string | undefined;
  readonly title?: string | undefined;
  readonly x_label?: string | undefined;
  readonly y_label?: string | undefined;
}

function labelsOf({ template, title, x_label, y_label }: PlotFields): Labels {
  return { template: template ?? null, title: title ?? null, xLabel: x_label ?? null, yLabel: y_label ?? null };
}

type StagePlot = Extract<NonNullable<StageConfig["plots"]>[number], object>[string];

/** How a stage has one of its outputs drawn. */
export function stagePlot(path: RelativePath, flags: Partial<StagePlot>): Plot {
  return {
    id: path,
    ...labelsOf(flags),
    header: flags.header ?? true,
    x: flags.x === undefined ? [] : [{ file: null, field: flags.x }],
    y: [{ file: path, fields: flags.y === undefined ? [] : [flags.y] }],
  };
}

type TopPlot = Extract<NonNullable<TopPlots>[number], object>[string];
export type TopPlots = readonly (string | Readonly<Record<string, (PlotFields & PlotAxes) | null>>)[];
interface PlotAxes {
  readonly x?: TopAxis | undefined;
  readonly y?: TopAxis | undefined;
}
type TopAxis = string | readonly string[] | Readonly<Record<string, string | readonly string[]>>;

/** Plots beside the stages. What names no file is drawn from the file that is its name. */
export function topPlots(
  plots: TopPlots,
  place: (path: string, ...where: PropertyKey[]) => readonly RelativePath[],
): Plot[] {
  return plots.flatMap((entry, index) => {
    const named: [string, TopPlot][] = typeof entry === "string" ? [[entry, null]] : Object.entries(entry);
    return named.flatMap(([id, fields]) => topPlot(id, fields ?? {}, (path) => place(path, "plots", index)));
  });
}

function topPlot(
  id: string,
  { x, y, ...labels }: NonNullable<TopPlot>,
  place: (path: string) => readonly RelativePath[],
): Plot[] {
  const files = (axis: TopAxis | undefined): { file: RelativePath; fields: readonly string[] }[] | null => {
    if (axis === undefined || typeof axis === "string" || Array.isArray(axis)) return null;
    return Object.entries(axis).flatMap(([path, fields]) =>
      place(path).map((file) => ({ file, fields: [fields].flat() })),
    );
  };
  const columns = (axis: TopAxis | undefined): readonly string[] =>
    typeof axis === "string" ? [axis] : Array.isArray(axis) ? axis : [];
  const drawn = files(y) ?? place(id).map((file) => ({ file, fields: columns(y) }));
  const across =
    files(x)?.flatMap(({ file, fields }) => fields.map((field): Axis => ({ file, field }))) ??
    columns(x).map((field): Axis => ({ file: null, field }));
  return drawn.length === 0 ? [] : [{ id, ...labelsOf(labels), header: true, x: across, y: drawn }];
}

/** Every plot of a pipeline, those beside the stages first; an output that one of these draws is not drawn twice. */
export function plotsOf({ stages, top }: Pick<Pipeline, "stages" | "top">): Plot[] {
  const drawn = (path: string): boolean => top.plots.some(({ y }) => y.some(({ file }) => covers(path, file)));
  const own = stages.flatMap(({ outs }) => outs.flatMap(({ plot }) => (plot === undefined ? [] : [plot])));
  return [...top.plots, ...own.filter(({ id }) => !drawn(id))];
}
