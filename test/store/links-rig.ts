import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { ProgressEvent, RelativePath } from "../../src/core/index.ts";
import { localCache, restore, snapshot } from "../../src/store/index.ts";
import type { LinkMode } from "../../src/store/index.ts";
import { blobKey } from "../../src/store/blob-store.ts";
import { contextIn, repository, temporary } from "../git/repository.ts";
import { must, name256 } from "./contract.ts";

const DATA = "data" as RelativePath;
export const LINKED = Buffer.alloc(1_500_000, 3);

/** A folder with a file that lies singly in the cache, an executable one and a packed one, added and restored. */
export async function checkedOut(
  link: LinkMode,
): Promise<{ root: string; notes: string[]; cached: string; [Symbol.dispose](): void }> {
  const folder = temporary();
  const root = repository(folder.path);
  mkdirSync(join(root, DATA));
  writeFileSync(join(root, "data/single.bin"), LINKED);
  writeFileSync(join(root, "data/program.bin"), Buffer.concat([LINKED, LINKED]));
  chmodSync(join(root, "data/program.bin"), 0o755);
  writeFileSync(join(root, "data/packed.txt"), "small");
  const notes: string[] = [];
  const emit = (event: ProgressEvent): void => void (event.type === "note" && notes.push(event.message));
  const context = { ...contextIn(root), emit };
  const taken = must(await snapshot(context, DATA, localCache(context)));
  rmSync(join(root, DATA), { recursive: true });
  must(await restore(context, { path: DATA, ...taken }, [localCache(context)], link));
  expect(must(await snapshot(context, DATA))).toEqual(taken);
  expect(readFileSync(join(root, "data/single.bin")).equals(LINKED)).toBe(true);
  const cached = localCache(context).driver.pathOf(blobKey(name256(LINKED)));
  return { root, notes, cached, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}
