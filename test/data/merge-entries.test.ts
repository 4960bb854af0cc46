import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareCodeUnits } from "../../src/core/index.ts";
import { mergeEntries } from "../../src/data/merge-entries.ts";
import { digestOf } from "../../src/store/index.ts";
import type { TreeEntry } from "../../src/store/index.ts";

type Files = Readonly<Record<string, string>>;

/** Files as entries; a content that starts with `!` is executable. */
function tree(files: Files): TreeEntry[] {
  return Object.entries(files)
    .map(([path, text]): TreeEntry => {
      const content = text.replace("!", "");
      const digest = digestOf(Buffer.from(content));
      return { path, mode: text.startsWith("!") ? "755" : "644", size: content.length, digest };
    })
    .sort((a, b) => compareCodeUnits(a.path, b.path));
}

describe("one file at a time", () => {
  test.each<[string, Files, Files, Files, Files]>([
    ["different files added", { a: "1" }, { a: "1", b: "2" }, { a: "1", c: "3" }, { a: "1", b: "2", c: "3" }],
    ["the same file added", {}, { a: "1" }, { a: "1" }, { a: "1" }],
    ["changed on one side", { a: "1" }, { a: "2" }, { a: "1" }, { a: "2" }],
    ["changed alike", { a: "1" }, { a: "2" }, { a: "2" }, { a: "2" }],
    ["deleted on one side", { a: "1", b: "2" }, { b: "2" }, { a: "1", b: "2" }, { b: "2" }],
    ["deleted on both sides", { a: "1", b: "2" }, { b: "2" }, { b: "2" }, { b: "2" }],
    ["bytes on one side, mode on the other", { a: "1" }, { a: "2" }, { a: "!1" }, { a: "!2" }],
    ["renamed on one side, others added", { a: "1" }, { b: "1" }, { a: "1", c: "3" }, { b: "1", c: "3" }],
  ])("%s", (_, base, ours, theirs, merged) => {
    expect(mergeEntries(tree(base), tree(ours), tree(theirs))).toEqual({ entries: tree(merged), conflicts: [] });
  });

  test.each<[string, Files, Files, Files, string]>([
    ["changed and changed", { a: "1" }, { a: "2" }, { a: "3" }, "was changed on both sides"],
    ["changed and deleted", { a: "1" }, { a: "2" }, {}, "was deleted on one side and changed on the other"],
    ["added and added", {}, { a: "2" }, { a: "3" }, "was added on both sides, and differs"],
    ["added with another mode", {}, { a: "2" }, { a: "!2" }, "was added on both sides, and differs"],
  ])("%s is a conflict, which a preference settles", (_, base, ours, theirs, problem) => {
    const [b, o, t] = [tree(base), tree(ours), tree(theirs)];
    expect(mergeEntries(b, o, t).conflicts).toEqual([{ path: "a", problem }]);
    expect(mergeEntries(b, o, t, "ours")).toEqual({ entries: o, conflicts: [] });
    expect(mergeEntries(b, o, t, "theirs")).toEqual({ entries: t, conflicts: [] });
  });

  test.each<[string, Files, Files, string]>([
    ["a file against a folder", { x: "1" }, { "x/y": "2" }, "lies in x, which is a file"],
    [
      "names that only case tells apart",
      { README: "1" },
      { Readme: "2" },
      "and README are the same place on some file systems",
    ],
    [
      "folders that only case tells apart",
      { "A/1": "1" },
      { "a/2": "2" },
      "and A/1 are the same place on some file systems",
    ],
    ["names that only composition tells apart", { "\u00e9": "1" }, { "e\u0301": "2" }, "are the same place"],
  ])("%s cannot live side by side", (_, ours, theirs, problem) => {
    const [o, t] = [tree(ours), tree(theirs)];
    const found = mergeEntries([], o, t);
    expect(found.conflicts).toEqual([{ path: expect.any(String), problem: expect.stringContaining(problem) }]);
    expect(mergeEntries([], o, t, "ours").entries).toEqual(o);
    expect(mergeEntries([], o, t, "theirs").entries).toEqual(t);
  });

  test("every conflict at once, in the order of the paths", () => {
    const found = mergeEntries(tree({ b: "1", a: "1" }), tree({ b: "2", a: "2" }), tree({ b: "3", a: "3" }));
    expect(found.conflicts.map(({ path }) => path)).toEqual(["a", "b"]);
  });
});

describe("any edits", () => {
  const path = fc.constantFrom("a", "b", "c", "d/e", "d/f", "g");
  const files = fc.dictionary(path, fc.constantFrom("1", "2", "3", "!1"));
  const swapped = { ours: "theirs", theirs: "ours" } as const;

  test("the sides can be swapped", () => {
    fc.assert(
      fc.property(files, files, files, fc.constantFrom(undefined, "ours", "theirs"), (base, one, two, prefer) => {
        const [b, o, t] = [tree(base), tree(one), tree(two)];
        const other = prefer === undefined ? undefined : swapped[prefer as "ours"];
        expect(mergeEntries(b, o, t, prefer as "ours")).toEqual(mergeEntries(b, t, o, other));
      }),
    );
  });

  test("edits of different files merge to what doing all of them gives", () => {
    const edits = fc.dictionary(path, fc.option(fc.constantFrom("4", "5", "!6"), { nil: undefined }));
    const apply = (to: Files, by: Readonly<Record<string, string | undefined>>): Files => {
      const all = Object.entries({ ...to, ...by });
      return Object.fromEntries(all.filter((file): file is [string, string] => file[1] !== undefined));
    };
    fc.assert(
      fc.property(files, edits, edits, (base, one, two) => {
        const apart = Object.fromEntries(Object.entries(two).filter(([name]) => !Object.hasOwn(one, name)));
        const merged = mergeEntries(tree(base), tree(apply(base, one)), tree(apply(base, apart)));
        expect(merged).toEqual({ entries: tree(apply(apply(base, one), apart)), conflicts: [] });
      }),
    );
  });

  test("a preference leaves no conflict and no pair of paths that cannot be", () => {
    const odd = fc.dictionary(fc.constantFrom("x", "x/y", "X", "x/Y", "z"), fc.constantFrom("1", "2"));
    const sound = (side: Files): boolean => mergeEntries([], tree(side), []).conflicts.length === 0;
    fc.assert(
      fc.property(odd.filter(sound), odd.filter(sound), odd.filter(sound), (base, one, two) => {
        const merged = mergeEntries(tree(base), tree(one), tree(two), "ours");
        expect(merged.conflicts).toEqual([]);
        expect(mergeEntries([], merged.entries, []).conflicts).toEqual([]);
      }),
    );
  });
});
