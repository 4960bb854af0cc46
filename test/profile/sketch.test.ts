import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseProfile, profileJson, sketchTable } from "../../src/profile/index.ts";
import type { ProfileColumn } from "../../src/profile/index.ts";
import { QuantileSketch, binOf, quantileEdges } from "../../src/profile/index.ts";
import { value } from "../helpers/value.ts";

const column = (csv: string, name: string): ProfileColumn =>
  value(sketchTable(csv)).columns.find((each) => each.name === name)!;

describe("sketchTable", () => {
  it("describes numbers", () => {
    expect(column("x\n1\n2\n2\n\nNaN\n5e0\n", "x")).toEqual({
      name: "x",
      type: "numeric",
      count: 4,
      nulls: 1,
      min: 1,
      max: 5,
      mean: 2.5,
      std: expect.closeTo(1.5, 12),
      edges: [1.5, 3.5],
      bins: [1, 2, 1],
      categories: [
        ["2", 2],
        ["1", 1],
        ["5e0", 1],
      ],
    });
  });

  it("describes categories, whatever they are called", () => {
    expect(column("a,b\n__proto__,1\nconstructor,1\n__proto__,\n,1\n", "a")).toEqual({
      name: "a",
      type: "categorical",
      count: 3,
      nulls: 1,
      categories: [
        ["__proto__", 2],
        ["constructor", 1],
      ],
      other: 0,
    });
    const profile = value(sketchTable("__proto__,toString\n1,x\n"));
    expect(value(parseProfile(profileJson(profile)))).toEqual(profile);
  });

  it("takes one word for a reason to take a column for text", () => {
    expect(column("x\n1\n2\nabout 3\n", "x")).toMatchObject({ type: "categorical", count: 3 });
    expect(column("x\n1\n0x10\n", "x")).toMatchObject({ type: "categorical" });
    expect(column("x\n1e999\n", "x")).toMatchObject({ type: "categorical" });
    expect(column("x,y\n,1\n,1\n", "x")).toEqual({
      name: "x",
      type: "categorical",
      count: 0,
      nulls: 2,
      categories: [],
      other: 0,
    });
  });

  it("stays small: many values fill twenty bins, many categories are counted together", () => {
    const rows = Array.from({ length: 30_000 }, (_, i) => `${(i * 7919) % 30_000},c${i}`);
    const csv = `x,c\n${rows.join("\n")}\n`;
    const x = column(csv, "x");
    if (x.type !== "numeric") throw new Error("x is numeric");
    expect(x.bins).toHaveLength(20);
    expect(x.bins.reduce((a, b) => a + b)).toBe(30_000);
    for (const bin of x.bins) expect(Math.abs(bin - 1500)).toBeLessThan(60);
    expect(x.categories).toBeUndefined();
    const c = column(csv, "c");
    if (c.type !== "categorical") throw new Error("c is categorical");
    expect(c.categories).toHaveLength(200);
    expect(c.other).toBe(29_800);
    expect(profileJson(value(sketchTable(csv))).length).toBeLessThan(10_000);
  });

  it("is a function of the text", () => {
    const csv = readFileSync(join(import.meta.dirname, "../../data/digits/digits.csv"));
    const first = profileJson(value(sketchTable(csv)));
    expect(profileJson(value(sketchTable(csv)))).toBe(first);
    expect(JSON.parse(first)).toMatchObject({ profileVersion: 1, rows: 1797 });
  });

  it.each([
    ["", 1, "the table is empty"],
    ["a,b\n", 1, "no rows"],
    ["a,a\n1,2\n", 1, 'column "a" is there twice'],
    ["a,b\n1,2\n3\n", 3, "Invalid Record Length"],
    ['a\n"1\n', 2, "Quote Not Closed"],
  ])("refuses %j", (csv, line, problem) => {
    expect(sketchTable(csv, "build/p.csv")).toMatchObject({
      failures: [
        { code: "file-invalid", at: { file: "build/p.csv", line }, problem: expect.stringContaining(problem) },
      ],
    });
  });

  it("refuses a stored profile that is none", () => {
    expect(parseProfile('{"profileVersion":2,"rows":1,"columns":[]}').ok).toBe(false);
    expect(parseProfile('{"profileVersion":1,"rows":1,"columns":[{"name":"x","type":"odd"}]}').ok).toBe(false);
  });
});

describe("quantiles", () => {
  it("are exact while they fit, and within a percent of the rank after that", () => {
    const sketch = new QuantileSketch();
    const count = 300_000;
    for (let i = 0; i < count; i++) sketch.add((i * 7919) % count);
    const weighted = sketch.weighted();
    expect(weighted.length).toBeLessThan(40_000);
    expect(weighted.reduce((sum, [, weight]) => sum + weight, 0)).toBe(count);
    for (const [i, edge] of quantileEdges(weighted, 20).entries()) {
      expect(Math.abs(edge / count - (i + 1) / 20)).toBeLessThan(0.01);
    }
  });

  it("put every value into the one bin whose edges hold it", () => {
    const sorted = fc.uniqueArray(fc.integer({ min: -50, max: 50 })).map((edges) => edges.toSorted((a, b) => a - b));
    fc.assert(
      fc.property(sorted, fc.integer({ min: -60, max: 60 }), (edges, x) => {
        const bin = binOf(edges, x);
        expect(bin === 0 || edges[bin - 1]! < x).toBe(true);
        expect(bin === edges.length || x <= edges[bin]!).toBe(true);
      }),
    );
  });
});
