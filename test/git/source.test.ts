import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { atRevision, CatFile, resolveCommit, workingTree } from "../../src/git/index.ts";
import type { Source } from "../../src/git/index.ts";
import { value } from "../helpers/value.ts";
import { contextIn, makeExecutable, repository, sh, temporary, write } from "./repository.ts";

const files = {
  ".gitignore": "ignored/\n",
  "a.txt": "a\n",
  "data/Z.csv": "z",
  "data/a b.csv": "space",
  'data/deep/ä"q.csv': "quoted",
  "data.txt": "not below data/",
  empty: "",
};

async function both(path: string): Promise<[Source, Source]> {
  const context = contextIn(path);
  const revision = await atRevision(context, "HEAD");
  if (!revision.ok) throw new Error("no HEAD");
  return [workingTree(context), revision.value];
}

test("the working tree and its commit give the same answers", async () => {
  using folder = temporary();
  repository(folder.path, files);
  makeExecutable(join(folder.path, "a.txt"));
  sh(folder.path, "commit", "--quiet", "--all", "--message=executable");
  write(folder.path, { "ignored/x.csv": "no" });
  for (const source of await both(folder.path)) {
    expect(await source.list("")).toEqual({ ok: true, value: Object.keys(files).sort() });
    expect(await source.list("data")).toEqual({
      ok: true,
      value: ["data/Z.csv", "data/a b.csv", 'data/deep/ä"q.csv'],
    });
    expect(await source.list("nowhere")).toEqual({ ok: true, value: [] });
    expect(await source.read('data/deep/ä"q.csv')).toEqual({ ok: true, value: Buffer.from("quoted") });
    expect(await source.read("empty")).toEqual({ ok: true, value: Buffer.alloc(0) });
    expect(await source.read("data")).toEqual({ ok: true, value: undefined });
    expect(await source.read("a.txt/b")).toEqual({ ok: true, value: undefined });
    expect(await source.read("nowhere")).toEqual({ ok: true, value: undefined });
    expect(await source.stat("data")).toEqual({ ok: true, value: "folder" });
    expect(await source.stat("")).toEqual({ ok: true, value: "folder" });
    expect(await source.stat("data/Z.csv")).toEqual({ ok: true, value: "file" });
    expect(await source.stat("dat")).toEqual({ ok: true, value: undefined });
    expect(await source.mode("a.txt")).toEqual({ ok: true, value: "755" });
    expect(await source.mode("empty")).toEqual({ ok: true, value: "644" });
    expect(await source.mode("data")).toEqual({ ok: true, value: undefined });
  }
});

test("the working tree is what is on disk now, the revision what was committed", async () => {
  using folder = temporary();
  repository(folder.path, files);
  rmSync(join(folder.path, "a.txt"));
  write(folder.path, { "data/new.csv": "new", "data/Z.csv": "changed" });
  const [tree, revision] = await both(folder.path);
  expect(await tree.list("data")).toMatchObject({ value: expect.arrayContaining(["data/new.csv"]) });
  expect(await revision.list("data")).toMatchObject({ value: expect.not.arrayContaining(["data/new.csv"]) });
  expect(await tree.list("")).toMatchObject({ value: expect.not.arrayContaining(["a.txt"]) });
  expect(await tree.read("data/Z.csv")).toMatchObject({ value: Buffer.from("changed") });
  expect(await revision.read("data/Z.csv")).toMatchObject({ value: Buffer.from("z") });
  expect(tree.commit).toBeNull();
  expect(revision.commit).toBe(sh(folder.path, "rev-parse", "HEAD"));
});

test("a symbolic link is listed and refused when it is read", async () => {
  using folder = temporary();
  repository(folder.path);
  mkdirSync(join(folder.path, "data"));
  symlinkSync("/etc/hostname", join(folder.path, "data/link"));
  sh(folder.path, "add", "--all");
  sh(folder.path, "commit", "--quiet", "--message=link");
  for (const source of await both(folder.path)) {
    expect(await source.list("data")).toEqual({ ok: true, value: ["data/link"] });
    const read = await source.read("data/link");
    expect(read).toMatchObject({ ok: false, failures: [{ code: "unsupported" }] });
  }
});

test("large and binary files come back whole, many at once", async () => {
  using folder = temporary();
  repository(folder.path);
  const names = Array.from({ length: 50 }, (_, at) => `f${at}`);
  const bytes = names.map((_, at) => Buffer.alloc(at * 4096 + 1, `\n${at} blob 7\n`));
  write(folder.path, Object.fromEntries(names.map((name, at) => [name, bytes[at] as Buffer])));
  sh(folder.path, "add", "--all");
  sh(folder.path, "commit", "--quiet", "--message=many");
  const [, revision] = await both(folder.path);
  const read = await Promise.all(names.map((name) => revision.read(name)));
  for (const [at, result] of read.entries()) {
    expect(result.ok && result.value?.equals(bytes[at] as Buffer), names[at]).toBe(true);
  }
});

test("a revision that is not there, or looks like an option, is unknown", async () => {
  using folder = temporary();
  repository(folder.path);
  const context = contextIn(folder.path);
  for (const revision of ["nope", "--all", "", "a\nb", "HEAD:README.md"]) {
    expect(await resolveCommit(context, revision), revision).toMatchObject({
      ok: false,
      failures: [{ code: "unknown-name", name: revision }],
    });
  }
});

test("outside a repository git's own words are in the failure", async () => {
  using folder = temporary();
  const result = await atRevision(contextIn(folder.path), "HEAD");
  expect(result).toMatchObject({
    ok: false,
    failures: [{ code: "git", stderr: expect.stringContaining("repository") }],
  });
});

test("a process of git that is let go takes no answer of the next one with it", async () => {
  using folder = temporary();
  const objects = new CatFile(contextIn(repository(folder.path)));
  for (let round = 0; round < 10; round++) {
    expect(value(await objects.read("HEAD:README.md"))?.bytes.toString(), `${round}`).toBe("hello\n");
    objects.close();
  }
});
