import fc from "fast-check";
import { expect, test } from "vitest";
import type { Plot } from "../../src/pipeline/index.ts";
import { buildPlot } from "../../src/report/plots/build.ts";
import type { Tables } from "../../src/report/plots/build.ts";
import { imagePlot } from "../../src/report/plots/image.ts";
import { predictionPlots } from "../../src/report/plots/predictions.ts";
import { lttb, POINTS, strideRows } from "../../src/report/plots/sample.ts";
import type { Point } from "../../src/report/plots/sample.ts";
import { plotReportSchema } from "../../src/report/plots/schema.ts";
import type { LinesPlot, PlotReport } from "../../src/report/plots/schema.ts";
import { readTables } from "../../src/report/plots/table.ts";
import { binary, MULTICLASS, predictions, REGRESSION } from "../metrics/helpers.ts";
import { value } from "../helpers/value.ts";

const FILE = "h.csv" as Plot["y"][number]["file"];
const plot = (changes: Partial<Plot> = {}): Plot => ({
  id: "h",
  template: null,
  title: null,
  xLabel: null,
  yLabel: null,
  header: true,
  x: [],
  y: [{ file: FILE, fields: [] }],
  ...changes,
});
const tables = (text: string, file: string = FILE, header = true): Tables =>
  new Map([[file, value(readTables(file, Buffer.from(text), header))]]);
const axis = (field: string): Plot["x"][number] => ({ file: null, field });

test("fewer points keep the first, the last and the peaks; a cloud keeps its density", () => {
  const points = Array.from({ length: 10_000 }, (_, x): Point => [x, x === 4_321 ? 100 : Math.sin(x / 500)]);
  const kept = lttb(points);
  expect(kept).toHaveLength(POINTS);
  expect([kept[0], kept.at(-1)]).toEqual([points[0], points.at(-1)]);
  expect(kept).toContainEqual([4_321, 100]);
  expect(strideRows(10, 4)).toEqual([0, 2, 5, 7]);
  const ofPoints = fc.array(fc.tuple(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.nat()), {
    maxLength: 700,
  });
  fc.assert(
    fc.property(ofPoints, fc.integer({ min: 3, max: 300 }), (any, most) => {
      const [sorted, few] = [any.sort((a, b) => a[0] - b[0]), lttb(any, most)];
      expect(few).toHaveLength(Math.min(most, sorted.length));
      expect(few.every((one, index) => sorted.includes(one) && (index === 0 || one[0] >= few[index - 1]![0]))).toBe(
        true,
      );
    }),
  );
});

test("csv, tsv, json and yaml hold the same table; without a header columns are numbered", () => {
  const rows = [
    { epoch: 1, loss: 0.5 },
    { epoch: 2, loss: 0.25 },
  ];
  const expected = {
    h: [
      [1, 0.5],
      [2, 0.25],
    ],
  };
  for (const [file, text] of [
    ["h.csv", "epoch,loss\n1,0.5\n2,0.25\n"],
    ["h.tsv", "epoch\tloss\n1\t0.5\n2\t0.25\n"],
    ["h.json", JSON.stringify({ roc: rows })],
    ["h.yaml", "- {epoch: 1, loss: 0.5}\n- {epoch: 2, loss: 0.25}\n"],
  ] as const) {
    const y = [{ file: file as Plot["y"][number]["file"], fields: ["loss"] }];
    const drawn = buildPlot(plot({ x: [axis("epoch")], y }), null, tables(text, file)) as LinesPlot;
    expect({ h: drawn.series[0]?.points }, file).toEqual(expected);
    expect(drawn).toMatchObject({ x: "epoch", y: "loss", title: "h", note: null });
  }
  const bare = buildPlot(plot({ x: [axis("0")] }), null, tables("5,1\n6,2\n", FILE, false)) as LinesPlot;
  expect(bare.series[0]?.points).toEqual([
    [5, 1],
    [6, 2],
  ]);
});

test("what is no table, or hostile, is refused with a reason", () => {
  const problem = (file: string, text: string): unknown => readTables(file, Buffer.from(text)).ok;
  expect(problem("h.json", "{")).toBe(false);
  expect(problem("h.csv", 'a,b\n"x')).toBe(false);
  expect(problem("h.yaml", "a: &a [1]\nb: [*a, *c]\n")).toBe(false);
  expect(problem("h.yaml", "x".repeat(2_000_000))).toBe(false);
  const deep = "[".repeat(100_000) + "]".repeat(100_000);
  expect(readTables("h.json", Buffer.from(deep))).toEqual({ ok: true, value: [] });
  expect(value(readTables("h.json", Buffer.from('[{"__proto__": 1, "a": 2}]')))[0]?.columns).toEqual([
    "__proto__",
    "a",
  ]);
});

test("base and head are two series; numbers that are none are left out and told", () => {
  const [base, head] = [tables("step,loss\n2,0.5\n1,0.9\n"), tables("step,loss\n1,0.8\n2,NaN\n3,inf\n4,0.1\n")];
  const drawn = buildPlot(plot({ x: [axis("step")], title: "Loss", yLabel: "nats" }), base, head);
  expect(drawn).toEqual({
    kind: "lines",
    id: "h",
    title: "Loss",
    x: "step",
    y: "nats",
    note: "rows without a finite number are left out.",
    template: "linear",
    diagonal: false,
    series: [
      {
        side: "base",
        name: "",
        points: [
          [1, 0.9],
          [2, 0.5],
        ],
        total: 2,
      },
      {
        side: "head",
        name: "",
        points: [
          [1, 0.8],
          [4, 0.1],
        ],
        total: 2,
      },
    ],
  });
  const words = buildPlot(plot({ x: [axis("day")] }), null, tables("day,loss\nmon,1\ntue,2\n")) as LinesPlot;
  expect(words.series[0]?.points).toEqual([
    [0, 1],
    [1, 2],
  ]);
  expect(words.note).toBe('"day" holds no numbers: the rows are counted.');
  expect(buildPlot(plot({ y: [{ file: FILE, fields: ["none"] }] }), null, head)).toBeNull();
});

test("many columns and many bars are bounded, and that is told", () => {
  const columns = Array.from({ length: 20 }, (_, index) => `c${index}`);
  const wide = tables(`${columns.join(",")}\n${columns.map((_, index) => index).join(",")}\n`);
  const drawn = buildPlot(plot({ y: [{ file: FILE, fields: columns }] }), wide, wide) as LinesPlot;
  expect(drawn.series).toHaveLength(16);
  expect(drawn.note).toBe("12 columns are not shown.");
  const names = Array.from({ length: 100 }, (_, index) => `${index},f${index}`).join("\n");
  const bars = plot({ template: "bar_horizontal_sorted", x: [axis("v")], y: [{ file: FILE, fields: ["f"] }] });
  const many = buildPlot(bars, null, tables(`v,f\n${names}\n`));
  expect(many).toMatchObject({ kind: "bars", note: "70 more are not shown.", x: "v", y: "f" });
  expect((many as { bars: unknown[] }).bars[0]).toEqual({ name: "f99", base: null, head: 99 });
});

test("a confusion plot counts pairs of both sides over the same classes", () => {
  const spec = plot({ template: "confusion", x: [axis("actual")], y: [{ file: FILE, fields: ["predicted"] }] });
  const [base, head] = [tables("actual,predicted\n1,1\n2,1\n10,10\n"), tables("actual,predicted\n1,1\n2,2\n")];
  expect(buildPlot(spec, base, head)).toMatchObject({
    kind: "matrix",
    classes: ["1", "2", "10"],
    base: [
      [1, 0, 0],
      [1, 0, 0],
      [0, 0, 1],
    ],
    head: [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 0],
    ],
  });
});

test("curves of predictions pass through scikit-learn's points", () => {
  // sklearn.metrics: roc_curve([0,0,1,1], [.1,.4,.35,.8], drop_intermediate=False), precision_recall_curve of the same.
  const [labels, scores] = [
    [0, 0, 1, 1],
    [0.1, 0.4, 0.35, 0.8],
  ];
  const head = binary(labels, (row) => scores[row] ?? 0);
  const drawn = predictionPlots(null, head);
  const of = (id: string): LinesPlot => drawn.find((one) => one.id === id) as LinesPlot;
  expect(drawn.map(({ id }) => id)).toEqual(["roc", "precision_recall", "calibration", "confusion"]);
  expect(of("roc").series[0]?.points).toEqual([
    [0, 0],
    [0, 0.5],
    [0.5, 0.5],
    [0.5, 1],
    [1, 1],
  ]);
  expect(of("precision_recall").series[0]?.points).toEqual([
    [0, 1],
    [0.5, 1],
    [0.5, 0.5],
    [1, 2 / 3],
    [1, 0.5],
  ]);
  expect(of("calibration").series[0]?.points).toEqual([
    [0.1, 0],
    [0.35, 1],
    [0.4, 0],
    [0.8, 1],
  ]);
  expect(drawn[3]).toMatchObject({
    classes: ["negative", "positive"],
    base: null,
    head: [
      [2, 0],
      [1, 1],
    ],
  });
});

test("a curve of many rows has few points, each exact, fine where positives are rare", () => {
  const labels = Array.from({ length: 20_000 }, (_, row) => (row % 500 === 0 ? 1 : 0));
  const score = (row: number, label: number): number => ((row * 7919) % 20_011) / 20_011 / (label === 1 ? 1 : 1.5);
  const head = binary(labels, score);
  const plots = predictionPlots(head, head) as LinesPlot[];
  for (const { series } of plots.slice(0, 2)) {
    expect(series.map(({ side }) => side)).toEqual(["base", "head"]);
    expect(series[1]?.points.length).toBeGreaterThan(100);
    expect(series[1]?.points.length).toBeLessThanOrEqual(POINTS + 1);
  }
  for (const [fpr, tpr] of plots[0]?.series[1]?.points.slice(1) ?? []) {
    // Each is a count of rows over all of them, not something in between.
    expect(tpr * 40).toBeCloseTo(Math.round(tpr * 40), 9);
    expect(fpr * 19_960).toBeCloseTo(Math.round(fpr * 19_960), 6);
  }
});

test("several classes make a confusion matrix, numbers make residuals; one class alone makes no curve", async () => {
  const classes = await predictions("id,label,prediction,p_a,p_b\n1,a,a,1,0\n2,b,a,1,0\n3,b,b,0,1\n", MULTICLASS);
  expect(predictionPlots(classes, classes)).toMatchObject([
    {
      kind: "matrix",
      classes: ["a", "b"],
      base: [
        [1, 0],
        [1, 1],
      ],
      head: [
        [1, 0],
        [1, 1],
      ],
    },
  ]);
  const numbers = await predictions("id,label,prediction\n1,2,1.5\n2,3,4\n", REGRESSION);
  expect(predictionPlots(null, numbers)).toMatchObject([
    {
      template: "scatter",
      series: [
        {
          side: "head",
          points: [
            [1.5, 0.5],
            [4, -1],
          ],
        },
      ],
    },
  ]);
  const single = binary([1, 1], () => 0.7);
  expect(predictionPlots(null, single).map(({ id }) => id)).toEqual(["precision_recall", "calibration", "confusion"]);
  expect(predictionPlots(classes, numbers).every((one) => plotReportSchema.safeParse(one).success)).toBe(true);
  expect(predictionPlots(numbers, null)).toEqual([]);
});

test("a picture is what its first bytes say, small, and never an SVG", () => {
  const png = Buffer.from("\x89PNG\r\n\x1A\n more", "latin1");
  const image = (path: string, bytes: Buffer): Extract<PlotReport, { kind: "image" }> =>
    imagePlot(path, null, bytes) as never;
  expect(image("a.png", png)).toMatchObject({ head: `data:image/png;base64,${png.toString("base64")}`, note: null });
  expect(image("a.jpg", png)).toMatchObject({ head: null, note: "it is no image/jpeg." });
  expect(image("a.svg", Buffer.from("<svg onload=alert(1)>")).head).toBeNull();
  expect(image("a.png", Buffer.concat([png, Buffer.alloc(70_000)])).note).toMatch(/more than 64 KiB/);
});
