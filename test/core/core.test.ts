import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  all,
  canonicalJson,
  describe as explain,
  fail,
  fileJson,
  isRelativePath,
  ok,
  spawn,
} from "../../src/core/index.ts";

describe("canonicalJson", () => {
  it("does not depend on the order members were added in", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (record) => {
        const turned = Object.fromEntries(Object.entries(record).reverse());
        expect(canonicalJson(turned)).toBe(canonicalJson(record));
        expect(JSON.parse(canonicalJson(record))).toEqual(JSON.parse(JSON.stringify(record)));
      }),
    );
  });

  it("sorts by code unit, not by locale", () => {
    expect(canonicalJson({ b: 1, a: 2, B: 3, ä: 4, "\u{1f600}": 5, "\uffff": 6 })).toBe(
      '{"B":3,"a":2,"b":1,"ä":4,"\u{1f600}":5,"\uffff":6}',
    );
  });

  it("refuses what JSON cannot say", () => {
    expect(() => canonicalJson({ a: [Number.NaN] })).toThrow(RangeError);
  });

  it("writes lockfiles that merge line by line", () => {
    expect(fileJson({ b: 1, a: { d: [], c: "x" } })).toBe(
      '{\n  "a": {\n    "c": "x",\n    "d": []\n  },\n  "b": 1\n}\n',
    );
  });
});

describe("isRelativePath", () => {
  it("takes no path that could leave the folder", () => {
    for (const path of ["", "/a", "..", "a/..", "a/./b", "a//b", "a/", "a\\b", "c:/x", "a\0b", "x".repeat(5000)]) {
      expect(isRelativePath(path), JSON.stringify(path)).toBe(false);
    }
    for (const path of ["a", "a/b.c", "..a/b", "a b/ü", "-x"]) expect(isRelativePath(path), path).toBe(true);
  });
});

describe("failures", () => {
  it("come all at once", () => {
    const failed = fail({ code: "usage", message: "one" }, { code: "interrupted" });
    const result = all([ok(1), failed, ok(2), fail({ code: "usage", message: "two" })]);
    expect(result).toMatchObject({
      ok: false,
      failures: [{ message: "one" }, { code: "interrupted" }, { message: "two" }],
    });
    expect(all([ok(1), ok(2)])).toEqual({ ok: true, value: [1, 2] });
  });

  it("are printed with place, squiggle, log and hint", () => {
    const at = { file: "f.yaml", line: 2, column: 3, length: 3, source: "\tabcdef" };
    expect(explain({ code: "file-invalid", at, problem: "no" })).toBe("f.yaml:2:3: no\n    \tabcdef\n    \t ~~~");
    expect(explain({ code: "stage-failed", stage: "a", reason: "ended with 3", tail: "x\ny" })).toBe(
      'stage "a" ended with 3\n    | x\n    | y',
    );
    expect(explain({ code: "unknown-name", what: "stage", name: "q", known: ["a", "b"] })).toContain(
      "hint: there is a, b",
    );
  });
});

describe("spawn", () => {
  it("gives output, input and exit code", async () => {
    const result = await spawn(process.execPath, ["-e", "process.stdin.pipe(process.stdout); process.exitCode = 7"], {
      input: "hello",
    });
    expect(result).toMatchObject({ exitCode: 7, stderr: "" });
    expect(result.stdout.toString()).toBe("hello");
  });

  it("says why a program could not be started", async () => {
    expect(await spawn("no-such-program-anywhere", [])).toMatchObject({
      exitCode: null,
      stderr: expect.stringContaining("ENOENT") as string,
    });
  });
});
