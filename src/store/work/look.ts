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

/** Lists a folder (absolute) and asks the system about each file in it. */
export function look(folder: string): Looked {
  const list = readdirSync(folder, { withFileTypes: true })
    .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
    .sort();
  const stats = new Float64Array(list.length * STATS);
  const kinds = new Uint8Array(list.length);
  for (let at = 0; at < list.length; at++) {
    const name = list[at]!;
    kinds[at] = name.includes("\ufffd")
      ? KIND.unspeakable
      : name.endsWith("/")
        ? KIND.folder
        : lookAtFile(`${folder}/${name}`, stats, at * STATS);
  }
  return { names: list.join("\0"), stats, kinds };
}

function lookAtFile(path: string, stats: Float64Array, row: number): number {
  const stat = lstatSync(path);
  if (!stat.isFile()) return stat.isSymbolicLink() ? KIND.link : KIND.special;
  stats[row] = stat.size;
  stats[row + 1] = stat.mtimeMs;
  stats[row + 2] = stat.ctimeMs;
  stats[row + 3] = stat.ino;
  return (stat.mode & 0o100) === 0 ? KIND.file : KIND.executable;
}
