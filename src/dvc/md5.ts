import { createHash } from "node:crypto";
import { open } from "node:fs/promises";

/** DVC looks at a file in pieces of this size, which matters for texts: see below. */
const PIECE = 1024 * 1024;
/** It takes a piece for text by its first bytes. */
const LOOKED_AT = 512;
const NOT_TEXT = 0.3;

/** MD5 of a file in hex; with `legacy` as DVC 2 took it: of the pieces that look like text, CRLF counts as LF. */
export async function md5OfFile(path: string, legacy: boolean): Promise<string> {
  await using file = await open(path, "r");
  const hash = createHash("md5");
  const piece = Buffer.allocUnsafe(PIECE);
  for (let at = 0; ;) {
    let length = 0;
    while (length < PIECE) {
      const { bytesRead } = await file.read(piece, length, PIECE - length, at + length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    const bytes = piece.subarray(0, length);
    hash.update(legacy ? unixText(bytes) : bytes);
    at += length;
    if (length < PIECE) return hash.digest("hex");
  }
}

/** The same of bytes in memory. */
export function md5OfBytes(bytes: Buffer, legacy: boolean): string {
  const hash = createHash("md5");
  for (let at = 0; at < bytes.length; at += PIECE) {
    const piece = bytes.subarray(at, at + PIECE);
    hash.update(legacy ? unixText(piece) : piece);
  }
  return hash.digest("hex");
}

function unixText(bytes: Buffer): Buffer {
  if (!isText(bytes.subarray(0, LOOKED_AT))) return bytes;
  return Buffer.from(bytes.toString("latin1").replaceAll("\r\n", "\n"), "latin1");
}

function isText(start: Buffer): boolean {
  if (start.includes(0)) return false;
  const odd = start.filter((byte) => !((byte >= 32 && byte < 127) || [8, 9, 10, 12, 13].includes(byte)));
  return odd.length <= NOT_TEXT * start.length;
}
