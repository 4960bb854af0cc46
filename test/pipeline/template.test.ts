import { expect, test } from "vitest";
import { Float } from "../../src/config/index.ts";
import { nearest } from "../../src/core/index.ts";

test("floats are spelled as Python spells them", () => {
  const spelled: [number, string][] = [
    [1, "1.0"],
    [-0, "-0.0"],
    [0.1, "0.1"],
    [0.0001, "0.0001"],
    [0.00001, "1e-05"],
    [1.5e-7, "1.5e-07"],
    [123456.789, "123456.789"],
    [1e15, "1000000000000000.0"],
    [1e16, "1e+16"],
    [1.25e22, "1.25e+22"],
    [1e300, "1e+300"],
    [Infinity, "inf"],
    [-Infinity, "-inf"],
    [NaN, "nan"],
  ];
  for (const [value, text] of spelled) expect(new Float(value).toString()).toBe(text);
});

test("the nearest name is one slip away, or two in a long one", () => {
  expect(nearest("lrr", ["lr", "rate"])).toBe("lr");
  expect(nearest("epohcs", ["epochs", "epoch"])).toBe("epochs");
  expect(nearest("learning_rat", ["learning_rate", "learning"])).toBe("learning_rate");
  expect(nearest("seed", ["lr", "rate"])).toBeUndefined();
});
