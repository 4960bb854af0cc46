import { expect, test } from "vitest";
import { LOOKS_KEPT, withLook } from "../../src/records/looks.ts";
import { looksSentence } from "../../src/report/looks.ts";
import type { Digest } from "../../src/core/index.ts";
import { selectRows, testSetOf } from "../../src/metrics/index.ts";
import { runRecord, side } from "./fixture.ts";

test("a test set is its ids and labels: not its rows' order, nor what was predicted", () => {
  const one = side(30);
  expect(testSetOf(side(4))).toBe(testSetOf(one));
  const rows = Int32Array.from({ length: one.ids.length }, (_, row) => one.ids.length - 1 - row);
  expect(testSetOf(selectRows(one, rows))).toBe(testSetOf(one));
  expect(testSetOf(side(30, "other"))).not.toBe(testSetOf(one));
  expect(testSetOf(selectRows(one, rows.slice(1)))).not.toBe(testSetOf(one));
});

test("what so many looks mean is said with numbers", () => {
  const since = "2026-03-02T10:00:00.000Z";
  expect(looksSentence({ count: 1, since, datasets: [] })).toBe("This is the first look at this test set.");
  expect(looksSentence({ count: 3, since, datasets: [] })).toBe(
    "This test set has been looked at 3 times since 2026-03-02.",
  );
  const many = looksSentence({ count: 37, since, datasets: [] });
  expect(many).toMatch(/^This test set has been looked at 37 times since 2026-03-02\. After many looks the best/);
  expect(many).toContain("of 37 changes without any effect up to 1.9 are expected to be called better or worse");
  expect(many).toContain("Only a p below 0.0014 stands");
  const dataset = { name: "customers", version: `sha256:${"1f2e3d".repeat(11)}`, count: 2 };
  expect(looksSentence({ count: 3, since, datasets: [dataset] })).toBe(
    "This test set has been looked at 3 times since 2026-03-02, 2 of them with customers as it is here (1f2e3d1f2e3d).",
  );
  const four = Array.from({ length: 4 }, () => dataset);
  expect(looksSentence({ count: 3, since, datasets: four })).toMatch(/since 2026-03-02\.$/);
});

test("a counter names so many predictions, and counts on", () => {
  const digest = (n: number): Digest => `sha256:${n.toString(16).padStart(64, "0")}` as Digest;
  const look = (n: number): Parameters<typeof withLook>[1] => {
    const startedAt = new Date(Date.UTC(2026, 0, 1) + n * 1000).toISOString();
    return { testSet: digest(0), predictions: digest(n), run: runRecord({ startedAt }) };
  };
  let looks = withLook(undefined, look(1));
  for (let n = 2; n <= LOOKS_KEPT + 5; n++) looks = withLook(looks, look(n));
  expect(looks.count).toBe(LOOKS_KEPT + 5);
  expect(looks.predictions).toHaveLength(LOOKS_KEPT);
  expect(withLook(looks, look(LOOKS_KEPT))).toBe(looks);
  expect([looks.first, looks.last]).toEqual([look(1).run.startedAt, look(LOOKS_KEPT + 5).run.startedAt]);
});
