import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { splitOf } from "../../pipelines/digits/split.ts";

const params = { seed: 1, test_share: 0.3, validation_share: 0.1 };
const ids = Array.from({ length: 5000 }, (_, at) => `uci-${String(at).padStart(4, "0")}`);

describe("the split of the digits", () => {
  it("is a function of the id: known ids stay where they are in every version", () => {
    const first = ["uci-0001", "uci-0002", "uci-0003", "uci-0004", "uci-0005", "uci-0006"];
    expect(first.map((id) => splitOf(id, params))).toEqual(["train", "test", "train", "validation", "train", "test"]);
  });

  it("has the shares it is asked for", () => {
    const share = (split: string): number => ids.filter((id) => splitOf(id, params) === split).length / ids.length;
    expect(share("test")).toBeCloseTo(0.3, 1);
    expect(share("validation")).toBeCloseTo(0.1, 1);
    expect(share("train")).toBeCloseTo(0.6, 1);
  });

  it("keeps the test examples when the validation share changes", () => {
    const test = (share: number): string[] =>
      ids.filter((id) => splitOf(id, { ...params, validation_share: share }) === "test");
    expect(test(0.2)).toEqual(test(0.1));
  });

  it("is another one with another seed", () => {
    const moved = ids.filter((id) => splitOf(id, params) !== splitOf(id, { ...params, seed: 2 }));
    expect(moved.length).toBeGreaterThan(ids.length / 4);
  });

  it("puts further pictures of an example where the example is", () => {
    fc.assert(
      fc.property(fc.constantFrom(...ids), fc.stringMatching(/^[a-z0-9-]{0,20}$/), (id, more) => {
        expect(splitOf(`${id}--${more}`, params)).toBe(splitOf(id, params));
      }),
    );
  });

  it("spreads the rows of one request over the splits", () => {
    const rows = Array.from({ length: 100 }, (_, at) => splitOf(`5f0c-11:${at}`, params));
    expect(new Set(rows)).toEqual(new Set(["train", "validation", "test"]));
  });
});
