import type { Digest, Result } from "../core/index.ts";
import type { Driver } from "./driver.ts";
import type { FileDriver } from "./drivers/file.ts";
import type { Layout } from "./layout.ts";

export interface StoredBlob {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

export interface HeldFile extends AsyncDisposable {
  readonly digest: Digest;
  /** Absolute. */
  readonly path: string;
}

/**
 * Verified bytes by their SHA-256, on top of a driver. What it promises, and `test/store/contract.ts` holds: a blob is
 * there whole or not at all, however its writer ended; two writers of one blob both succeed; bytes that do not match
 * their name are a `blob-corrupt` failure and never handed out; a blob that is not there is `blob-missing`. A large
 * file that is kept as chunks is read like any blob.
 */
export interface Store {
  readonly url: string;
  readonly driver: Driver;
  has(digest: Digest): Promise<Result<boolean>>;
  /** The bytes, verified. A blob larger than `maxBytes` is refused before it is read. */
  read(digest: Digest, options?: { readonly maxBytes?: number }): Promise<Result<Buffer>>;
  /** Writes the verified bytes to a file, which is replaced as a whole or not at all. */
  toFile(digest: Digest, absolutePath: string, options?: { readonly maxBytes?: number }): Promise<Result<void>>;
  /**
   * The verified bytes as a file here, to be read and not to be written, for as long as it is held: the store's own
   * where it has one, else a temporary one that is removed. No part of a large blob has to be in memory.
   */
  hold(digest: Digest, options?: { readonly maxBytes?: number }): Promise<Result<HeldFile>>;
  put(bytes: Uint8Array): Promise<Result<Digest>>;
  /** Stores a file as one blob. */
  putFile(absolutePath: string): Promise<Result<StoredBlob>>;
  /** Where the parts of a root lie; undefined: nothing is said, every file is a blob of its own. */
  layout(root: Digest): Promise<Result<Layout | undefined>>;
}

/** A store whose objects are files here: what a cache has to be. */
export interface LocalStore extends Store {
  readonly driver: FileDriver;
}
