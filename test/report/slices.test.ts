import { expect, test } from "vitest";
import { renderHtml, renderMarkdown, renderText, reportSchema } from "../../src/report/index.ts";
import type { Report } from "../../src/report/index.ts";
import type { Predictions } from "../../src/metrics/index.ts";
import { input, report, side } from "./fixture.ts";

const VALUES = ["north", "south", "we|st"];
const cut = (from: Predictions, values = VALUES): Predictions => ({
  ...from,
  slices: { region: { values, code: Int32Array.from({ length: from.ids.length }, (_, row) => row % values.length) } },
});
/** The head is wrong on 30 of the first rows of the south besides what the base is wrong on. */
function made(values = VALUES, wrong = 90): Report {
  const [model] = input().models;
  if (model === undefined) throw new Error("no model");
  const base = cut(side(0), values);
  const bad = side(wrong);
  if (bad.task !== "binary" || base.task !== "binary") throw new Error("not binary");
  const south = (row: number): boolean => row % values.length === 1;
  const mixed = <T extends Float64Array | Uint8Array>(from: T, other: ArrayLike<number>): T =>
    from.map((value, row) => (south(row) ? (other[row] as number) : value)) as T;
  const head = {
    ...base,
    digest: bad.digest,
    prediction: mixed(base.prediction, bad.prediction),
    score: base.score === null || bad.score === null ? null : mixed(base.score, bad.score),
  };
  const sides = {
    base: { kind: "measured", predictions: base, numbers: {} },
    head: { predictions: head, numbers: {} },
  };
  return report({ models: [{ ...model, ...sides, gates: [] } as typeof model] });
}

test("the worst slice is told first, with the evidence, and what was found by looking", async () => {
  const shown = made();
  expect(reportSchema.parse(shown)).toEqual(shown);
  const slices = shown.models[0]?.slices;
  expect(slices).toMatchObject({ count: 3, left: 0, tooMany: [], metrics: ["accuracy", "roc_auc", "log_loss"] });
  expect(slices?.rows[0]).toMatchObject({
    slice: { column: "region", value: "south" },
    examples: 100,
    name: "accuracy",
    difference: expect.closeTo(-0.3, 12),
    verdict: "worse",
  });
  expect(slices?.rows.filter(({ verdict }) => verdict === "worse").every(({ slice }) => slice.value === "south")).toBe(
    true,
  );
  expect(slices?.search).toMatchObject({ looked: 3, found: [{ parts: [{ column: "region", value: "south" }] }] });

  const markdown = renderMarkdown(shown);
  expect(markdown).toMatch(/<details open>\n<summary>Slices: 3 compared, 1 worse<\/summary>/);
  expect(markdown).toMatch(/\| `region=south` \| 100 \| `accuracy`\u00a0↑ \| 1 \| \*\*0\.7000\*\* \| −0\.3000 \(/);
  expect(markdown).toContain("**Found by looking (exploration, FDR 5 %).** Change of the log loss");
  expect(markdown).toContain("we&#124;st");
  const html = await renderHtml(shown);
  expect(html).toContain(`<h3>Slices <span class="dim">3 compared, 1 worse</span></h3>`);
  expect(html).toContain("<code>region=we|st</code>");
  expect(renderText(shown)).toMatch(/region=south +100 +accuracy +−0\.3000/);
});

test("folded where nothing is worse; none where nothing changed or nothing is declared; too many values are told", () => {
  expect(renderMarkdown(made(VALUES, 2))).toMatch(/<details>\n<summary>Slices: 3 compared, none shown to be worse/);
  expect(made(VALUES, 0).models[0]?.slices).toBeNull();
  expect(report().models[0]?.slices).toBeNull();
  const many = made(Array.from({ length: 51 }, (_, at) => `id${at}`));
  expect(many.models[0]?.slices).toMatchObject({ count: 0, rows: [], tooMany: ["region"] });
});

test("rows are bounded, and say how many were left out", () => {
  const slices = made(Array.from({ length: 50 }, (_, at) => `v${at}`)).models[0]?.slices;
  expect(slices?.rows).toHaveLength(60);
  expect(slices?.left).toBe(90);
});
