import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Digest, RelativePath } from "../../src/core/index.ts";
import { blobStore } from "../../src/store/blob-store.ts";
import { copyOutputs, localCache, openStore, snapshot } from "../../src/store/index.ts";
import type { Driver, Key, LocalStore, Snapshot, Store } from "../../src/store/index.ts";
import { contextIn, temporary } from "../git/repository.ts";
import { must } from "./contract.ts";

export const MiB = 1024 * 1024;
export const DATA = "data" as RelativePath;

/** Bytes that look random and are the same everywhere. */
export function stream(seed: string, size: number): Buffer {
  return createHash("shake128", { outputLength: size }).update(seed).digest();
}

/** A working copy in `repository` with its cache, and a team's store beside it. */
export interface StoreRig extends Disposable {
  readonly path: string;
  readonly context: ReturnType<typeof contextIn>;
  readonly cache: LocalStore;
  readonly team: Store;
  /** Takes `data` into the cache and sends it to the team's store. */
  publish(bases?: readonly Digest[]): Promise<Snapshot>;
  /** The same working copy with nothing in it. */
  forget(): void;
}

export function storeRig(): StoreRig {
  const folder = temporary();
  const path = join(folder.path, "repository");
  const context = contextIn(path);
  const cache = localCache(context);
  const team = must(openStore(context, "file:../team"));
  return {
    path,
    context,
    cache,
    team,
    async publish(bases = []) {
      const taken = must(await snapshot(contextIn(path), DATA, cache, bases));
      must(await copyOutputs(context, cache, team, [taken], { bases, condemned: new Set() }));
      return taken;
    },
    forget: () => {
      for (const name of ["data", ".lockstep"]) rmSync(join(path, name), { recursive: true, force: true });
    },
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

export interface Request {
  readonly what: "stat" | "get" | "put" | "delete";
  readonly key: Key;
  /** Bytes that came or went. */
  readonly bytes: number;
}

/** The same store, which notes what its driver is asked. */
export function watched(store: Store): Store & { readonly requests: Request[] } {
  const requests: Request[] = [];
  const { driver } = store;
  const noting: Driver = {
    ...driver,
    stat: async (key) => {
      requests.push({ what: "stat", key, bytes: 0 });
      return driver.stat(key);
    },
    get: async (key, sink, range) => {
      let bytes = 0;
      const got = await driver.get(
        key,
        (chunk) => {
          bytes += chunk.length;
          return sink(chunk);
        },
        range,
      );
      requests.push({ what: "get", key, bytes });
      return got;
    },
    put: async (key, body, options) => {
      requests.push({ what: "put", key, bytes: body.size });
      return driver.put(key, body, options);
    },
  };
  return { ...blobStore(contextIn(""), noting), requests };
}

/** Where a store with this folder keeps a blob. */
export function fileOf(folder: string, digest: Digest): string {
  return join(folder, "v1/blobs/sha256", digest.slice(7, 9), digest.slice(9));
}

/** Changes the bytes of a blob, behind the store's back. */
export function damage(folder: string, digest: Digest, change: (bytes: Buffer) => Buffer): void {
  const path = fileOf(folder, digest);
  const bytes = change(readFileSync(path));
  rmSync(path);
  writeFileSync(path, bytes, { mode: 0o444 });
}

/** One bit less or more at a place. */
export function flip(at: number): (bytes: Buffer) => Buffer {
  return (bytes) => {
    const changed = Buffer.from(bytes);
    changed[at]! ^= 1;
    return changed;
  };
}

/** Path -> text of every file below a folder; "x " before that of one that is executable. */
export function contents(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  const files = names.filter((name) => statSync(join(folder, name)).isFile());
  const text = (name: string): string => {
    const bytes = readFileSync(join(folder, name), "utf8");
    return statSync(join(folder, name)).mode & 0o100 ? `x ${bytes}` : bytes;
  };
  return Object.fromEntries(files.map((name) => [name, text(name)]));
}

export function keysOf(requests: readonly Request[], what: Request["what"]): Key[] {
  return requests.filter((request) => request.what === what).map(({ key }) => key);
}

export function bytesOf(requests: readonly Request[], what: Request["what"]): number {
  return requests.filter((request) => request.what === what).reduce((sum, { bytes }) => sum + bytes, 0);
}
