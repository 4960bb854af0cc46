import { hash } from "node:crypto";
import { isRelativePath } from "../core/index.ts";
import type { DvcDigest } from "../core/index.ts";

/** The files of a folder: path in it -> MD5 in hex. */
export type Listing = ReadonlyMap<string, string>;

/** DVC's name of a folder: the MD5 of its listing as Python's `json.dumps` writes it, files in order of code points. */
export function digestOfListing(listing: Listing, legacy: boolean): DvcDigest {
  const files = [...listing].sort(([a], [b]) => compareCodePoints(a, b));
  const items = files.map(([path, md5]) => `{"md5": "${md5}", "relpath": ${pythonString(path)}}`);
  return `${legacy ? "md5-dos2unix" : "md5"}:${hash("md5", `[${items.join(", ")}]`, "hex")}.dir` as DvcDigest;
}

/** The part of a listing that lies in a folder of it. */
export function listingOf(listing: Listing, folder: string): Listing {
  const inside = `${folder}/`;
  return new Map(
    [...listing].flatMap(([path, md5]) => (path.startsWith(inside) ? [[path.slice(inside.length), md5]] : [])),
  );
}

/**
 * Reads a listing that may be anybody's. A text instead of it: why it cannot be used. Whoever writes its files below a
 * folder stays in that folder, and writes each once.
 */
export function parseListing(text: string): Listing | string {
  let items: unknown;
  try {
    items = JSON.parse(text);
  } catch {
    return "it is not JSON";
  }
  if (!Array.isArray(items)) return "it is not a list";
  const listing = new Map<string, string>();
  for (const item of items as unknown[]) {
    const { md5, relpath } = (item ?? {}) as Readonly<Record<string, unknown>>;
    if (typeof relpath !== "string" || typeof md5 !== "string" || !/^[0-9a-f]{32}$/.test(md5)) {
      return "an item of it is not a path and an MD5";
    }
    const path = JSON.stringify(relpath);
    if (!isRelativePath(relpath) || relpath.split("/").some((part) => part.toLowerCase() === ".git")) {
      return `it names the path ${path}`;
    }
    if (listing.has(relpath)) return `it names ${path} twice`;
    listing.set(relpath, md5);
  }
  for (const path of listing.keys()) {
    for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
      if (listing.has(path.slice(0, at))) return `it names ${JSON.stringify(path)} and a file around it`;
    }
  }
  return listing;
}

/** As `json.dumps` has it: ASCII alone. */
function pythonString(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Python's order of texts; that of UTF-16 units differs above U+FFFF. */
function compareCodePoints(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
