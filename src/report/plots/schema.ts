import { z } from "zod";

const point = z.tuple([z.number(), z.number()]);
const frame = {
  id: z.string(),
  title: z.string(),
  /** Names of the axes. */
  x: z.string(),
  y: z.string(),
  /** What has to be known of the drawing: left out, not a number, one side only. */
  note: z.string().nullable(),
};

const seriesSchema = z.strictObject({
  side: z.enum(["base", "head"]),
  /** The column; empty where there is one only. */
  name: z.string(),
  points: z.array(point),
  /** Points there were before some were left out. */
  total: z.number(),
});
export type Series = z.infer<typeof seriesSchema>;

/** How the points are joined: the names of DVC's templates. */
export const LINES = ["linear", "simple", "smooth", "scatter", "scatter_jitter"] as const;
/** Every name of DVC's own; another one names a file of the repository. */
export const TEMPLATES = [...LINES, "confusion", "confusion_normalized", "bar_horizontal", "bar_horizontal_sorted"];

const linesSchema = z.strictObject({
  kind: z.literal("lines"),
  ...frame,
  template: z.enum(LINES),
  /** Drawn from corner to corner, of what has a known ideal or chance line. */
  diagonal: z.boolean(),
  series: z.array(seriesSchema),
  /** As a template of the repository's own draws it: an SVG document, hostile, for an `img` and nothing else. */
  drawing: z.string().optional(),
});
const barsSchema = z.strictObject({
  kind: z.literal("bars"),
  ...frame,
  bars: z.array(z.strictObject({ name: z.string(), base: z.number().nullable(), head: z.number().nullable() })),
});
const matrixSchema = z.strictObject({
  kind: z.literal("matrix"),
  ...frame,
  /** Shares of what was said, as DVC has them: each column is divided by its sum. */
  normalized: z.boolean(),
  /** Of both sides, in the order of the rows (x, what is true) and the columns (y, what was said). */
  classes: z.array(z.string()),
  base: z.array(z.array(z.number())).nullable(),
  head: z.array(z.array(z.number())).nullable(),
});
const imageSchema = z.strictObject({
  kind: z.literal("image"),
  ...frame,
  /** `data:` addresses of png, jpeg, gif or webp. */
  base: z.string().nullable(),
  head: z.string().nullable(),
});

/** One plot, base against head, its points bounded. Its texts are the repository's. */
export const plotReportSchema = z.union([linesSchema, barsSchema, matrixSchema, imageSchema]);
export type PlotReport = z.infer<typeof plotReportSchema>;
export type LinesPlot = z.infer<typeof linesSchema>;
export type BarsPlot = z.infer<typeof barsSchema>;
export type MatrixPlot = z.infer<typeof matrixSchema>;
export type ImagePlot = z.infer<typeof imageSchema>;
