import { randomUUID } from "node:crypto";
import type { Hono } from "hono";
import { z } from "zod";
import { fullName } from "../rest/shape.ts";
import type { CacheEntry, World } from "../world.ts";
import { signedUrl } from "./sign.ts";
import { mountService, parse, TwirpError, type Caller } from "./twirp.ts";
import { beginUpload, takeUpload } from "./uploads.ts";

const Entry = z.object({ key: z.string().min(1).max(512), version: z.string() });
const Finalize = Entry.extend({ size_bytes: z.coerce.number().default(0) });
const Lookup = Entry.extend({ restore_keys: z.array(z.string()).default([]) });
const ADDRESS_MS = 60 * 60 * 1000;

/** Uploads that are under way, by scope, key and version. */
const pending = new WeakMap<World, Map<string, string>>();

function pendingOf(world: World): Map<string, string> {
  const known = pending.get(world) ?? new Map<string, string>();
  pending.set(world, known);
  return known;
}

/** The ref an entry is saved for. */
const scope = (caller: Caller): string => caller.run?.ref ?? `refs/heads/${caller.repository.defaultBranch}`;

/** Where a job may read from, best first: its own ref, the base of its pull request, the default branch. */
function scopes(caller: Caller): string[] {
  const pull = caller.run?.payload["pull_request"] as { base?: { ref?: string } } | undefined;
  const base = pull?.base?.ref;
  const main = `refs/heads/${caller.repository.defaultBranch}`;
  return [...new Set([scope(caller), ...(base === undefined ? [] : [`refs/heads/${base}`]), main])];
}

/** Runs that others can start from outside, on the default branch's ref, may not fill its cache. */
function isUntrusted(caller: Caller): boolean {
  const { run } = caller;
  if (run === undefined) return false;
  const fromFork = run.headRepository !== fullName(caller.repository);
  return (
    run.event === "pull_request_target" || run.event === "issue_comment" || (run.event === "workflow_run" && fromFork)
  );
}

const id = (caller: Caller, key: string, version: string): string =>
  JSON.stringify([fullName(caller.repository), scope(caller), key, version]);

function create(caller: Caller, request: unknown): object {
  const { key, version } = parse(Entry, request);
  const { world, repository } = caller;
  if (isUntrusted(caller)) return { ok: false, message: "cache write denied: the token of this event is read-only" };
  const ref = scope(caller);
  if (repository.caches.some((entry) => entry.key === key && entry.version === version && entry.ref === ref)) {
    throw new TwirpError(409, "already_exists", "cache entry with the same key, version, and scope already exists");
  }
  const blob = randomUUID();
  beginUpload(world, blob);
  pendingOf(world).set(id(caller, key, version), blob);
  const until = new Date(world.clock.now().getTime() + ADDRESS_MS);
  return { ok: true, signed_upload_url: signedUrl(world, { blob, access: "write", until }) };
}

function finalize(caller: Caller, request: unknown): object {
  const { key, version, size_bytes: size } = parse(Finalize, request);
  const { world, repository } = caller;
  const name = id(caller, key, version);
  const stored = takeUpload(world, pendingOf(world).get(name) ?? "");
  if (stored === undefined) throw new TwirpError(404, "not_found", "no upload for this cache entry");
  pendingOf(world).delete(name);
  if (stored.size !== size)
    throw new TwirpError(400, "invalid_argument", `${stored.size} bytes came, ${size} were announced`);
  const now = world.clock.now().toISOString();
  const entry: CacheEntry = {
    id: world.nextId(),
    key,
    version,
    ref: scope(caller),
    size: stored.size,
    createdAt: now,
    lastAccessedAt: now,
    blob: stored.blob,
  };
  repository.caches.push(entry);
  world.touch();
  return { ok: true, entry_id: String(entry.id) };
}

/** In each scope: the key exactly, then as a prefix, then the restore keys; of several the newest. */
function find(caller: Caller, key: string, restoreKeys: readonly string[], version: string): CacheEntry | undefined {
  for (const ref of scopes(caller)) {
    const entries = caller.repository.caches.filter((entry) => entry.ref === ref && entry.version === version);
    const newest = entries.toReversed();
    const found =
      newest.find((entry) => entry.key === key) ??
      [key, ...restoreKeys]
        .map((prefix) => newest.find((entry) => entry.key.startsWith(prefix)))
        .find((entry) => entry !== undefined);
    if (found !== undefined) return found;
  }
  return undefined;
}

function lookup(caller: Caller, request: unknown): object {
  const { key, version, restore_keys: restoreKeys } = parse(Lookup, request);
  const { world } = caller;
  const entry = find(caller, key, restoreKeys, version);
  if (entry === undefined) return { ok: false };
  entry.lastAccessedAt = world.clock.now().toISOString();
  world.touch();
  const until = new Date(world.clock.now().getTime() + ADDRESS_MS);
  const url = signedUrl(world, { blob: entry.blob, access: "read", until });
  return { ok: true, signed_download_url: url, matched_key: entry.key };
}

/** The cache service, version 2. */
export function mountCache(app: Hono, world: World): void {
  mountService(app, world, "CacheService", {
    CreateCacheEntry: create,
    FinalizeCacheEntryUpload: finalize,
    GetCacheEntryDownloadURL: lookup,
  });
}
