import { existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { loadDatasets, pullData, statusData } from "../../src/data/index.ts";
import { digestAt, digestOfListing, keepNames } from "../../src/dvc/index.ts";
import { workingTree } from "../../src/git/index.ts";
import { project } from "../pipeline/project.ts";
import { write } from "../git/repository.ts";
import { value } from "../helpers/value.ts";
import { dvcFile, keep, listing, md5, objectPath, remove } from "./project.ts";
import type { Folder } from "./project.ts";

const FOLDER: Folder = { "a.csv": "1\n", "deep/b.csv": "2\n" };
const CONFIG = { ".dvc/config": "", ".gitignore": "/.lockstep\n/data\n" };

/** A repository that tracks `data` (a folder or a text) with DVC; nothing of it is in place. */
function tracking(
  content: string | Folder,
  at: "cache" | "remote" | "nowhere" = "cache",
  more: Record<string, string> = {},
) {
  const name = typeof content === "string" ? md5(content) : `${md5(listing(content))}.dir`;
  const made = project({ ...CONFIG, "data.dvc": dvcFile("data", name), ...more });
  if (at === "cache") keep(join(made.path, ".dvc/cache"), content);
  if (at === "remote") keep(join(made.path, "../remote"), content);
  return made;
}

async function pull(at: ReturnType<typeof project>, overwrite = false): ReturnType<typeof pullData> {
  return pullData(at.context, { stores: [], overwrite });
}

async function states(at: ReturnType<typeof project>): Promise<unknown[]> {
  return value(await statusData(at.context)).map(({ name, state, cached }) => [name, state, cached]);
}

test("a file and a folder are brought from DVC's cache", async () => {
  for (const content of ["rows\n", FOLDER]) {
    using at = tracking(content);
    expect(await states(at)).toEqual([["data", "missing", true]]);
    expect(value(await pull(at))).toMatchObject([{ name: "data", changed: true }]);
    const files = typeof content === "string" ? { data: content } : { "data/a.csv": "1\n", "data/deep/b.csv": "2\n" };
    for (const [path, text] of Object.entries(files)) expect(at.read(path)).toBe(text);
    expect(await states(at)).toEqual([["data", "unchanged", true]]);
    expect(value(await pull(at))).toMatchObject([{ changed: false }]);
  }
});

test("a remote that is a folder serves too, named from .dvc, the local configuration first", async () => {
  using at = tracking(FOLDER, "remote", {
    ".dvc/config":
      "[core]\n    remote = far\n['remote \"far\"']\n    url = ../../nothing\n['remote \"bucket\"']\n    url = s3://b/x\n",
  });
  expect(await pull(at)).toMatchObject({
    failures: [
      { code: "blob-missing", hint: expect.stringMatching(/dvc pull.*s3:\/\/b\/x is not read.*data import/) as string },
    ],
  });
  write(at.path, { ".dvc/config.local": "['remote \"far\"']\n    url = ../../remote # here\n" });
  expect(value(await pull(at))).toMatchObject([{ changed: true }]);
  expect(await states(at)).toEqual([["data", "unchanged", false]]);
});

test("an edit that nobody has is kept; one that DVC's cache has is replaced", async () => {
  using at = tracking("rows\n");
  write(at.path, { data: "edited\n" });
  expect(await states(at)).toEqual([["data", "changed", true]]);
  expect(await pull(at)).toMatchObject({
    failures: [{ code: "data-changed", path: "data", by: "what data.dvc tracks" }],
  });
  expect(at.read("data")).toBe("edited\n");
  keep(join(at.path, ".dvc/cache"), "edited\n");
  expect(value(await pull(at))).toMatchObject([{ changed: true }]);
  expect(at.read("data")).toBe("rows\n");
  write(at.path, { data: "edited again\n" });
  expect(value(await pull(at, true))).toMatchObject([{ changed: true }]);
});

test("wdir, a folder of its own, an executable and an import are read; what git keeps is left to git", async () => {
  using at = project({
    ...CONFIG,
    "sub/one.dvc": dvcFile("../data/one", md5("1"), "  isexec: true\n"),
    "sub/two.dvc": `wdir: ..\nfrozen: true\nmd5: ${md5("x")}\ndeps:\n- path: x\n  repo: {url: 'https://example.com/r', rev_lock: abc}\n${dvcFile("data/two", md5("2"), "  size: 1\n")}`,
    "kept.dvc": dvcFile("kept", md5("k"), "  cache: false\n"),
    kept: "k",
  });
  for (const text of ["1", "2"]) keep(join(at.path, ".dvc/cache"), text);
  value(await pull(at));
  expect([at.read("data/one"), at.read("data/two")]).toEqual(["1", "2"]);
  expect(statSync(join(at.path, "data/one")).mode & 0o111).not.toBe(0);
  expect(value(await loadDatasets(workingTree(at.context))).map(({ name }) => name)).toEqual(["data/one", "data/two"]);
});

test("what DVC 2 wrote is found where DVC 2 put it, and CRLF of texts counts as LF", async () => {
  const text = "a,b\r\n1,2\r\n";
  const name = md5(text.replaceAll("\r\n", "\n"));
  using at = project({ ...CONFIG, "data.dvc": `outs:\n- md5: ${name}\n  path: data\n` });
  write(join(at.path, ".dvc/cache"), { [objectPath(name, 2)]: text });
  expect(value(await pull(at))).toMatchObject([{ dataset: { digest: `md5-dos2unix:${name}` }, changed: true }]);
  expect(at.read("data")).toBe(text);
  write(at.path, { data: text.replaceAll("\r\n", "\n") });
  expect(await states(at)).toEqual([["data", "unchanged", true]]);
});

test("a link that DVC made into its cache is that file; another link is refused", async () => {
  using at = tracking("rows\n");
  symlinkSync(join(at.path, ".dvc/cache", objectPath(md5("rows\n"))), join(at.path, "data"));
  expect(await states(at)).toEqual([["data", "unchanged", true]]);
  remove(at.path, "data");
  symlinkSync("/etc/hosts", join(at.path, "data"));
  expect(await pull(at)).toMatchObject({ failures: [{ code: "unsupported" }] });
});

test("names as Python sorts and spells them", () => {
  // From DVC 3.67: a folder with the files é, a"b, 😀 and \uffee, each holding x.
  const x = md5("x");
  const names = ["é", 'a"b', "\u{1f600}", "\uffee"];
  expect(digestOfListing(new Map(names.map((path) => [path, x])), false)).toBe(
    "md5:48c1f114a672124fb61f0a71ece3545e.dir",
  );
});

/** One repository for all that is refused: nothing of it lasts. */
const shared = project(CONFIG);
afterAll(() => shared[Symbol.dispose]());
beforeEach(() => {
  for (const path of [".dvc/cache", "data", "x.dvc", "y.dvc", "data.lock.json"]) {
    rmSync(join(shared.path, path), { recursive: true, force: true });
  }
});

describe("a damaged or hostile cache", () => {
  test("bytes that are not what they are called are never put into place", async () => {
    using at = tracking("rows\n");
    write(join(at.path, ".dvc/cache"), { [objectPath(md5("rows\n"))]: "other\n" });
    expect(await pull(at)).toMatchObject({ failures: [{ code: "blob-corrupt", actual: `md5:${md5("other\n")}` }] });
    expect(existsSync(join(at.path, "data"))).toBe(false);
  });

  const item = (path: string): string => `{"md5": "${md5("x")}", "relpath": ${JSON.stringify(path)}}`;
  test.each([
    ["a way out", `[${item("../x")}]`, /the path "\.\.\/x"/],
    ["an absolute path", `[${item("/tmp/x")}]`, /the path "\/tmp\/x"/],
    ["git's folder", `[${item("a/.GIT/hooks/x")}]`, /the path/],
    ["a path twice", `[${item("x")}, ${item("x")}]`, /"x" twice/],
    ["a file that is a folder", `[${item("x")}, ${item("x/y")}]`, /a file around it/],
    ["something else", `{"x": 1}`, /not a list/],
    ["no MD5", `[{"md5": "../../x", "relpath": "x"}]`, /not a path and an MD5/],
    ["no JSON", "[", /not JSON/],
  ])("a listing with %s is refused", async (_, text, problem) => {
    const at = shared;
    write(at.path, { "x.dvc": dvcFile("data", `${md5(text)}.dir`) });
    write(join(at.path, ".dvc/cache"), { [objectPath(`${md5(text)}.dir`)]: text });
    keep(join(at.path, ".dvc/cache"), "x");
    expect(await pull(at)).toMatchObject({
      failures: [{ code: "tree-invalid", problem: expect.stringMatching(problem) as string }],
    });
    expect(existsSync(join(at.path, "data"))).toBe(false);
  });

  test("a folder on the way that is a link out of the repository is not followed", async () => {
    using at = project({ ...CONFIG, "x.dvc": dvcFile("away/x", md5("x")) });
    keep(join(at.path, ".dvc/cache"), "x");
    mkdirSync(join(at.path, "../away"));
    symlinkSync("../away", join(at.path, "away"));
    expect(await pull(at)).toMatchObject({ failures: [{ code: "unsupported" }] });
    expect(existsSync(join(at.path, "../away/x"))).toBe(false);
  });
});

test.each([
  ["a path out of the repository", dvcFile("../data", md5("x")), { code: "file-invalid", at: { line: 4 } }],
  ["an absolute path", dvcFile("/data", md5("x")), { code: "file-invalid" }],
  ["git's folder", dvcFile(".git/config", md5("x")), { code: "file-invalid" }],
  ["another hash", dvcFile("data", md5("x")).replace("hash: md5", "hash: blake3"), { code: "unsupported" }],
  ["no hash", "outs:\n- path: data\n", { code: "unsupported", at: { file: "x.dvc", line: 2 } }],
  ["a bad MD5", dvcFile("data", "../../x"), { code: "file-invalid", at: { line: 2 } }],
  ["a stage", `cmd: x\n${dvcFile("data", md5("x"))}`, { code: "unsupported", at: { line: 1 } }],
  ["no YAML", "outs: [", { code: "file-invalid" }],
])("a .dvc file with %s is refused", async (_, text, failure) => {
  write(shared.path, { "x.dvc": text });
  expect(await loadDatasets(workingTree(shared.context))).toMatchObject({ failures: [failure] });
});

test("data has one place", async () => {
  const set = (path: string): string =>
    JSON.stringify({
      lockfileVersion: 1,
      datasets: { d: { path, kind: "file", digest: `sha256:${"0".repeat(64)}`, size: 1, files: 1 } },
    });
  for (const files of [
    { "y.dvc": dvcFile("data", md5("x")) },
    { "y.dvc": dvcFile("data/part", md5("x")) },
    { "data.lock.json": set("data") },
    { "data.lock.json": set("data/part") },
  ]) {
    rmSync(join(shared.path, "y.dvc"), { force: true });
    write(shared.path, { "x.dvc": dvcFile("data", md5("x")), ...files });
    expect(await loadDatasets(workingTree(shared.context))).toMatchObject({ failures: [{ code: "file-invalid" }] });
  }
});

test("content is named as DVC names it, once for each file", async () => {
  using at = project({ ...CONFIG });
  write(at.path, { "data/a.csv": "1\n", "data/deep/b.csv": "2\n" });
  const ask = async (): Promise<unknown> =>
    value(await digestAt(at.context, "data", { cache: "/nowhere", legacy: false }));
  expect(await ask()).toBe(`md5:${md5(listing(FOLDER))}.dir`);
  write(at.path, { "data/a.csv": "3\n" });
  expect(await ask()).toBe(`md5:${md5(listing({ ...FOLDER, "a.csv": "3\n" }))}.dir`);
  await keepNames(at.context);
  expect(readFileSync(join(at.path, ".lockstep/dvc-index"), "utf8")).toMatch(/^lockstep-stat-index\/1\n/);
});
