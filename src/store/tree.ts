import { canonicalJson, compareCodeUnits, fail, isDigest, isRelativePath, ok } from "../core/index.ts";
import type { Digest, Result } from "../core/index.ts";
import type { FileMode } from "../git/index.ts";

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

/**
 * The manifest of a folder as bytes: one spelling for one content, so that its digest names the content. Where the
 * bytes of a file lie (whole, in a pack, in chunks) is no part of it: packing again must not change a stage's key.
 * @returns `tree-invalid` when two paths cannot live side by side on every file system.
 */
export function encodeTree(name: string, entries: readonly TreeEntry[]): Result<Buffer> {
  const sorted = [...entries].sort((a, b) => compareCodeUnits(a.path, b.path));
  const problem = problemOfPaths(sorted.map(({ path }) => path));
  if (problem !== undefined) return fail({ code: "tree-invalid", tree: name, problem });
  const lines = sorted.map(({ path, mode, size, digest }) => canonicalJson({ path, mode, size, digest }));
  return ok(Buffer.from(`{"entries":[${lines.join(",")}],"treeVersion":1}`));
}

/**
 * Reads a manifest, which may come from anyone: nothing but the canonical spelling is accepted, so no path in it
 * leaves its folder, hides in `.git`, appears twice or collides with another one on a file system without case.
 */
export function parseTree(name: string, bytes: Buffer): Result<TreeEntry[]> {
  const refuse = (problem: string): Result<never> => fail({ code: "tree-invalid", tree: name, problem });
  if (bytes.length > TREE_LIMITS.bytes) return refuse(`it has ${bytes.length} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch (error) {
    return fail({ code: "tree-invalid", tree: name, problem: "it is not JSON", cause: error });
  }
  if (!isObject(value) || value["treeVersion"] !== 1 || !Array.isArray(value["entries"])) {
    return refuse("it is not a manifest of version 1");
  }
  const list: readonly unknown[] = value["entries"];
  if (list.length > TREE_LIMITS.entries) return refuse(`it has ${list.length} entries`);
  const entries: TreeEntry[] = [];
  let total = 0;
  for (const [at, item] of list.entries()) {
    const entry = entryOf(item);
    if (entry === undefined) return refuse(`entry ${at} has a field that is wrong`);
    total += entry.size;
    entries.push(entry);
  }
  if (!Number.isSafeInteger(total)) return refuse("its sizes add up to more than can be");
  const encoded = encodeTree(name, entries);
  if (!encoded.ok) return encoded;
  return encoded.value.equals(bytes) ? ok(entries) : refuse("it is not in its canonical spelling");
}

function entryOf(item: unknown): TreeEntry | undefined {
  if (!isObject(item)) return undefined;
  const { path, mode, size, digest } = item;
  if (typeof path !== "string" || (mode !== "644" && mode !== "755")) return undefined;
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) return undefined;
  if (typeof digest !== "string" || !isDigest(digest)) return undefined;
  return { path, mode, size, digest };
}

/** Why these paths (sorted) cannot be one folder everywhere; undefined when they can. */
function problemOfPaths(paths: readonly string[]): string | undefined {
  /** Spelling of each folder and file without case and composition -> the spelling that was used, and for what. */
  const seen = new Map<string, string>();
  for (const path of paths) {
    if (!isRelativePath(path)) return `${JSON.stringify(path)} is not a path inside the folder`;
    const parts = path.split("/");
    if (parts.some((part) => part.toLowerCase() === ".git")) return `${JSON.stringify(path)} lies in a .git folder`;
    for (let depth = 1; depth <= parts.length; depth++) {
      const isFile = depth === parts.length;
      const spelled = parts.slice(0, depth).join("/");
      const folded = spelled.normalize("NFC").toLowerCase();
      const other = seen.get(folded);
      if (other === undefined) seen.set(folded, isFile ? spelled : `${spelled}/`);
      else if (isFile || other !== `${spelled}/`) {
        return `${JSON.stringify(other)} and ${JSON.stringify(path)} are the same place on some file systems`;
      }
    }
  }
  return undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
