import type { Report } from "../../../src/report/index.ts";
import { fullReport, PLOTS } from "../../../test/report/fixture.ts";

export const LARGE = { metrics: 400, slices: 60, plots: 50 };

/** A report with all of these; of the slices' 24,000 rows those that a report keeps, the worst, each with its metric. */
export function largeReport(): Report {
  const full = fullReport();
  const [model] = full.models;
  const [pipeline] = full.pipelines;
  const [row] = model?.metrics ?? [];
  if (model === undefined || pipeline === undefined || row === undefined) throw new Error("nothing to enlarge");
  const many = <T>(count: number, of: (index: number) => T): T[] =>
    Array.from({ length: count }, (_, index) => of(index));
  return {
    ...full,
    models: [
      {
        ...model,
        metrics: many(LARGE.metrics, (index) => ({ ...row, name: `metric_${index}` })),
        slices: {
          rows: many(LARGE.slices, (index) => ({
            ...row,
            name: `metric_${index}`,
            slice: { column: "region", value: `r${index}` },
            examples: 900,
          })),
          left: LARGE.slices * (LARGE.metrics - 1),
          count: LARGE.slices,
          metrics: many(LARGE.metrics, (index) => `metric_${index}`),
          tooMany: [],
          tests: LARGE.slices * LARGE.metrics,
          search: null,
        },
      },
    ],
    pipelines: [
      { ...pipeline, plots: many(LARGE.plots, (index) => ({ ...PLOTS[index % PLOTS.length]!, id: `plot-${index}` })) },
    ],
  };
}
