import type { Digest, Result } from "../core/index.ts";

export interface StoredBlob {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

/**
 * Where blobs live. What a driver promises, and `test/store/contract.ts` holds it to: a blob is there whole or not at
 * all, however its writer ended; two writers of one blob both succeed; bytes that do not match their name are a
 * `blob-corrupt` failure and never handed out; a blob that is not there is `blob-missing`.
 */
export interface Store {
  readonly url: string;
  has(digest: Digest): Promise<Result<boolean>>;
  /** The bytes, verified. A blob larger than `maxBytes` is refused before it is read. */
  read(digest: Digest, options?: { readonly maxBytes?: number }): Promise<Result<Buffer>>;
  /** Writes the verified bytes to a file, which is replaced as a whole or not at all. */
  toFile(digest: Digest, absolutePath: string): Promise<Result<void>>;
  put(bytes: Uint8Array): Promise<Result<Digest>>;
  /** Stores what is read from the file in one pass: the digest is that of the stored bytes, whatever happens to it. */
  putFile(absolutePath: string): Promise<Result<StoredBlob>>;
  /** @throws what the backend refuses: a list that ends early would make a collector delete too much. */
  list(): AsyncIterable<StoredBlob>;
  /** A blob that is not there is no failure. */
  delete(digest: Digest): Promise<Result<void>>;
}
