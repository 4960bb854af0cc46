import { hash } from "node:crypto";
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  futimesSync,
  linkSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { umask as processUmask } from "node:process";

/** As the process has it; asking sets nothing in a thread. */
const umask = processUmask();

/**
 * How a file that is a blob of its own in the cache comes into the working tree. "auto": sharing its blocks where the
 * file system can (copy on write), else by copying. "hardlink": as the cache's own file, read-only, where that can be.
 */
export type LinkMode = "auto" | "copy" | "reflink" | "hardlink";

/** Files to be written from parts of one source. */
export interface WriteGroup {
  /** Absolute path of the pack or blob. */
  readonly source: string;
  readonly offsets: readonly number[];
  /** Bytes that each has to have. */
  readonly lengths: readonly number[];
  /** 32 bytes a part. */
  readonly digests: Uint8Array;
  /** For each part the files (absolute) that it becomes, which do not exist, and whether each is executable. */
  readonly targets: readonly (readonly { readonly path: string; readonly executable: boolean }[])[];
  readonly link: LinkMode;
}

export interface GroupWritten {
  /** Numbers of parts that are damaged or cannot be read here; their files were not written. */
  readonly damaged: readonly number[];
  /** Files that share the cache's blocks, or are its own files; the others were copied. */
  readonly reflinked: number;
  readonly hardlinked: number;
  /** What the system said when a file could not be written. */
  readonly problem?: { readonly path: string; readonly message: string };
}

/** How far back the time of a written file is set: more than a tick of a file system's clock. */
export const BACK_SECONDS = 0.05;

/** Reads parts, verifies each, and writes its files with a time in the past, which no later write gives them again. */
export function writeGroup({ source, offsets, lengths, digests, targets, link }: WriteGroup): GroupWritten {
  const damaged: number[] = [];
  let [reflinked, hardlinked] = [0, 0];
  let input: number;
  try {
    input = openSync(source, "r");
  } catch {
    return { damaged: [...offsets.keys()], reflinked, hardlinked };
  }
  try {
    const { size } = fstatSync(input);
    // A length may lie; what goes past the end of the source is not worth the memory.
    const buffer = Buffer.allocUnsafeSlow(Math.max(0, ...lengths.map((length) => Math.min(length, size))));
    for (const [at, offset] of offsets.entries()) {
      const length = lengths[at]!;
      const part = buffer.subarray(0, offset + length > size ? 0 : readAll(input, buffer, length, offset));
      const right = part.length === length;
      const good = right && hash("sha256", part, "buffer").equals(digests.subarray(32 * at, 32 * at + 32));
      if (!good) damaged.push(at);
      for (const { path, executable } of targets[at]!) {
        if (!good) continue;
        try {
          const linked = offset === 0 && length === size ? linkFile(source, path, executable, link) : undefined;
          if (linked === "reflink") reflinked += 1;
          if (linked === "hardlink") hardlinked += 1;
          if (linked === undefined) writeFile(path, part, executable);
        } catch (error) {
          const { syscall, message } = error as NodeJS.ErrnoException;
          if (syscall === undefined) throw error;
          return { damaged, reflinked, hardlinked, problem: { path, message } };
        }
      }
    }
    return { damaged, reflinked, hardlinked };
  } finally {
    closeSync(input);
  }
}

/** Bytes that were there, at most `length`. */
function readAll(file: number, buffer: Buffer, length: number, offset: number): number {
  let read = 0;
  while (read < length) {
    const count = readSync(file, buffer, read, length - read, offset + read);
    if (count === 0) break;
    read += count;
  }
  return read;
}

/** Undefined: neither is wanted, or the file system can do neither; nothing was made then. */
function linkFile(
  source: string,
  path: string,
  executable: boolean,
  link: LinkMode,
): "reflink" | "hardlink" | undefined {
  try {
    // A hard link has the mode of the cache's file, which nobody executes.
    if (link === "hardlink" && !executable) {
      linkSync(source, path);
      return "hardlink";
    }
    if (link === "copy") return undefined;
    copyFileSync(source, path, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
    chmodSync(path, (executable ? 0o777 : 0o666) & ~umask);
    const time = statSync(path).mtimeMs / 1000 - BACK_SECONDS;
    utimesSync(path, time, time);
    return "reflink";
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") throw error;
    rmSync(path, { force: true });
    return undefined;
  }
}

function writeFile(path: string, bytes: Buffer, executable: boolean): void {
  const file = openSync(path, "wx", executable ? 0o777 : 0o666);
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
    const time = fstatSync(file).mtimeMs / 1000 - BACK_SECONDS;
    futimesSync(file, time, time);
  } finally {
    closeSync(file);
  }
}
