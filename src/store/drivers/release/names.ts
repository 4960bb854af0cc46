import type { Key } from "../../driver.ts";

/** What the name of an asset says. */
export interface AssetName {
  readonly key: Key;
  /** From 1. An object that is written again gets the next one: GitHub cannot replace an asset. */
  readonly generation: number;
  /** GitHub takes no asset of 0 bytes: an empty object is an asset of one byte with this in its name. */
  readonly empty: boolean;
}

const NAME = /^(?:(blobs|layouts|checkpoints)\.([0-9a-f]{64})|(gc)\.([A-Za-z0-9_-]+))(?:\.([1-9]\d{0,5}))?(\.empty)?$/;

export function assetName({ key, generation, empty }: AssetName): string {
  return `${key.replace("/", ".")}${generation === 1 ? "" : `.${generation}`}${empty ? ".empty" : ""}`;
}

/** Undefined for what somebody else put into the release. */
export function parseAssetName(name: string): AssetName | undefined {
  const [match, kind, hex, gc, word, generation, empty] = NAME.exec(name) ?? [];
  if (match === undefined) return undefined;
  const key = (gc === undefined ? `${kind}/${hex}` : `gc/${word}`) as Key;
  return { key, generation: Number(generation ?? 1), empty: empty !== undefined };
}
