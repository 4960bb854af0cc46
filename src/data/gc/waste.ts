import type { Digest } from "../../core/index.ts";
import type { Key } from "../../store/driver.ts";
import type { StoredObject } from "../../store/gc-list.ts";
import type { Store } from "../../store/index.ts";

/** A pack that is kept for a small part of it. */
export interface Waste {
  readonly key: Key;
  /** Bytes of the pack. */
  readonly size: number;
  /** Bytes of its parts that something needs. */
  readonly live: number;
}

/** A pack of which less than this share is needed is worth telling; the next push that touches its files rewrites it. */
export const MOSTLY_DEAD = 0.25;

/** The packs among the needed objects of which little is needed, the largest waste first. */
export async function wasteOf(
  store: Store,
  objects: ReadonlyMap<Key, StoredObject>,
  needed: ReadonlySet<Key>,
): Promise<Waste[]> {
  const live = new Map<Digest, Map<number, number>>();
  for (const key of needed) {
    if (!key.startsWith("layouts/") || !objects.has(key)) continue;
    const layout = await store.layout(`sha256:${key.slice("layouts/".length)}` as Digest);
    // One that is damaged is told by whoever needs it.
    if (!layout.ok) continue;
    for (const { place } of layout.value?.parts() ?? []) {
      if (place.pack === undefined) continue;
      const parts = live.get(place.pack) ?? new Map<number, number>();
      live.set(place.pack, parts.set(place.offset, place.length));
    }
  }
  const found = [...live].flatMap(([pack, parts]): Waste[] => {
    const key: Key = `blobs/${pack.slice("sha256:".length)}`;
    const size = objects.get(key)?.size ?? 0;
    const bytes = [...parts.values()].reduce((sum, length) => sum + length, 0);
    return bytes < size * MOSTLY_DEAD ? [{ key, size, live: bytes }] : [];
  });
  return found.sort((a, b) => b.size - b.live - (a.size - a.live));
}
