import { compareCodeUnits, fail, isRelativePath, ok } from "../core/index.ts";
import type { Digest, Result } from "../core/index.ts";
import type { FileMode } from "../git/index.ts";
import { fold } from "./names.ts";

/** One file of a folder. */
export interface TreeEntry {
  /** From the folder, POSIX. */
  readonly path: string;
  readonly mode: FileMode;
  /** Bytes. */
  readonly size: number;
  readonly digest: Digest;
}

/** What a manifest may hold: enough for any folder that is handled as one dataset, and too little to fill a memory. */
export const TREE_LIMITS = { bytes: 256 * 1024 * 1024, entries: 1_000_000 };

/** What stands around the entries of a manifest. */
export const TREE_START = '{"entries":[';
export const TREE_END = '],"treeVersion":1}';

/**
 * The manifest of a folder as bytes: one spelling for one content, so that its digest names the content. Where the
 * bytes of a file lie (whole, in a pack, in chunks) is no part of it: packing again must not change a stage's key.
 * @returns `tree-invalid` when two paths cannot live side by side on every file system.
 */
export function encodeTree(name: string, entries: readonly TreeEntry[]): Result<Buffer> {
  const sorted = [...entries].sort((a, b) => compareCodeUnits(a.path, b.path));
  const problem = problemOfPaths(sorted);
  if (problem !== undefined) return fail({ code: "tree-invalid", tree: name, problem });
  // Members in canonical order.
  const lines = sorted.map(
    ({ path, mode, size, digest }) =>
      `{"digest":"${digest}","mode":"${mode}","path":${JSON.stringify(path)},"size":${size}}`,
  );
  return ok(Buffer.from(`${TREE_START}${lines.join(",")}${TREE_END}`));
}

/** One entry in its only spelling. What a JSON text may escape in another way is compared with that afterwards. */
const ENTRY =
  // oxlint-disable-next-line no-control-regex -- JSON has no control characters in its strings
  /\{"digest":"(sha256:[0-9a-f]{64})","mode":"(644|755)","path":("(?:[^"\\\u0000-\u001f]|\\.)*"),"size":(0|[1-9]\d*)\}/y;

/**
 * Reads a manifest, which may come from anyone: nothing but the canonical spelling is accepted, so no path in it
 * leaves its folder, hides in `.git`, appears twice or collides with another one on a file system without case.
 */
export function parseTree(name: string, bytes: Buffer): Result<TreeEntry[]> {
  const refuse = (problem: string): Result<never> => fail({ code: "tree-invalid", tree: name, problem });
  if (bytes.length > TREE_LIMITS.bytes) return refuse(`it has ${bytes.length} bytes`);
  const text = bytes.toString();
  if (!text.startsWith(TREE_START) || !text.endsWith(TREE_END)) return refuse("it is not a manifest of version 1");
  const end = text.length - TREE_END.length;
  const entries: TreeEntry[] = [];
  let total = 0;
  for (let at = TREE_START.length; at < end;) {
    if (entries.length > 0 && text[at++] !== ",")
      return refuse(`entry ${entries.length} is not in its canonical spelling`);
    ENTRY.lastIndex = at;
    const [whole, digest, mode, path, size] = ENTRY.exec(text) ?? [];
    const decoded = path === undefined ? undefined : decode(path);
    if (whole === undefined || decoded === undefined) {
      return refuse(`entry ${entries.length} has a field that is wrong, or is not in its canonical spelling`);
    }
    if (entries.length === TREE_LIMITS.entries) return refuse(`it has more than ${TREE_LIMITS.entries} entries`);
    const entry = { path: decoded, mode: mode as FileMode, size: Number(size), digest: digest as Digest };
    const before = entries.at(-1);
    if (before !== undefined && before.path >= entry.path) return refuse("its entries are not in canonical order");
    total += entry.size;
    entries.push(entry);
    at += whole.length;
  }
  if (!Number.isSafeInteger(total)) return refuse("its sizes add up to more than can be");
  const problem = problemOfPaths(entries);
  return problem === undefined ? ok(entries) : refuse(problem);
}

/** A JSON string's value; undefined when it is spelled in another way than `JSON.stringify` would. */
function decode(json: string): string | undefined {
  if (!json.includes("\\")) return json.includes("\ufffd") ? undefined : json.slice(1, -1);
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "string" && JSON.stringify(value) === json ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A name that can stand in a relative path: see `isRelativePath`. */
const NAME = /^(?!\.{1,2}$)[^\\\0]+$/;

/** Why the paths of entries (sorted) cannot be one folder everywhere; undefined when they can. */
function problemOfPaths(entries: readonly TreeEntry[]): string | undefined {
  /** Folder -> its names without case and composition -> as they were spelled, a folder's with "/" at its end. */
  const folders = new Map<string, Map<string, string>>();
  const namesOf = (folder: string): Map<string, string> => {
    const known = folders.get(folder) ?? new Map<string, string>();
    folders.set(folder, known);
    return known;
  };
  /** The spelling that stands in the way of this one. */
  const clash = (names: Map<string, string>, name: string, spelled: string): string | undefined => {
    const folded = fold(name);
    const other = names.get(folded);
    if (other === undefined) names.set(folded, spelled);
    return other === undefined || (other === spelled && spelled.endsWith("/")) ? undefined : other;
  };
  let parent = "";
  let names = namesOf(parent);
  for (const { path } of entries) {
    const start = path.lastIndexOf("/") + 1;
    // The folders of a path are those of the one before, nearly always.
    const moved = start !== parent.length || !path.startsWith(parent);
    if (moved ? !isRelativePath(path) : path.length > 4096 || !NAME.test(path.slice(start))) {
      return `${JSON.stringify(path)} is not a path inside the folder`;
    }
    if (moved) {
      parent = path.slice(0, start);
      let above = "";
      for (const name of parent.split("/").slice(0, -1)) {
        if (fold(name) === ".git") return `${JSON.stringify(path)} lies in a .git folder`;
        const other = clash(namesOf(above), name, `${name}/`);
        if (other !== undefined) return samePlace(`${above}${other}`, path);
        above += `${name}/`;
      }
      names = namesOf(parent);
    }
    const name = path.slice(start);
    const other = clash(names, name, name);
    if (other !== undefined) return samePlace(`${parent}${other}`, path);
    if (fold(name) === ".git") return `${JSON.stringify(path)} lies in a .git folder`;
  }
  return undefined;
}

function samePlace(a: string, b: string): string {
  return `${JSON.stringify(a)} and ${JSON.stringify(b)} are the same place on some file systems`;
}
