import { globSync, statSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";

export interface Found {
  /** Absolute paths, sorted. */
  readonly files: string[];
  /** The fixed folder of each pattern: paths in the archive are relative to what these have in common. */
  readonly roots: string[];
}

const MAGIC = /[*?[\]{}]/u;

/** The folder of a pattern before its first wildcard; for a plain file the folder it is in. */
function rootOf(pattern: string): string {
  if (!MAGIC.test(pattern))
    return statSync(pattern, { throwIfNoEntry: false })?.isDirectory() === true ? pattern : dirname(pattern);
  const parts = pattern.split(sep);
  return (
    parts
      .slice(
        0,
        parts.findIndex((part) => MAGIC.test(part)),
      )
      .join(sep) || sep
  );
}

const expand = (pattern: string): string[] =>
  statSync(pattern, { throwIfNoEntry: false })?.isDirectory() === true
    ? globSync(join(pattern, "**/*"))
    : globSync(pattern);

/** The files that patterns name, below `workspace` unless absolute. */
export function findFiles(workspace: string, patterns: readonly string[], hidden: boolean): Found {
  const files = new Set<string>();
  const roots: string[] = [];
  for (const line of patterns) {
    const negative = line.startsWith("!");
    const pattern = resolve(workspace, negative ? line.slice(1) : line);
    for (const path of expand(pattern)) {
      if (negative) files.delete(path);
      else if (statSync(path).isFile()) files.add(path);
    }
    if (!negative) roots.push(rootOf(pattern));
  }
  const shown = (path: string): boolean =>
    !relative(commonFolder(roots), path)
      .split(sep)
      .some((part) => part.startsWith("."));
  return { files: [...files].filter((path) => hidden || shown(path)).toSorted(), roots };
}

/** The deepest folder that holds all of these. */
export function commonFolder(folders: readonly string[]): string {
  const [first = "", ...rest] = folders;
  return rest.reduce((common, folder) => {
    let shared = common;
    while (folder !== shared && !folder.startsWith(shared.endsWith(sep) ? shared : shared + sep))
      shared = dirname(shared);
    return shared;
  }, first);
}
