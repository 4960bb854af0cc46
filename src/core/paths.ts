/** The folders a path lies in, the innermost first; not the root. Of paths with `/`, relative or absolute. */
export function foldersOf(path: string): string[] {
  const folders: string[] = [];
  for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) folders.push(path.slice(0, at));
  return folders;
}

/** Whether a path is one of these or lies in one, however many there are. */
export function isWithin(places: ReadonlySet<string>, path: string): boolean {
  return places.has(path) || foldersOf(path).some((folder) => places.has(folder));
}
