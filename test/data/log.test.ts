import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { addData, loadDataLock, logData, saveDataLock } from "../../src/data/index.ts";
import { atRevision, workingTree } from "../../src/git/index.ts";
import { contextIn, repository, sh, temporary, write } from "../git/repository.ts";
import { must } from "../store/contract.ts";

interface Rig extends Disposable {
  readonly path: string;
  readonly context: ReturnType<typeof contextIn>;
  /** Gives a dataset this content and commits the lockfile. */
  readonly version: (name: string, text: string) => Promise<void>;
}

function rig(): Rig {
  const folder = temporary();
  const path = repository(join(folder.path, "r"));
  const context = contextIn(path);
  const version: Rig["version"] = async (name, text) => {
    write(path, { [`data/${name}`]: text });
    must(await addData(context, { path: `data/${name}` }));
    sh(path, "add", "--all");
    sh(path, "commit", "--quiet", `--message=${name} is ${text}`);
  };
  return { path, context, version, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

test("the commits that changed a dataset, newest first, each against the one before", async () => {
  using at = rig();
  await at.version("a", "1");
  await at.version("b", "other");
  await at.version("a", "333");
  const lock = must(await loadDataLock(workingTree(at.context)));
  const { a: _, ...rest } = lock.datasets;
  must(await saveDataLock(at.context, { ...lock, datasets: rest }));
  sh(at.path, "commit", "--quiet", "--all", "--message=no a");
  const found = must(await logData(at.context, "a"));
  expect(found).toMatchObject({ name: "a", shallow: false });
  expect(found.versions).toMatchObject([
    { subject: "no a", dataset: null, change: { files: -1, bytes: -3 } },
    { subject: "a is 333", author: "Ada", dataset: { size: 3, files: 1 }, change: { files: 0, bytes: 2 } },
    { subject: "a is 1", dataset: { size: 1 }, change: { files: 1, bytes: 1 } },
  ]);
  expect(found.versions[0]?.commit).toBe(sh(at.path, "rev-parse", "HEAD"));
});

test("versions of two branches are both there, and a merge that takes one side is no version", async () => {
  using at = rig();
  await at.version("a", "1");
  sh(at.path, "checkout", "--quiet", "-b", "other");
  await at.version("a", "22");
  sh(at.path, "checkout", "--quiet", "main");
  await at.version("b", "apart");
  const ours = must(await loadDataLock(workingTree(at.context)));
  sh(at.path, "merge", "--quiet", "--no-commit", "--strategy=ours", "other");
  const theirs = must(await loadDataLock(must(await atRevision(at.context, "other"))));
  must(await saveDataLock(at.context, { ...ours, datasets: { ...ours.datasets, ...theirs.datasets } }));
  sh(at.path, "commit", "--quiet", "--all", "--message=merged");
  const subjects = async (name: string): Promise<string[]> =>
    must(await logData(at.context, name)).versions.map(({ subject }) => subject);
  expect(await subjects("a")).toEqual(["a is 22", "a is 1"]);
  expect(await subjects("b")).toEqual(["b is apart"]);
});

test("a commit whose lockfile cannot be read is a warning, and what is not known to any commit is told", async () => {
  using at = rig();
  expect(await logData(at.context, "a")).toMatchObject({ failures: [{ code: "unknown-name", known: [] }] });
  await at.version("a", "1");
  writeFileSync(join(at.path, "data.lock.json"), '{"lockfileVersion": 7}');
  sh(at.path, "commit", "--quiet", "--all", "--message=broken");
  rmSync(join(at.path, "data.lock.json"));
  await at.version("a", "2");
  expect(must(await logData(at.context, "a")).versions.map(({ subject }) => subject)).toEqual(["a is 2", "a is 1"]);
  expect(at.context.events).toContainEqual({ type: "warning", message: expect.stringContaining("cannot be read") });
  write(at.path, { "data/new": "n" });
  must(await addData(at.context, { path: "data/new" }));
  expect(await logData(at.context, "new")).toMatchObject({
    failures: [{ code: "unknown-name", name: "new", hint: expect.stringContaining("commit the lockfile") }],
  });
  expect(await logData(at.context, "toString")).toMatchObject({ failures: [{ known: ["a", "new"] }] });
});

test("a shallow clone says that it knows only a part", async () => {
  using at = rig();
  await at.version("a", "1");
  await at.version("a", "2");
  sh(at.path, "clone", "--quiet", "--depth=1", `file://${at.path}`, "../clone");
  const found = must(await logData(contextIn(join(at.path, "../clone")), "a"));
  expect(found).toMatchObject({ shallow: true, versions: [{ subject: "a is 2" }] });
});

test("a thousand commits", async () => {
  using at = rig();
  const lock = (size: number): string =>
    `{"lockfileVersion":1,"datasets":{"a":{"path":"data/a","kind":"file","digest":"sha256:${String(size).padStart(64, "0")}","size":${size},"files":1}}}`;
  const commits = Array.from({ length: 1000 }, (_, index) => {
    const text = lock(index);
    return `commit refs/heads/main\ncommitter A <a@b> ${index} +0000\ndata 1\nx\nM 644 inline data.lock.json\ndata ${text.length}\n${text}\n`;
  });
  const { execFileSync } = await import("node:child_process");
  execFileSync("git", ["fast-import", "--quiet", "--force"], { cwd: at.path, input: commits.join("") });
  expect(must(await logData(at.context, "a")).versions).toHaveLength(1000);
});
