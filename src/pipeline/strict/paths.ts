import { posix } from "node:path";

/** The folders that a path lies in, the nearest first, without the root. */
export function foldersOf(path: string): string[] {
  const up = posix.dirname(path);
  return up === "." || up === "/" ? [] : [up, ...foldersOf(up)];
}

/** Whether a path is one of these or lies in one, however many there are. */
export function isWithin(places: ReadonlySet<string>, path: string): boolean {
  return places.has(path) || foldersOf(path).some((folder) => places.has(folder));
}
