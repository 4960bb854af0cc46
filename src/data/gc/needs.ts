import { ok } from "../../core/index.ts";
import type { Failed, Failure, FailureCode, Result } from "../../core/index.ts";
import type { Key } from "../../store/driver.ts";
import { mapLimited } from "../../store/files.ts";
import { kindOfBlob } from "../../store/gc-list.ts";
import type { StoredObject } from "../../store/gc-list.ts";
import { blobKey, closure, layoutKey } from "../../store/index.ts";
import type { Store } from "../../store/index.ts";
import type { Root } from "./root.ts";

export interface Needs {
  /** What must stay. */
  readonly keys: ReadonlySet<Key>;
  /** Roots of which the store has nothing. */
  readonly absent: readonly Root[];
  /** Roots that the store has a part of, and what is wrong with the rest. What can be known of their needs is kept. */
  readonly damaged: readonly { readonly root: Root; readonly cause: Failure }[];
}

/** What the roots need in a store that lists these objects. Each content is asked for once, whoever names it. */
export async function needsOf(
  store: Store,
  objects: ReadonlyMap<Key, StoredObject>,
  roots: readonly Root[],
): Promise<Result<Needs>> {
  const keys = new Set<Key>();
  const absent: Root[] = [];
  const damaged: { root: Root; cause: Failure }[] = [];
  /** What was put there since the list was made counts too. */
  const find = async (key: Key): Promise<Result<StoredObject | undefined>> => {
    const listed = objects.get(key);
    if (listed !== undefined) return ok(listed);
    const info = await store.driver.stat(key);
    return info.ok ? ok(info.value && { key, ...info.value }) : info;
  };
  const look = async (root: Root): Promise<Result<void>> => {
    const blob = await find(blobKey(root.digest));
    if (!blob.ok) return blob;
    const layout = await find(layoutKey(root.digest));
    if (!layout.ok) return layout;
    if (blob.value === undefined && layout.value === undefined) {
      absent.push(root);
      return ok();
    }
    const needs = await keysOf(store, root, blob.value);
    if (!needs.ok) {
      const [cause] = needs.failures;
      // A store that does not answer now is no damaged one.
      if (!DAMAGE.has(cause.code)) return needs;
      damaged.push({ root, cause });
      const placed = await closure({ kind: "file", digest: root.digest }, store);
      for (const key of placed.ok ? placed.value : [blobKey(root.digest), layoutKey(root.digest)]) keys.add(key);
      return ok();
    }
    for (const key of needs.value) keys.add(key);
    for (const key of needs.value.filter((needed) => !objects.has(needed))) {
      const there = await find(key);
      if (!there.ok) return there;
      if (there.value !== undefined) continue;
      const digest = `sha256:${key.slice("blobs/".length)}`;
      damaged.push({ root, cause: { code: "blob-missing", digest, neededBy: root.why, store: store.url } });
      break;
    }
    return ok();
  };
  let failed: Failed | undefined;
  const all = distinct(roots);
  const isLarge = ({ digest }: Root): boolean => (objects.get(blobKey(digest))?.size ?? 0) > LARGE;
  for (const [some, width] of [
    [all.filter((root) => !isLarge(root)), store.driver.width],
    [all.filter(isLarge), 1],
  ] as const) {
    await mapLimited(some, width, async (root) => {
      const looked = failed ?? (await look(root));
      if (!looked.ok) failed = looked;
    });
  }
  return failed ?? ok({ keys, absent, damaged });
}

/** Manifests above this size (about 20,000 files) are read one at a time, for what they take in memory. */
const LARGE = 4 * 1024 * 1024;

const DAMAGE: ReadonlySet<FailureCode> = new Set(["blob-corrupt", "blob-missing", "tree-invalid"]);

const STRENGTH: Readonly<Record<Root["kind"], number>> = { file: 0, any: 1, tree: 2 };

/** One root for each content: of the kind that needs most, in the name of a commit where one names it. */
function distinct(roots: readonly Root[]): Root[] {
  const found = new Map<string, Root>();
  for (const root of roots) {
    const before = found.get(root.digest) ?? root;
    const { kind } = STRENGTH[root.kind] > STRENGTH[before.kind] ? root : before;
    found.set(root.digest, { ...(root.source === "branches and tags" ? root : before), kind });
  }
  return [...found.values()];
}

async function keysOf(
  store: Store,
  { kind, digest }: Root,
  blob: StoredObject | undefined,
): Promise<Result<readonly Key[]>> {
  // A tree without its manifest still has what its layout places, as a file has.
  if (blob === undefined) return closure({ kind: "file", digest }, store);
  if (kind !== "any") return closure({ kind, digest }, store);
  const seen = await kindOfBlob(store.driver, blob);
  if (!seen.ok) return seen;
  const needs = seen.value === "trees" ? await closure({ kind: "tree", digest }, store) : undefined;
  const isTree = needs !== undefined && (needs.ok || needs.failures[0].code !== "tree-invalid");
  return isTree ? needs : closure({ kind: "file", digest }, store);
}
