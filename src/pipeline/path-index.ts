import { foldersOf } from "../core/index.ts";

/** What lies at paths, found by a path that is around it or inside of it, without looking at all. */
export class PathIndex<T> {
  readonly #at = new Map<string, T[]>();
  readonly #below = new Map<string, T[]>();

  add(path: string, item: T): void {
    push(this.#at, path, item);
    for (const folder of foldersOf(path)) push(this.#below, folder, item);
  }

  /** Items at the path or at a folder it lies in. */
  around(path: string): T[] {
    return [path, ...foldersOf(path)].flatMap((place) => this.#at.get(place) ?? []);
  }

  /** Items that lie in the path. */
  inside(path: string): readonly T[] {
    return this.#below.get(path) ?? [];
  }

  /** Items that the path is, lies in, or holds. */
  meeting(path: string): T[] {
    return [...this.around(path), ...this.inside(path)];
  }
}

function push<T>(map: Map<string, T[]>, key: string, item: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [item]);
  else list.push(item);
}
