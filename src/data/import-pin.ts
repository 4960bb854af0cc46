import { canonicalJson } from "../core/index.ts";
import type { DatasetSource } from "../config/index.ts";
import { digestOf } from "../store/index.ts";
import type { OriginFile, Pin } from "./import-origin.ts";

/** What a folder's list says of it as a whole. */
export function pinOfList(files: readonly OriginFile[]): Pin {
  const listing = digestOf(Buffer.from(canonicalJson(files)));
  return { listing, size: files.reduce((sum, { size }) => sum + size, 0) };
}

/**
 * In what a source differs from what was imported; undefined when neither says anything that can be compared. The
 * strongest sign decides: one tag for one content, whatever a server's copies think of its time.
 */
export function differences(pinned: DatasetSource, now: Pin): string[] | undefined {
  const sizes = pinned.size !== undefined && now.size !== undefined ? [pinned.size, now.size] : undefined;
  if (sizes !== undefined && sizes[0] !== sizes[1]) return [`size ${sizes[0]} -> ${sizes[1]}`];
  for (const [field, label] of [
    ["listing", "the list of objects"],
    ["etag", "ETag"],
    ["lastModified", "Last-Modified"],
  ] as const) {
    const [before, after] = [pinned[field], now[field]];
    if (before === undefined || after === undefined) continue;
    if (before === after) return [];
    return [field === "listing" ? `${label} changed` : `${label} ${before} -> ${after}`];
  }
  return sizes === undefined ? undefined : [];
}
