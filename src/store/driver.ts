import type { Digest, Result } from "../core/index.ts";

/**
 * What an object is called in a store: `blobs/<64 hex>` (named by the SHA-256 of its bytes), `layouts/<64 hex>` (named
 * by the root it describes), `checkpoints/<64 hex>` (named by a stage key) or `gc/<word>`. A driver maps keys to its own names, reversibly.
 */
export type KeyKind = "blobs" | "layouts" | "checkpoints" | "gc";
export type Key = `${KeyKind}/${string}`;

export interface ObjectInfo {
  /** Bytes. */
  readonly size: number;
  /** When it was written last, in ms since the epoch by the clock of the remote. */
  readonly modified: number;
}

/** Bytes to be sent, known before they go: a driver may ask for any part of them again, to retry or to resume. */
export interface Body {
  /** Bytes. */
  readonly size: number;
  readonly digest: Digest;
  /** The bytes of a range in order; throws a system error when its source cannot be read. */
  read(offset: number, length: number): AsyncIterable<Uint8Array>;
}

export interface Range {
  readonly offset: number;
  /** Bytes, more than 0. */
  readonly length: number;
}

/**
 * Where the objects of a store lie: the one interface that a backend implements. `test/store/drivers/contract.ts`
 * holds what it promises, against the real thing:
 * - an object is there whole or not at all, however its writer ended;
 * - two writers of one key both succeed, and the object is what one of them wrote;
 * - what the network does (429, 5xx, a cut connection, half a body) is retried within bounds, then an `external`
 *   failure that names the key and the remote; nothing is thrown for it.
 */
export interface Driver {
  readonly url: string;
  /** Requests that pay off at once. */
  readonly width: number;
  /** Undefined: it is not there. */
  stat(key: Key): Promise<Result<ObjectInfo | undefined>>;
  /**
   * Hands the bytes (of a range, or all) to `sink` in order and waits for it. False: the object is not there, and
   * the sink was not called. True: exactly the bytes that were asked for were handed over. The bytes are not verified
   * here; `sink` may throw, which ends the transfer and is thrown on.
   */
  get(key: Key, sink: (chunk: Uint8Array) => void | Promise<void>, range?: Range): Promise<Result<boolean>>;
  /**
   * Writes an object as a whole. An object that is there with the same size stays as it is, unless `replace` says to
   * write it again (a layout that changed, a blob that is damaged, one that was about to be collected). The driver
   * holds `body.digest` against what arrives wherever the remote can do that.
   */
  put(key: Key, body: Body, options?: { readonly replace?: boolean }): Promise<Result<void>>;
  /** Every object of a kind. @throws what the remote refuses: a list that ends early would make a collector delete too much. */
  list(kind: KeyKind): AsyncIterable<ObjectInfo & { readonly key: Key }>;
  /** An object that is not there is no failure. */
  delete(key: Key): Promise<Result<void>>;
}

/** Bytes in memory as a body. */
export function bodyOf(bytes: Uint8Array, digest: Digest): Body {
  return {
    size: bytes.length,
    digest,
    async *read(offset, length) {
      if (length > 0) yield bytes.subarray(offset, offset + length);
    },
  };
}
