import { expect, test } from "vitest";
import { cutParams } from "../../../src/pipeline/strict/cut-params.ts";

const YAML = `# All of it.
train:
  lr: 1.0 # as a float
  steps: [{at: 1, to: 2}, {at: 3}]
  deep: {a: 1, b: 2}
a.b: dotted
other: 1e-3
`;

test("what is not declared goes, what is stays as it was written", () => {
  expect(cutParams("p.yaml", YAML, ["train.lr", "train.deep.b", "a.b"])).toBe(
    "# All of it.\ntrain:\n  lr: 1.0 # as a float\n  deep: { b: 2 }\na.b: dotted\n",
  );
  expect(cutParams("p.yaml", YAML, ["train.steps.1.at", "other"])).toBe(
    "# All of it.\ntrain:\n  steps: [ { at: 1, to: 2 }, { at: 3 } ]\nother: 1e-3\n",
  );
  expect(cutParams("p.yaml", YAML, ["train"])).toContain("deep: { a: 1, b: 2 }\n");
  expect(cutParams("p.json", '{"a": {"x": 1.0, "y": [1, 2]}, "b": "é\\n", "c": null}', ["a.x", "b"])).toBe(
    '{ "a": { "x": 1.0 }, "b": "é\\n" }\n',
  );
});

test("what cannot be cut is left whole", () => {
  expect(cutParams("p.toml", "a = 1\nb = 2\n", ["a"])).toBeUndefined();
  expect(cutParams("p.py", "A = 1\n", ["A"])).toBeUndefined();
  expect(cutParams("p.yaml", "base: &base {x: 1}\na: *base\n", ["a"])).toBeUndefined();
  expect(cutParams("p.yaml", "a: [\n", ["a"])).toBeUndefined();
});
