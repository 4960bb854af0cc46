import { randomUUID } from "node:crypto";
import { canonicalJson, fail, ok } from "../core/index.ts";
import type { Result } from "../core/index.ts";
import { digestOf } from "./digest.ts";
import { bodyOf } from "./driver.ts";
import type { Driver, Key } from "./driver.ts";

/** Objects that a collector found unneeded -> when one found it first, in ms by the store's own clock. */
export type Condemned = ReadonlyMap<Key, number>;

const DOCUMENT: Key = "gc/condemned";
const CLOCK: Key = "gc/clock";
const OBJECT = /^(blobs|layouts|checkpoints)\/[0-9a-f]{64}$/;
/** More than two million entries. */
const LARGEST = 256 * 1024 * 1024;

/**
 * The objects of a store that the next `gc --delete` may take away. Their presence promises nothing: who wants to build
 * on one writes it again (`replace`), which makes it young. Held against before a push reuses anything, and the push
 * has to end within the grace period.
 */
export async function condemned(store: { readonly driver: Driver }): Promise<Result<ReadonlySet<Key>>> {
  const read = await readCondemned(store.driver);
  return read.ok ? ok(new Set(read.value.keys())) : read;
}

/**
 * A document that is damaged counts as empty: a collector that reads it so deletes nothing either until it has written
 * a new one and waited. One of a newer version is an `unsupported` failure.
 */
export async function readCondemned(driver: Driver): Promise<Result<Condemned>> {
  const info = await driver.stat(DOCUMENT);
  if (!info.ok) return info;
  if (info.value === undefined || info.value.size > LARGEST) return ok(new Map());
  const chunks: Uint8Array[] = [];
  const read = await driver.get(DOCUMENT, (chunk) => void chunks.push(Buffer.from(chunk)));
  if (!read.ok) return read;
  const document = json(Buffer.concat(chunks).toString());
  const version = document?.["condemnedVersion"];
  if (typeof version === "number" && version > 1) {
    return fail({ code: "unsupported", what: `${DOCUMENT} of version ${version}`, hint: "update Lockstep" });
  }
  const objects = document?.["objects"];
  if (version !== 1 || typeof objects !== "object" || objects === null) return ok(new Map());
  const entries = Object.entries(objects).filter(([key, since]) => OBJECT.test(key) && Number.isFinite(since));
  return ok(new Map(entries as [Key, number][]));
}

/** Replaces the document. */
export async function writeCondemned(driver: Driver, objects: Condemned): Promise<Result<void>> {
  const text = canonicalJson({ condemnedVersion: 1, objects: Object.fromEntries(objects) });
  return write(driver, DOCUMENT, text);
}

/** What time it is where the store is, in ms since the epoch: this machine's clock may be wrong. */
export async function storeClock(driver: Driver): Promise<Result<number>> {
  // Other bytes each time, or a store that knows contents by their digest would keep the time of the first.
  const written = await write(driver, CLOCK, randomUUID());
  if (!written.ok) return written;
  const info = await driver.stat(CLOCK);
  if (!info.ok) return info;
  if (info.value !== undefined) return ok(info.value.modified);
  return fail({ code: "external", what: `${CLOCK} in ${driver.url}`, problem: "it was written and is not there" });
}

async function write(driver: Driver, key: Key, text: string): Promise<Result<void>> {
  const bytes = Buffer.from(text);
  return driver.put(key, bodyOf(bytes, digestOf(bytes)), { replace: true });
}

function json(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
