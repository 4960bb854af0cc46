import { expect, test } from "vitest";
import { pathMatcher } from "../../src/data/index.ts";
import { must } from "../store/contract.ts";

test.each([
  ["data/images", ["data/images", "data/images/a.png", "data/images/deep/.hidden"], ["data/images2", "data"]],
  ["data/images/", ["data/images/a.png"], ["data/imagesa.png"]],
  ["./data/*.csv", ["data/a.csv", "data/.b.csv"], ["data/deep/a.csv", "a.csv"]],
  ["data/**/*.png", ["data/a.png", "data/x/y/a.png"], ["data/a.jpg"]],
  ["data/{a,b}/?.txt", ["data/a/1.txt", "data/b/2.txt"], ["data/c/1.txt", "data/a/11.txt"]],
  ["data/\\[1\\]/*", ["data/[1]/x"], ["data/1/x"]],
  ["!data", ["!data/x"], ["other"]],
])("%s means these paths and not those", (glob, yes, no) => {
  const matches = must(pathMatcher([glob]));
  expect(yes.filter((path) => !matches(path))).toEqual([]);
  expect(no.filter((path) => matches(path))).toEqual([]);
});

test("several globs mean what any of them means", () => {
  const matches = must(pathMatcher(["a/*", "b/**"]));
  expect(["a/1", "a/x/1", "b/x/y", "c"].filter((path) => matches(path))).toEqual(["a/1", "a/x/1", "b/x/y"]);
});

test.each(["", "/etc/*", "../*", "a/../../b", "a\0b", "x".repeat(5000)])("refuses %j", (glob) => {
  expect(pathMatcher(["fine", glob])).toMatchObject({ ok: false, failures: [{ code: "usage" }] });
});
