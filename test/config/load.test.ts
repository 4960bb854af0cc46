import { describe, expect, it } from "vitest";
import { path as pathField } from "../../src/config/fields.ts";
import { modelSchema, parseConfig, settingsSchema, stageSchema } from "../../src/config/index.ts";
import { describe as explain } from "../../src/core/index.ts";
import { z } from "zod";

const pipelineSchema = z.strictObject({ stages: z.record(z.string(), stageSchema) });

function problems(text: string, schema: z.ZodType = pipelineSchema): string[] {
  const result = parseConfig("p.yaml", text, schema);
  return result.ok ? [] : result.failures.map(explain);
}

describe("parseConfig", () => {
  it("gives the value and the place of each part", () => {
    const result = parseConfig("p.yaml", "stages:\n  a:\n    cmd: run\n    deps: [x, y/z]\n", pipelineSchema);
    expect(result.ok).toBe(true);
    if (!result.ok) return;
    expect(result.value.value.stages["a"]?.cmd).toBe("run");
    expect(result.value.at(["stages", "a", "deps", 1])).toMatchObject({ line: 4, column: 15, length: 3 });
    expect(result.value.at(["stages", "a"], { key: true })).toMatchObject({ line: 2, column: 3, length: 1 });
  });

  it("points at broken YAML", () => {
    const [first] = problems("stages:\n  a: {cmd: [x\n");
    expect(first).toMatch(/^p\.yaml:\d+:\d+: /);
  });

  it("tells every problem at once, unknown keys included", () => {
    const found = problems("stages:\n  a:\n    cmd: 3\n    dep: [x]\n    timeout: soon\nmore: 1\n");
    expect(found).toHaveLength(4);
    expect(found.find((text) => text.includes('unknown key "dep"'))).toMatch(
      /^p\.yaml:4:5: .*\n {4} {4}dep: \[x\]\n {8}~~~$/m,
    );
    expect(found.find((text) => text.includes('unknown key "more"'))).toMatch(/^p\.yaml:6:1: /);
    expect(found.find((text) => text.includes("a duration is"))).toMatch(/^p\.yaml:5:14: /);
  });

  it("points at the parent of what is missing", () => {
    const schema = z.strictObject({ a: z.strictObject({ b: z.number(), c: z.string() }) });
    expect(problems("a:\n  b: 1\n", schema)).toEqual([expect.stringMatching(/^p\.yaml:2:3: "c" is missing in "a"/)]);
  });

  it("refuses paths that leave the repository", () => {
    for (const path of ["../x", "/etc/passwd", "a/../../b", "a\\b", "C:/x", "a//b", "./a"]) {
      expect(problems(JSON.stringify({ path }), z.strictObject({ path: pathField })), path).toHaveLength(1);
    }
  });

  it("knows an unfinished merge", () => {
    const text = "stages:\n<<<<<<< HEAD\n  a: {cmd: x}\n=======\n  a: {cmd: y}\n>>>>>>> theirs\n";
    const [only, ...rest] = problems(text);
    expect(rest).toEqual([]);
    expect(only).toMatch(/^p\.yaml:2:1: .*unfinished merge/);
    expect(only).toContain("finish the merge");
  });

  it("refuses duplicate keys", () => {
    expect(problems("stages:\n  a: {cmd: x}\n  a: {cmd: y}\n")[0]).toMatch(/^p\.yaml:3:3: .*unique/i);
  });

  it("bounds aliases that expand without end", () => {
    const bomb = [
      "a: &a [x,x,x,x,x,x,x,x,x]",
      ..."bcdefgh".split("").map((key, index) => {
        const before = "abcdefgh"[index];
        return `${key}: &${key} [${Array.from({ length: 9 }, () => `*${before}`).join(",")}]`;
      }),
    ].join("\n");
    expect(problems(bomb)[0]).toMatch(/alias/i);
  });

  it("explains the alternative of a gate that was meant", () => {
    const model = (gate: string): string =>
      `version: 1\npipeline: p\nfiles: {m.onnx: build/m.onnx}\nevaluation: {predictions: p.csv, task: binary, columns: {id: i, label: l, prediction: p}, metrics: [accuracy]}\ngates:\n  - ${gate}\n`;
    expect(problems(model("{metric: accuracy, min: high}"), modelSchema)[0]).toMatch(/^p\.yaml:6:29: /);
    expect(problems(model("{metric: accuracy, minimum: 1}"), modelSchema)[0]).toMatch(
      /^p\.yaml:6:24: unknown key "minimum"/,
    );
    const said = (gate: string): string | undefined => problems(model(gate), modelSchema)[0];
    expect(said("{metric: accuracy}")).toMatch(/^p\.yaml:6:5: .*a gate on a metric has min, max or max_regression/);
    expect(said("{latency: p95, max: 20}")).toMatch(/^p\.yaml:6:25: "gates\.0\.max"/);
    expect(said("{latency: p95, max: 20 miles}")).toMatch(/a latency is a number and us, ms or s, as in 20ms/);
    expect(said("{latency: p95}")).toMatch(/a latency gate has max or max_ratio/);
    expect(said("{latency: p90, max: 20ms}")).toMatch(/^p\.yaml:6:15: .*"p50"\|"p95"\|"p99"/);
    expect(said("{throughput: {}}")).toMatch(/a throughput gate has min or min_ratio/);
    expect(said("{throughput: {min: 5, per: second}}")).toMatch(/^p\.yaml:6:27: unknown key "per"/);
    expect(said("{card: []}")).toMatch(/^p\.yaml:6:12: "gates\.0\.card"/);
    expect(said('{metric: accuracy, min: 0.1, slice: "*"}')).toMatch(/:41: .*evaluation\.slices; it has none/);
    for (const gate of [
      "{metric: accuracy, max_regression: 0.1, against: production}",
      "{latency: p99, max: 1.5s, max_ratio: 1.2, against: production}",
      "{throughput: {min: 1000}}",
      "{check: no missing labels}",
      "{card: [intended_use]}",
    ])
      expect(problems(model(gate), modelSchema)).toEqual([]);
  });

  it("says which store drivers there are", () => {
    expect(problems("version: 1\nstore: ftp://x\n", settingsSchema)[0]).toMatch(/^p\.yaml:2:8: .*file:/);
  });
});
