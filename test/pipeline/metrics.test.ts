import { describe as suite, expect, test } from "vitest";
import { parseMetrics } from "../../src/pipeline/metrics.ts";
import { value } from "../helpers/value.ts";

const read = (file: string, text: string): ReturnType<typeof parseMetrics> => parseMetrics(file, Buffer.from(text));

suite("metrics files", () => {
  test("nested numbers get dotted names; what is no number is left out", async () => {
    const text =
      '{"accuracy": 0.97, "per": {"cat": {"f1": 1}, "dog": 2e-3}, "model": "cnn", "ok": true, "none": null, "list": [1]}';
    expect(value(await read("m.json", text))).toEqual({ accuracy: 0.97, "per.cat.f1": 1, "per.dog": 0.002 });
  });

  test("yaml and toml", async () => {
    expect(value(await read("m.yaml", "a: 1\nb: {c: 2.5}\n"))).toEqual({ a: 1, "b.c": 2.5 });
    expect(value(await read("m.toml", "a = 1\n[b]\nc = 2.5\n"))).toEqual({ a: 1, "b.c": 2.5 });
  });

  test.each([
    ["m.json", '{\n  "loss": NaN,\n  "x": [1, -Infinity]\n}', ["2:11", "3:12"]],
    ["m.json", '{"loss": "nan"}', ["1:10"]],
    ["m.json", '{"loss": 1e999}', ["1:10"]],
    ["m.yaml", "loss: .nan\n", ["1:7"]],
    ["m.json", '{"loss": 1,}', ["1:12"]],
    ["m.json", "{'loss': 1}", ["1:2"]],
    ["m.json", '{"loss": 1', ["1:11"]],
    ["m.json", '{"a": 1, "a": 2}', ["1:10"]],
    ["m.json", "[1, 2]", ["1:1"]],
    ["m.json", "", ["1:1"]],
    ["m.toml", "a = \n", ["1:5"]],
  ])("%s with %j is refused with its place", async (file, text, places) => {
    const result = await read(file, text);
    if (result.ok) throw new Error("it was accepted");
    expect(result.failures.map(({ code }) => code)).toEqual(places.map(() => "metrics-invalid"));
    const found = result.failures.map((failure) =>
      "at" in failure ? `${failure.at?.line}:${failure.at?.column}` : "",
    );
    expect(found).toEqual(places);
    const notNumbers = result.failures.filter((one) => "problem" in one && one.problem.endsWith("is not a number"));
    for (const failure of notNumbers) expect(failure.hint).toMatch(/write null, or leave the name out/);
  });

  test("a name that objects have of their own is a name like any other", async () => {
    const text = '{"__proto__": 1, "constructor": 2, "a": {"__proto__": 3}}';
    expect(Object.entries(value(await read("m.json", text)))).toEqual([
      ["__proto__", 1],
      ["constructor", 2],
      ["a.__proto__", 3],
    ]);
  });

  test("a file that is far too large is refused without being read", async () => {
    const result = await parseMetrics("m.json", Buffer.alloc(2 * 1024 * 1024, 32));
    expect(result).toMatchObject({ failures: [{ code: "metrics-invalid" }] });
  });
});
