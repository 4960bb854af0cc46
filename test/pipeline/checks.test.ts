import { expect, test } from "vitest";
import { parseChecks } from "../../src/pipeline/checks.ts";
import { value } from "../helpers/value.ts";

const read = (text: string): ReturnType<typeof parseChecks> => parseChecks("checks.json", Buffer.from(text));
const problem = (text: string): string => {
  const result = read(text);
  if (result.ok) throw new Error("it was accepted");
  const [failure] = result.failures;
  if (failure.code !== "file-invalid") throw new Error(failure.code);
  return `${failure.at.line}:${failure.at.column} ${failure.problem}`;
};

test("a checks file is a list of named results", () => {
  const checks = [{ name: "no missing labels", passed: false, found: "3 of 900 rows" }];
  expect(value(read(JSON.stringify({ checks })))).toEqual(checks);
  expect(value(read('{"checks": []}'))).toEqual([]);
});

test("anything else is refused at its place", () => {
  expect(problem('{"checks": [{"name": "a", "passed": "yes", "found": ""}]}')).toMatch(/^1:37 "checks\.0\.passed"/);
  expect(problem('{"checks": [{"name": "a", "passed": true}]}')).toMatch(/"found" is missing/);
  expect(problem('{"checks": [], "more": 1}')).toMatch(/unknown key "more"/);
  const twice = '{"name": "a", "passed": true, "found": ""}';
  expect(problem(`{"checks": [${twice},\n ${twice}]}`)).toBe("2:11 the name of another check of this file");
  expect(problem(" ".repeat(2 ** 20 + 1))).toMatch(/at most 1048576 bytes/);
});
