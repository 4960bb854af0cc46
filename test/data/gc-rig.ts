import { readdirSync, readFileSync, renameSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileJson } from "../../src/core/index.ts";
import type { Digest, Result } from "../../src/core/index.ts";
import { collectGarbage } from "../../src/data/index.ts";
import type { GcOptions, GcReport } from "../../src/data/index.ts";
import { digestBytes } from "../../src/store/digest-table.ts";
import { bodyOf } from "../../src/store/driver.ts";
import type { Key } from "../../src/store/driver.ts";
import { encodeTree, openStore } from "../../src/store/index.ts";
import type { Store } from "../../src/store/index.ts";
import { LayoutBuilder } from "../../src/store/layout.ts";
import { PACK_MAGIC, packIndex } from "../../src/store/pack.ts";
import { contextIn, origin, sh, temporary, write } from "../git/repository.ts";
import { must, name256 } from "../store/contract.ts";

export const DAY = 86_400_000;

export interface Named {
  readonly kind: "file" | "tree";
  readonly digest: Digest;
  /** Every object it needs. */
  readonly keys: readonly Key[];
}

/** A clone of a team's repository, and the team's store beside it. */
export interface GcRig extends Disposable {
  readonly folder: string;
  readonly path: string;
  readonly context: ReturnType<typeof contextIn>;
  readonly store: Store;
  gc(options?: Partial<GcOptions>): Promise<Result<GcReport>>;
}

export function gcRig(): GcRig {
  const folder = temporary();
  origin(folder.path);
  sh(folder.path, "clone", "--quiet", `file://${join(folder.path, "origin.git")}`, "work");
  const path = join(folder.path, "work");
  const context = contextIn(path);
  const store = must(openStore(context, "file:../team"));
  return {
    folder: folder.path,
    path,
    context,
    store,
    gc: async (options) => collectGarbage(context, { ...DEFAULTS, store, ...options }),
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

/** Deletes all that is unneeded at once. */
export const DEFAULTS = { team: true, graceMs: 0, remove: true, pullRequests: true, logged: [] } as const;

/** Stores a tree whose files are blobs, manifest last. */
export async function looseTree(store: Store, files: Readonly<Record<string, string>>): Promise<Named> {
  const keys: Key[] = [];
  const entries = [];
  for (const [path, text] of Object.entries(files)) {
    const digest = must(await store.put(Buffer.from(text)));
    keys.push(keyOf(digest));
    entries.push({ path, mode: "644", size: Buffer.byteLength(text), digest } as const);
  }
  const manifest = must(await store.put(must(encodeTree("tree", entries))));
  return { kind: "tree", digest: manifest, keys: [...keys, keyOf(manifest)] };
}

/**
 * Stores a tree whose files lie in packs: pack, layout, manifest. What `pack` makes lies in the pack beside the files
 * of the tree, so that several trees can share one.
 */
export async function packedTree(
  store: Store,
  files: Readonly<Record<string, string>>,
  pack: Readonly<Record<string, string>> = files,
): Promise<Named> {
  const parts = Object.values(pack).map((text) => ({ digest: name256(Buffer.from(text)), bytes: Buffer.from(text) }));
  const index = packIndex(parts.map(({ digest, bytes }) => ({ digest: digestBytes(digest), length: bytes.length })));
  const packed = must(await store.put(Buffer.concat([PACK_MAGIC, ...parts.map(({ bytes }) => bytes), index])));
  const layout = new LayoutBuilder();
  let offset = PACK_MAGIC.length;
  const wanted = new Set(Object.values(files).map((text) => name256(Buffer.from(text))));
  for (const { digest, bytes } of parts) {
    if (wanted.has(digest)) layout.add(digestBytes(digest), 0, { pack: packed, offset, length: bytes.length });
    offset += bytes.length;
  }
  const entries = Object.entries(files).map(([path, text]) => {
    return { path, mode: "644", size: Buffer.byteLength(text), digest: name256(Buffer.from(text)) } as const;
  });
  const manifest = must(encodeTree("tree", entries));
  const root = name256(manifest);
  const placed = layout.encode();
  must(await store.driver.put(layoutOf(root), bodyOf(placed, name256(placed)), { replace: true }));
  must(await store.put(manifest));
  return { kind: "tree", digest: root, keys: [keyOf(packed), layoutOf(root), keyOf(root)] };
}

export function keyOf(digest: Digest): Key {
  return `blobs/${digest.slice("sha256:".length)}`;
}

export function layoutOf(digest: Digest): Key {
  return `layouts/${digest.slice("sha256:".length)}`;
}

/** The text of a data.lock.json with these datasets. */
export function lockOf(datasets: Readonly<Record<string, Pick<Named, "kind" | "digest">>>): string {
  const entries = Object.entries(datasets).map(([name, { kind, digest }]) => [
    name,
    { path: `data/${name}`, kind, digest, size: 1, files: 1 },
  ]);
  return fileJson({ lockfileVersion: 1, datasets: Object.fromEntries(entries) });
}

/** Commits a data.lock.json with these datasets on the branch that is checked out. */
export function commitLock(path: string, datasets: Parameters<typeof lockOf>[0]): string {
  write(path, { "data.lock.json": lockOf(datasets) });
  sh(path, "add", "data.lock.json");
  sh(path, "commit", "--quiet", "--allow-empty", "--message=data");
  return sh(path, "rev-parse", "HEAD");
}

/** Every blob and layout there is. */
export async function keysIn(store: Store): Promise<Set<Key>> {
  const keys = new Set<Key>();
  for (const kind of ["blobs", "layouts"] as const) {
    for await (const { key } of store.driver.list(kind)) keys.add(key);
  }
  return keys;
}

/** Makes all that a folder holds, and what is condemned in it, as much older as this. */
export function age(folder: string, ms: number): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && entry.name === "condemned") {
      const document = JSON.parse(readFileSync(path, "utf8")) as { objects: Record<string, number> };
      const objects = Object.fromEntries(Object.entries(document.objects).map(([key, since]) => [key, since - ms]));
      writeAnew(path, JSON.stringify({ ...document, objects }));
    }
    const { mtimeMs } = statSync(path);
    utimesSync(path, (mtimeMs - ms) / 1000, (mtimeMs - ms) / 1000);
  }
}

function writeAnew(path: string, text: string): void {
  const { mode } = statSync(path);
  writeFileSync(`${path}.new`, text, { mode });
  renameSync(`${path}.new`, path);
}
