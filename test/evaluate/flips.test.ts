import { expect, test } from "vitest";
import { flipsOf } from "../../src/evaluate/index.ts";
import { BINARY, predictions, REGRESSION } from "../metrics/helpers.ts";

const SHOWN = { ...BINARY, columns: { ...BINARY.columns, preview: ["text"] } };

const side = async (scores: readonly number[], text = (row: number): string => `t${row}`) =>
  predictions(
    `id,label,prediction,score,text\n${scores.map((score, row) => `e${row},1,${score >= 0.5 ? 1 : 0},${score},${text(row)}`).join("\n")}\n`,
    SHOWN,
  );

test("flips lead with the largest change of score, in the file's order where they are equal, with their preview", async () => {
  const flips = flipsOf(await side([0.4, 0.1, 0.4, 0.9, 0.6]), await side([0.6, 0.9, 0.6, 0.9, 0.1]));
  expect(flips?.fixed.examples.map(({ id }) => id)).toEqual(["e1", "e0", "e2"]);
  expect(flips?.broken).toEqual({
    count: 1,
    examples: [{ id: "e4", label: "1", base: "1", head: "0", preview: [{ column: "text", value: "t4" }] }],
  });
});

test("lists and previews are bounded; the count is of all", async () => {
  const rows = Array.from({ length: 300 }, (_, row) => 0.5 + row / 1000);
  const flips = flipsOf(await side(rows.map(() => 0)), await side(rows, () => "🙂".repeat(500)));
  expect(flips?.fixed.count).toBe(300);
  expect(flips?.fixed.examples.map(({ id }) => id)).toEqual(Array.from({ length: 50 }, (_, at) => `e${299 - at}`));
  expect(flips?.fixed.examples[0]?.preview).toEqual([{ column: "text", value: "🙂".repeat(200) }]);
});

test("a regression has no flips", async () => {
  const numbers = await predictions("id,label,prediction\na,1,2\n", REGRESSION);
  expect(flipsOf(numbers, numbers)).toBeNull();
});
