import { createCipheriv, createHash } from "node:crypto";
import type { Cipheriv } from "node:crypto";
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";

/** Many small files: `files` of `bytes` each, evenly in `folders`. */
export interface Many {
  readonly files: number;
  readonly folders: number;
  readonly bytes: number;
}

const BLOCK = 4 * 1024 * 1024;

/** Bytes that no one can compress and that are the same on every machine: the key stream of AES for a seed. */
export class Random {
  readonly #cipher: Cipheriv;

  constructor(seed: string) {
    const key = createHash("sha256").update(seed).digest().subarray(0, 16);
    this.#cipher = createCipheriv("aes-128-ctr", key, Buffer.alloc(16));
  }

  next(bytes: number): Buffer {
    return this.#cipher.update(Buffer.alloc(bytes));
  }
}

/** `fileName(many, i)` of `writeMany`. */
export function fileName({ files, folders }: Many, index: number): string {
  const folder = Math.floor(index / Math.ceil(files / folders));
  return `${String(folder).padStart(4, "0")}/${String(index).padStart(7, "0")}.bin`;
}

export function writeMany(folder: string, many: Many): void {
  const random = new Random("many");
  let inFolder = "";
  for (let index = 0; index < many.files; index++) {
    const path = join(folder, fileName(many, index));
    if (dirname(path) !== inFolder) mkdirSync((inFolder = dirname(path)), { recursive: true });
    writeFileSync(path, random.next(many.bytes));
  }
}

export function writeLarge(path: string, bytes: number): void {
  const random = new Random("large");
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(path, "wx");
  try {
    for (let at = 0; at < bytes; at += BLOCK) writeSync(file, random.next(Math.min(BLOCK, bytes - at)));
  } finally {
    closeSync(file);
  }
}

/** Overwrites `bytes` in the middle of a file of `size` with others; each `seed` gives other bytes. */
export function editMiddle(path: string, size: number, bytes: number, seed: string): void {
  const file = openSync(path, "r+");
  try {
    writeSync(file, new Random(seed).next(bytes), 0, bytes, Math.floor((size - bytes) / 2));
  } finally {
    closeSync(file);
  }
}
