import { lstatSync, readdirSync } from "node:fs";

/** Numbers kept of each file: size, modification time and change time in ms, inode. */
export const STATS = 4;

/** What a name of a folder stands for. */
export const KIND = { file: 0, executable: 1, folder: 2, link: 3, special: 4, unspeakable: 5 } as const;

/** A folder as it stands. */
export interface Looked {
  /** In order of their UTF-16 code units, a folder's with "/" at its end, joined by "\0". */
  readonly names: string;
  /** 4 to a name; zeros for what is no file. */
  readonly stats: Float64Array;
  /** One of `KIND` to a name. "unspeakable": not UTF-8, so it cannot be asked for. */
  readonly kinds: Uint8Array;
}

/** Lists a folder (absolute) and asks the system about each name in it. */
export function look(folder: string): Looked {
  const names = readdirSync(folder).sort();
  const stats = new Float64Array(names.length * STATS);
  const kinds = new Uint8Array(names.length);
  let folders = 0;
  for (let at = 0; at < names.length; at++) {
    const name = names[at]!;
    const kind = name.includes("\ufffd") ? KIND.unspeakable : lookAt(`${folder}/${name}`, stats, at * STATS);
    kinds[at] = kind;
    if (kind !== KIND.folder) continue;
    folders += 1;
    names[at] = `${name}/`;
  }
  return folders === 0 ? { names: names.join("\0"), stats, kinds } : inOrder(names, stats, kinds);
}

/** With "/" at the end of some, the names may have to move. */
function inOrder(names: readonly string[], stats: Float64Array, kinds: Uint8Array): Looked {
  const order = [...names.keys()].sort((a, b) => (names[a]! < names[b]! ? -1 : 1));
  const moved = new Float64Array(stats.length);
  for (const [to, from] of order.entries()) moved.set(stats.subarray(from * STATS, (from + 1) * STATS), to * STATS);
  return {
    names: order.map((at) => names[at]!).join("\0"),
    stats: moved,
    kinds: Uint8Array.from(order, (at) => kinds[at]!),
  };
}

function lookAt(path: string, stats: Float64Array, row: number): number {
  const stat = lstatSync(path);
  if (stat.isDirectory()) return KIND.folder;
  if (!stat.isFile()) return stat.isSymbolicLink() ? KIND.link : KIND.special;
  stats[row] = stat.size;
  stats[row + 1] = stat.mtimeMs;
  stats[row + 2] = stat.ctimeMs;
  stats[row + 3] = stat.ino;
  return (stat.mode & 0o100) === 0 ? KIND.file : KIND.executable;
}
