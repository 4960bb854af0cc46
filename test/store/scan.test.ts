import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { RelativePath } from "../../src/core/index.ts";
import { snapshot, treeOf } from "../../src/store/snapshot.ts";
import { digestOf } from "../../src/store/digest.ts";
import { FolderIndex } from "../../src/store/folder-index.ts";
import { scanFolder } from "../../src/store/scan.ts";
import { Pool } from "../../src/store/work/pool.ts";
import { contextIn, temporary } from "../git/repository.ts";
import { must } from "./contract.ts";

const data = "data" as RelativePath;
const FOLDERS = 60;
const FILES = 100;

/** Enough folders that threads are asked to help, some inside others. */
function fill(root: string): { path: string; mode: "644"; size: number; digest: ReturnType<typeof digestOf> }[] {
  const entries = [];
  for (let folder = 0; folder < FOLDERS; folder++) {
    const place = folder % 3 === 0 ? `d${folder}` : `d${folder - (folder % 3)}/e${folder}`;
    mkdirSync(join(root, data, place), { recursive: true });
    for (let file = 0; file < FILES; file++) {
      const text = `${folder * FILES + file}`;
      writeFileSync(join(root, data, place, `f${file}`), text);
      const digest = digestOf(Buffer.from(text));
      entries.push({ path: `${place}/f${file}`, mode: "644" as const, size: text.length, digest });
    }
  }
  return entries.sort((a, b) => (a.path < b.path ? -1 : 1));
}

test("a folder looked at by several threads is the tree of its files, and nothing is read at the next look", async () => {
  using folder = temporary();
  const entries = fill(folder.path);
  const expected = must(treeOf(data, entries));
  expect(must(await snapshot(contextIn(folder.path), data))).toEqual(expected);
  const again = contextIn(folder.path);
  const index = await FolderIndex.load(again);
  await using pool = new Pool();
  const scan = must(await scanFolder(again, data, index, pool));
  expect(scan.folders.size).toBe(FOLDERS + 1);
  writeFileSync(join(folder.path, data, "d0/e1/f7"), "other");
  const changed = must(await scanFolder(again, data, index, pool));
  expect(changed.clean).toBe(false);
  const moved = [...changed.folders].filter(([path, seen]) => seen !== index.folder(path)).map(([path]) => path);
  expect(moved).toContain("data/d0/e1");
});

test("links are refused, all at once, whichever thread met them", async () => {
  using folder = temporary();
  fill(folder.path);
  const links = ["d0/e1/link", "d27/link", "d57/e58/link"];
  for (const link of links) symlinkSync("f0", join(folder.path, data, link));
  const refused = await snapshot(contextIn(folder.path), data);
  expect(refused.ok ? [] : refused.failures.map((failure) => ("what" in failure ? failure.what : "")).sort()).toEqual(
    links.map((link) => `data/${link}: a symbolic link in data`),
  );
});

test("a folder that goes away while threads look is said, not thrown", async () => {
  using folder = temporary();
  fill(folder.path);
  const context = contextIn(folder.path);
  const index = await FolderIndex.load(context);
  const gone = join(folder.path, data, "d0");
  /** Removes a folder between its listing and the look at it. */
  class Late extends Pool {
    override async do<T>(task: Parameters<Pool["do"]>[0]): Promise<T> {
      if (task.type === "look") rmSync(gone, { recursive: true, force: true });
      return super.do<T>(task);
    }
    override readonly width = 2;
  }
  await using pool = new Late();
  const scan = await scanFolder(context, data, index, pool);
  expect(scan.ok ? [] : scan.failures).toMatchObject([{ code: "external", what: "data" }]);
});
