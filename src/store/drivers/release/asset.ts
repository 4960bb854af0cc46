import type { Key } from "../../driver.ts";
import { parseAssetName } from "./names.ts";

/** One asset of the store's releases. */
export interface Asset {
  readonly id: number;
  /** Id of its release. */
  readonly release: number;
  readonly name: string;
  readonly key: Key;
  /** Bytes of the object: 0 for the asset of one byte that stands for an empty one. */
  readonly size: number;
  /** Of the asset's bytes; null where GitHub gives none. */
  readonly digest: string | null;
  /** True: an upload that goes on or was cut. Its bytes are not there, whatever its size says. */
  readonly starter: boolean;
  readonly empty: boolean;
  /** ms since the epoch, by GitHub's clock. */
  readonly modified: number;
}

/** The parts of GitHub's answer that are read here. */
export interface RawAsset {
  readonly id: number;
  readonly name: string;
  readonly size: number;
  /** GitHub's description names `uploaded` and `open`; what a cut upload leaves is a `starter`. */
  readonly state: string;
  readonly digest: string | null;
  readonly updated_at: string;
}

/** Undefined for what is not the store's. */
export function readAsset(raw: RawAsset, release: number): Asset | undefined {
  const named = parseAssetName(raw.name);
  if (named === undefined) return undefined;
  const { key, empty } = named;
  const { id, name, size } = raw;
  const starter = raw.state !== "uploaded";
  const digest = raw.digest ?? null;
  const modified = Date.parse(raw.updated_at);
  return { id, release, name, key, size: empty ? 0 : size, digest, starter, empty, modified };
}

/** True for an asset that an object may be read from: complete, and a blob only with the bytes of its name. */
export function isWhole({ key, digest, starter, empty }: Asset): boolean {
  if (starter) return false;
  return empty || digest === null || !key.startsWith("blobs/") || digest === `sha256:${key.slice("blobs/".length)}`;
}
