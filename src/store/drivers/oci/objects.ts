import { createHash } from "node:crypto";
import { fail, message, ok } from "../../../core/index.ts";
import type { Result } from "../../../core/index.ts";
import type { Key, KeyKind } from "../../driver.ts";
import { troubled } from "../retry.ts";
import type { Outcome } from "../retry.ts";
import { limitedText } from "./authorization.ts";
import { refused } from "./client.ts";
import type { Call, Client } from "./client.ts";
import { keyOf, MANIFEST_TYPE, parseManifest, tagOf } from "./manifest.ts";
import type { Stored } from "./manifest.ts";

/** Far more than a manifest of ours has, and than a page of tags. */
const MAX_MANIFEST = 64 * 1024;
const MAX_PAGE = 4 * 1024 * 1024;
const PAGE = 1000;

/** The manifest at a key's tag; undefined when there is none. */
export async function readManifest(client: Client, key: Key): Promise<Result<Stored | undefined>> {
  const what = `${key} in ${client.address.url}`;
  const call: Call = {
    what,
    access: "pull",
    method: "GET",
    at: `manifests/${tagOf(key)}`,
    headers: { accept: MANIFEST_TYPE },
  };
  return client.retry(what, async () =>
    client.once<Stored | undefined>(call, async (response, watch) => {
      if (response.status === 404) return ok(undefined);
      if (!response.ok) return refused(client, call, response, watch);
      const bytes = Buffer.from(await limitedText(response, MAX_MANIFEST, () => watch.moved()));
      const promised = response.headers.get("docker-content-digest");
      if (promised?.startsWith("sha256:") === true && promised !== sha256(bytes)) {
        return troubled({ problem: `the manifest came as ${sha256(bytes)}, not as ${promised}` });
      }
      return parseManifest(what, key, bytes);
    }),
  );
}

/** Gives a manifest the key's tag. False: the registry does not have (any more) what the manifest names. */
export async function writeManifest(client: Client, key: Key, bytes: Buffer): Promise<Result<boolean>> {
  const what = `${key} in ${client.address.url}`;
  const call: Call = {
    what,
    access: "push",
    method: "PUT",
    at: `manifests/${tagOf(key)}`,
    headers: { "content-type": MANIFEST_TYPE },
    upload: {
      size: bytes.length,
      async *open() {
        yield bytes;
      },
    },
  };
  return client.retry(what, async () =>
    client.once<boolean>(call, async (response, watch) => {
      if (response.ok) return ok(true);
      const refusal = await refused(client, call, response, watch);
      return isBlobUnknown(refusal) ? ok(false) : refusal;
    }),
  );
}

function isBlobUnknown(refusal: Outcome<never>): boolean {
  return "failures" in refusal && /\b(MANIFEST_)?BLOB_UNKNOWN\b/.test(message(refusal.failures[0]));
}

/** Deletes a manifest by its digest, and with it the tags that name it. */
export async function deleteManifest(client: Client, key: Key, digest: string): Promise<Result<void>> {
  const what = `${key} in ${client.address.url}`;
  const call: Call = { what, access: "delete", method: "DELETE", at: `manifests/${digest}` };
  return client.retry(what, async () =>
    client.once<void>(call, async (response, watch) => {
      if (response.ok || response.status === 404) return ok();
      const refusal = await refused(client, call, response, watch);
      const problem = "failures" in refusal ? message(refusal.failures[0]) : "";
      if (response.status !== 405 && !/\bUNSUPPORTED\b/.test(problem)) return refusal;
      return fail({ code: "external", what, problem: "the registry lets nobody delete", hint: deletionHint(client) });
    }),
  );
}

function deletionHint({ address: { registry, repository } }: Client): string {
  if (registry !== "ghcr.io") return "allow it in the registry's settings (docker-registry: `storage.delete.enabled`)";
  return `on ghcr.io the versions of the package ${repository} are deleted on GitHub's page of the package`;
}

/** Keys of a kind, page by page. @throws what the registry refuses. */
export async function* listKeys(client: Client, kind: KeyKind): AsyncGenerator<Key[]> {
  const { url, origin } = client.address;
  const seen = new Set<string>();
  for (let at: string | URL | undefined = `tags/list?n=${PAGE}`; at !== undefined;) {
    // oxlint-disable-next-line no-await-in-loop -- a page names the next
    const page: Page = orThrow(await readPage(client, at));
    const keys = page.tags.flatMap((tag) => (seen.has(tag) ? [] : (keyOf(tag, kind) ?? [])));
    const fresh = page.tags.some((tag) => !seen.has(tag));
    for (const tag of page.tags) seen.add(tag);
    yield keys;
    at = page.next;
    if (at === undefined) return;
    // Neither a circle of pages nor an address elsewhere may be followed.
    if (!fresh || at.origin !== origin) throw new Error(`${url}: the pages of its tags lead nowhere`);
  }
}

interface Page {
  readonly tags: readonly string[];
  readonly next: URL | undefined;
}

async function readPage(client: Client, at: string | URL): Promise<Result<Page>> {
  const { url, origin } = client.address;
  const what = `the tags of ${url}`;
  const call: Call = { what, access: "pull", method: "GET", at };
  return client.retry(what, async () =>
    client.once<Page>(call, async (response, watch) => {
      // A repository begins to exist with its first push.
      if (response.status === 404) return ok({ tags: [], next: undefined });
      if (!response.ok) return refused(client, call, response, watch);
      const tags = tagsIn(await limitedText(response, MAX_PAGE, () => watch.moved()));
      if (tags === undefined) return fail({ code: "external", what, problem: "the answer is no list of tags" });
      const link = /<([^>]*)>\s*;[^,]*\brel="?next"?/.exec(response.headers.get("link") ?? "")?.[1];
      const next = link === undefined ? undefined : (URL.parse(link, response.url || origin) ?? undefined);
      return ok({ tags, next });
    }),
  );
}

/** A repository whose tags are all gone has `null` for them. */
function tagsIn(text: string): string[] | undefined {
  try {
    const { tags } = JSON.parse(text) as { tags?: unknown };
    if (tags === null) return [];
    return Array.isArray(tags) && tags.every((tag) => typeof tag === "string") ? tags : undefined;
  } catch {
    return undefined;
  }
}

export function orThrow<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new Error(message(result.failures[0]), { cause: result.failures });
}

function sha256(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
