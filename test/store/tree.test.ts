import { mkdirSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Digest, RelativePath } from "../../src/core/index.ts";
import { atRevision, workingTree } from "../../src/git/index.ts";
import { contentDigests, digestOf, encodeTree, parseTree, snapshot, TREE_LIMITS } from "../../src/store/index.ts";
import type { TreeEntry } from "../../src/store/index.ts";
import { contextIn, makeExecutable, repository, temporary, write } from "../git/repository.ts";
import { must, name256 } from "./contract.ts";
import golden from "./golden/trees.json" with { type: "json" };

const DIGEST = name256(Buffer.from("x"));
const entry = (path: string, more: Partial<TreeEntry> = {}): TreeEntry => ({
  path,
  mode: "644",
  size: 1,
  digest: DIGEST,
  ...more,
});
const manifest = (...entries: readonly unknown[]): Buffer => Buffer.from(JSON.stringify({ entries, treeVersion: 1 }));
/** With members in canonical order, so that only what a test changes is wrong. */
const raw = (path: unknown, more: object = {}): object => {
  const { digest, mode, size, ...rest } = { digest: DIGEST, mode: "644", size: 1, ...more };
  return { digest, mode, path, size, ...rest };
};

describe.each(golden)("golden tree: $name", ({ files, manifest: expected, digest }) => {
  const entries = files.map(({ path, mode, text }): TreeEntry => {
    const bytes = Buffer.from(text);
    return { path, mode: mode as "644", size: bytes.length, digest: name256(bytes) };
  });

  test("is encoded so, in whatever order its files come", () => {
    for (const order of [entries, entries.toReversed()]) {
      expect(must(encodeTree("t", order)).toString()).toBe(expected);
      expect(digestOf(must(encodeTree("t", order)))).toBe(digest);
    }
  });

  test("is read back", () => {
    const read = must(parseTree("t", Buffer.from(expected)));
    expect(read).toHaveLength(entries.length);
    expect(read).toEqual(expect.arrayContaining(entries));
  });

  test("is what a folder, and a commit of it, hash to", async () => {
    using folder = temporary();
    repository(folder.path);
    mkdirSync(join(folder.path, "d"));
    write(join(folder.path, "d"), Object.fromEntries(files.map(({ path, text }) => [path, text])));
    for (const { path, mode } of files) if (mode === "755") makeExecutable(join(folder.path, "d", path));
    const context = contextIn(folder.path);
    const size = entries.reduce((sum, file) => sum + file.size, 0);
    const taken = { kind: "tree", digest, size, files: files.length };
    expect(must(await snapshot(context, "d" as RelativePath))).toEqual(taken);
    expect(must((await contentDigests(context, workingTree(context), [{ path: "d", apart: [] }]))[0]!)).toEqual(taken);
    if (files.length === 0) return; // git knows no empty folder
    repository(folder.path);
    const revision = must(await atRevision(context, "HEAD"));
    expect(must((await contentDigests(context, revision, [{ path: "d", apart: [] }]))[0]!)).toEqual(taken);
  });
});

test("a file's digest is the same from disk, from git and from the bytes; nothing is undefined", async () => {
  using folder = temporary();
  repository(folder.path, { "a/b.txt": "content" });
  const context = contextIn(folder.path);
  const digest = name256(Buffer.from("content"));
  const expected = { kind: "file", digest, size: 7, files: 1 };
  for (const source of [workingTree(context), must(await atRevision(context, "HEAD"))]) {
    expect(must((await contentDigests(context, source, [{ path: "a/b.txt", apart: [] }]))[0]!)).toEqual(expected);
    expect(must((await contentDigests(context, source, [{ path: "a/c.txt", apart: [] }]))[0]!)).toBeUndefined();
  }
  expect(must(await snapshot(context, "a/b.txt" as RelativePath))).toEqual(expected);
});

describe("a hostile manifest is refused", () => {
  const cases: Record<string, Buffer> = {
    "leaves its folder": manifest(raw("../x")),
    "leaves its folder further in": manifest(raw("a/../../x")),
    "is absolute": manifest(raw("/etc/passwd")),
    "is absolute elsewhere": manifest(raw("C:/x")),
    "has a backslash": manifest(raw("..\\x")),
    "has an empty part": manifest(raw("a//b")),
    "has a dot part": manifest(raw("./a")),
    "is empty": manifest(raw("")),
    "holds a NUL": manifest(raw("a\0b")),
    "hides in .git": manifest(raw(".git/hooks/post-checkout")),
    "hides in .Git": manifest(raw("a/.GIT/config")),
    "comes twice": manifest(raw("a"), raw("a")),
    "differs in case alone": manifest(raw("A"), raw("a")),
    "differs in a folder's case alone": manifest(raw("A/x"), raw("a/y")),
    "differs in composition alone": manifest(raw("e\u0301"), raw("\u00e9")),
    "is a file and a folder": manifest(raw("a"), raw("a/b")),
    "is a file and, in other case, a folder": manifest(raw("A"), raw("a/b")),
    "is out of order": manifest(raw("b"), raw("a")),
    "is no text": manifest(raw(7)),
    "has another mode": manifest(raw("a", { mode: "777" })),
    "has no size": manifest(raw("a", { size: undefined })),
    "has a negative size": manifest(raw("a", { size: -1 })),
    "has a broken size": manifest(raw("a", { size: 1.5 })),
    "has too large a size": manifest(raw("a", { size: 2 ** 53 })),
    "adds up to too much": manifest(raw("a", { size: 2 ** 53 - 1 }), raw("b", { size: 2 ** 53 - 1 })),
    "has no digest": manifest(raw("a", { digest: "sha256:123" })),
    "has another member": manifest(raw("a", { link: "/etc" })),
    "is no entry": manifest(null),
    "is a list": Buffer.from("[]"),
    "is not JSON": Buffer.from("{"),
    "is of another version": Buffer.from('{"entries":[],"treeVersion":2}'),
    "has white space": Buffer.from('{"entries": [],"treeVersion":1}'),
    "has a second entries member": Buffer.from('{"entries":[],"entries":[],"treeVersion":1}'),
  };
  test.each(Object.entries(cases))("%s", (_, bytes) => {
    expect(parseTree("t", bytes)).toMatchObject({ ok: false, failures: [{ code: "tree-invalid", tree: "t" }] });
  });

  test("and one with too many entries", () => {
    const one = JSON.stringify(raw("a"));
    const lines = Array.from({ length: TREE_LIMITS.entries + 1 }, (_, at) =>
      one.replace('"a"', `"${String(at).padStart(7, "0")}"`),
    );
    const many = Buffer.from(`{"entries":[${lines.join(",")}],"treeVersion":1}`);
    expect(parseTree("t", many)).toMatchObject({
      failures: [{ problem: `it has more than ${TREE_LIMITS.entries} entries` }],
    });
  });
});

test("a folder that would not survive elsewhere is refused when it is taken", () => {
  expect(encodeTree("data", [entry("Readme"), entry("README")])).toMatchObject({
    failures: [{ code: "tree-invalid", tree: "data", problem: expect.stringContaining('"README"') }],
  });
});

test("any tree that can be written is read back as it was, and no other bytes are taken for it", () => {
  const part = fc.stringMatching(/^[a-z0-9 _\u00e4-]{1,6}$/).filter((text) => text !== "." && text !== "..");
  const entries = fc.uniqueArray(
    fc.record({
      path: fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/")),
      mode: fc.constantFrom("644" as const, "755" as const),
      size: fc.nat(),
      digest: fc.stringMatching(/^sha256:[0-9a-f]{64}$/).map((text) => text as Digest),
    }),
    { selector: ({ path }) => path, maxLength: 12 },
  );
  let written = 0;
  fc.assert(
    fc.property(entries, fc.nat(), fc.integer({ min: 0, max: 255 }), (list, at, byte) => {
      const encoded = encodeTree("t", list);
      if (!encoded.ok) return; // a file and a folder of one name
      written++;
      const read = must(parseTree("t", encoded.value));
      expect(read.map(({ path }) => path)).toEqual(list.map(({ path }) => path).sort());
      expect(must(encodeTree("t", read)).equals(encoded.value)).toBe(true);
      const other = Buffer.from(encoded.value);
      other[at % other.length] = byte;
      const reread = parseTree("t", other);
      // Whatever is accepted is the one spelling of what it says.
      if (reread.ok) expect(must(encodeTree("t", reread.value)).equals(other)).toBe(true);
    }),
    { numRuns: 150 },
  );
  expect(written).toBeGreaterThan(50);
});
