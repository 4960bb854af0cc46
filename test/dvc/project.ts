import { hash } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { write } from "../git/repository.ts";

/** A folder as `dvc add` leaves it: `place` -> text of each file, with the listing that DVC would write. */
export type Folder = Readonly<Record<string, string>>;

export function md5(text: string): string {
  return hash("md5", text, "hex");
}

/** DVC's listing of a folder, written out by hand: the code under test is not asked. Names are ASCII here. */
export function listing(folder: Folder): string {
  const items = Object.keys(folder).sort();
  return `[${items.map((path) => `{"md5": "${md5(folder[path]!)}", "relpath": "${path}"}`).join(", ")}]`;
}

/** Where DVC 3 (or 2) keeps bytes of this name. */
export function objectPath(name: string, version: 2 | 3 = 3): string {
  return `${version === 3 ? "files/md5/" : ""}${name.slice(0, 2)}/${name.slice(2)}`;
}

/** Puts content into a cache or remote, and gives its name. */
export function keep(root: string, content: string | Folder, version: 2 | 3 = 3): string {
  if (typeof content === "string") {
    write(root, { [objectPath(md5(content), version)]: content });
    return md5(content);
  }
  for (const text of Object.values(content)) keep(root, text, version);
  const name = `${md5(listing(content))}.dir`;
  write(root, { [objectPath(name, version)]: listing(content) });
  return name;
}

/** The text of a `.dvc` file. */
export function dvcFile(path: string, name: string, more = ""): string {
  return `outs:\n- md5: ${name}\n  hash: md5\n  path: ${path}\n${more}`;
}

export function remove(folder: string, path: string): void {
  rmSync(join(folder, path), { recursive: true });
}
