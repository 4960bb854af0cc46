import { fail, ok } from "../../../core/index.ts";
import type { Context, Result } from "../../../core/index.ts";
import { bodyOf } from "../../driver.ts";
import type { Body, Driver, Key } from "../../driver.ts";
import { mapLimited } from "../../files.ts";
import { parseAddress } from "./address.ts";
import { createClient } from "./client.ts";
import type { ClientOptions } from "./client.ts";
import { download } from "./download.ts";
import { digestIn, EMPTY, encodeManifest } from "./manifest.ts";
import { deleteManifest, listKeys, orThrow, readManifest, writeManifest } from "./objects.ts";
import { uploadBlob } from "./upload.ts";
import type { UploadOptions } from "./upload.ts";

export type OciOptions = ClientOptions & Omit<UploadOptions, "look">;

const WIDTH = 8;

/**
 * Objects in a repository of an OCI registry: each is the one layer of an image manifest with a tag of its own, so that
 * the registry's collector keeps it. An object is there when its tag is. Opening sends nothing.
 */
export function openOci(context: Context, url: string, options: OciOptions = {}): Result<Driver> {
  const address = parseAddress(url);
  if (!address.ok) return address;
  const client = createClient(context, address.value, options);
  let configured: Promise<Result<void>> | undefined;

  const upload = async (key: Key, body: Body, look: boolean): Promise<Result<void>> => {
    const what = `${key} in ${url}`;
    const sent = await uploadBlob(client, what, body, { ...options, look });
    if (!sent.ok) return sent;
    const empty = bodyOf(EMPTY.bytes, EMPTY.digest);
    configured ??= uploadBlob(client, what, empty, { ...options, look });
    const config = await configured;
    if (!config.ok) configured = undefined;
    return config;
  };

  const put: Driver["put"] = async (key, body, { replace = false } = {}) => {
    if (!replace) {
      const found = await readManifest(client, key);
      if (!found.ok) return found;
      if (found.value?.size === body.size) return ok();
    }
    for (const look of [!replace, false]) {
      // oxlint-disable-next-line no-await-in-loop -- the second round is for a layer that was collected meanwhile
      const sent = await upload(key, body, look);
      if (!sent.ok) return sent;
      const manifest = encodeManifest(key, body, client.now());
      // oxlint-disable-next-line no-await-in-loop
      const written = await writeManifest(client, key, manifest);
      if (!written.ok || written.value) return written.ok ? ok() : written;
      configured = undefined;
    }
    return fail({ code: "external", what: `${key} in ${url}`, problem: "the registry loses what was just sent" });
  };

  return ok({
    url,
    width: WIDTH,
    put,
    stat: async (key) => {
      const found = await readManifest(client, key);
      if (!found.ok || found.value === undefined) return found;
      return ok({ size: found.value.size, modified: found.value.modified });
    },
    get: async (key, sink, range) => {
      const what = `${key} in ${url}`;
      if (key.startsWith("blobs/")) return download(client, what, digestIn(key), sink, range);
      const found = await readManifest(client, key);
      if (!found.ok || found.value === undefined) return found.ok ? ok(false) : found;
      return download(client, what, found.value.layer, sink, range);
    },
    async *list(kind) {
      for await (const keys of listKeys(client, kind)) {
        const found = await mapLimited(keys, WIDTH, async (key) => ({ key, info: await readManifest(client, key) }));
        for (const { key, info } of found) {
          const stored = orThrow(info);
          // What is deleted while it is listed is not there.
          if (stored !== undefined) yield { key, size: stored.size, modified: stored.modified };
        }
      }
    },
    delete: async (key) => {
      const found = await readManifest(client, key);
      if (!found.ok || found.value === undefined) return found.ok ? ok() : found;
      return deleteManifest(client, key, found.value.digest);
    },
  });
}
