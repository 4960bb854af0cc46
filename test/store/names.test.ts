import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describe as print } from "../../src/core/index.ts";
import { restore, snapshot } from "../../src/store/index.ts";
import { isImpossibleOnWindows, problemOfNames } from "../../src/store/names.ts";
import { contextIn, write } from "../git/repository.ts";
import { collect, must } from "./contract.ts";
import { contents, DATA, storeRig } from "./rig.ts";

/** Why `data` with these files is refused, all at once. */
async function refusals(files: Readonly<Record<string, string>>): Promise<string[]> {
  using at = storeRig();
  write(at.path, files);
  const taken = await snapshot(at.context, DATA, at.cache);
  expect(await collect(at.cache)).toEqual([]);
  return taken.ok ? [] : taken.failures.map(print);
}

test.each([
  ["two names that differ in case", { "data/Readme": "", "data/README": "" }, /"data\/Readme".*"README"/],
  ["two folders that differ in case", { "data/A/x": "", "data/a/y": "" }, /"data\/a".*"A"/],
  ["a file and a folder that differ in case", { "data/A": "", "data/a/y": "" }, /"data\/a".*"A"/],
  ["two names that differ in composition", { "data/\u00e9": "", "data/e\u0301": "" }, /some file systems/],
  ["a line feed", { "data/a\nb": "" }, /"data\/a\\nb".*plain UTF-8/],
  ["an escape", { "data/\u001b[31m": "" }, /plain UTF-8/],
  ["a delete character", { "data/a\u007f": "" }, /plain UTF-8/],
  ["a backslash", { "data/..\\x": "" }, /plain UTF-8/],
  ["a replacement character, as names that are not UTF-8 are shown", { "data/\ufffd": "" }, /plain UTF-8/],
  ["a git folder", { "data/deep/.git/config": "" }, /"data\/deep\/\.git": a git folder/],
  ["a git folder in other case", { "data/.GIT/config": "" }, /a git folder/],
  ["a git file, as a submodule has", { "data/.git": "gitdir: x" }, /a git folder/],
  ["a name that begins like a drive", { "data/C:x": "" }, /drive/],
])("%s is refused when it is tracked", async (_, files, problem) => {
  const said = await refusals(files);
  expect(said).toHaveLength(1);
  expect(said[0]).toMatch(problem);
});

test("names that are not UTF-8 are refused, of files and of folders, and all problems come at once", async () => {
  using at = storeRig();
  write(at.path, { "data/good": "", "data/A": "", "data/a": "" });
  const folder = Buffer.from(join(at.path, "data/"));
  writeFileSync(Buffer.concat([folder, Buffer.from([0x66, 0xff])]), "");
  mkdirSync(Buffer.concat([folder, Buffer.from([0x64, 0xfe])]));
  writeFileSync(Buffer.concat([folder, Buffer.from([0x64, 0xfe, 0x2f, 0x78])]), "");
  const taken = await snapshot(at.context, DATA, at.cache);
  const said = taken.ok ? [] : taken.failures.map(print);
  expect(said).toHaveLength(3);
  expect(said.filter((text) => text.includes("plain UTF-8"))).toHaveLength(2);
});

test("names that other systems find odd are kept: spaces, dots, quotes, Windows' devices, other scripts", async () => {
  using at = storeRig();
  const names = [
    " ",
    "a ",
    "a.",
    "...",
    "-",
    "~",
    "$HOME",
    "*",
    "?",
    "a|b",
    'say "hi"',
    "it's",
    "con",
    "NUL.txt",
    "COM1",
    "データ",
    "\u{1f600}",
    ".gitignore",
    ".git2",
    "a:b".padStart(5, "x"),
    "x".repeat(255),
  ];
  write(at.path, Object.fromEntries(names.map((name) => [`data/${name}/${name}`, name])));
  const before = contents(join(at.path, "data"));
  const taken = await at.publish();
  at.forget();
  must(await restore(contextIn(at.path), { path: DATA, ...taken }, [at.team]));
  expect(contents(join(at.path, "data"))).toEqual(before);
  expect(must(await snapshot(contextIn(at.path), DATA)).digest).toBe(taken.digest);
});

test("a checkout on Windows names the file that it cannot hold, and writes nothing", async () => {
  using at = storeRig();
  write(at.path, { "data/fine": "", "data/deep/aux.csv": "" });
  const taken = await at.publish();
  at.forget();
  const platform = Object.getOwnPropertyDescriptor(process, "platform")!;
  Object.defineProperty(process, "platform", { ...platform, value: "win32" });
  try {
    expect(await restore(contextIn(at.path), { path: DATA, ...taken }, [at.team])).toMatchObject({
      failures: [{ code: "unsupported", what: expect.stringContaining("data/deep/aux.csv") }],
    });
  } finally {
    Object.defineProperty(process, "platform", platform);
  }
  expect(readdirSync(at.path)).not.toContain("data");
});

test("which paths Windows cannot hold", () => {
  const impossible = [
    "con",
    "CON.txt",
    "a/nul",
    "LPT9",
    "com¹",
    "a<b",
    "a:b",
    "a?",
    "a*/b",
    "a|",
    'a"',
    "a.",
    "a ",
    "a./b",
  ];
  for (const path of impossible) expect(isImpossibleOnWindows(path), path).toBe(true);
  for (const path of ["console", "a.b", "com", "com10", "nullable.txt", "a b", ".a", "data/x-1.csv"]) {
    expect(isImpossibleOnWindows(path), path).toBe(false);
  }
});

test("every problem of a folder is named", () => {
  const names = ["A", "a/", "b\\", ".git/", "fine"];
  expect(problemOfNames("data", names).map((failure) => ("what" in failure ? failure.what : ""))).toEqual([
    expect.stringContaining('"data/a"'),
    expect.stringContaining('"data/b\\\\"'),
    expect.stringContaining('"data/.git"'),
  ]);
});
