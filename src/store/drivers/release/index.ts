import { fail, ok } from "../../../core/index.ts";
import type { Context, Result } from "../../../core/index.ts";
import { LIMITS } from "../../../github/limits.ts";
import type { Driver, Key } from "../../driver.ts";
import { ReleaseApi } from "./api.ts";
import { isWhole } from "./asset.ts";
import { Catalogue } from "./catalogue.ts";
import { Downloads } from "./download.ts";
import type { ReleaseOptions } from "./options.ts";
import { Uploads } from "./upload.ts";
import { parseReleaseUrl } from "./url.ts";

export type { ReleaseOptions } from "./options.ts";

/**
 * Objects as assets of GitHub releases (docs/stores/release.md). The token is GITHUB_TOKEN or GH_TOKEN, the API that of
 * GITHUB_API_URL. Opening sends nothing.
 */
export function openRelease(context: Context, url: string, options: ReleaseOptions = {}): Result<Driver> {
  const address = parseReleaseUrl(url);
  if (!address.ok) return address;
  const api = new ReleaseApi(context, url, address.value, options);
  const catalogue = new Catalogue(api, address.value.prefix);
  const uploads = new Uploads(api, catalogue);
  const downloads = new Downloads(api);
  const name = (key: Key): string => `${key} in ${url}`;

  return ok({
    url,
    width: 6,
    async stat(key) {
      const found = await catalogue.find(key, name(key), "stat");
      if (!found.ok || found.value === undefined) return found.ok ? ok(undefined) : found;
      return ok({ size: found.value.size, modified: found.value.modified });
    },
    async get(key, sink, range) {
      // An object that is written again gets a new asset; whoever knows only the old one looks again.
      for (let look = 0; look < 3; look++) {
        // oxlint-disable-next-line no-await-in-loop
        const found = await catalogue.find(key, name(key), "get");
        if (!found.ok || found.value === undefined) return found.ok ? ok(false) : found;
        // oxlint-disable-next-line no-await-in-loop
        const got = await downloads.get(found.value, name(key), sink, range);
        if (!got.ok || got.value === "done") return got.ok ? ok(true) : got;
        catalogue.remove(found.value);
        // oxlint-disable-next-line no-await-in-loop
        const read = await catalogue.refresh(name(key));
        if (!read.ok) return read;
      }
      return ok(false);
    },
    async put(key, body, { replace = false } = {}) {
      const what = name(key);
      if (context.signal?.aborted === true) return fail({ code: "interrupted" });
      if (body.size > LIMITS.assetBytes) {
        const hint = "a store of another kind (s3, oci, a folder) takes it";
        return fail({ code: "external", what, problem: "a release takes no asset of 2 GiB or more", hint });
      }
      // A version that others wrote must not be overlooked when it is to be replaced.
      const read = await (replace ? catalogue.refresh(what) : catalogue.ready(what));
      if (!read.ok) return read;
      if (!replace && catalogue.newest(key)?.size === body.size) return ok();
      return uploads.put(key, body, what);
    },
    async *list(kind) {
      const read = await catalogue.refresh(`the list of ${kind} in ${url}`);
      if (!read.ok) throw new Error(`${url} cannot be listed`, { cause: read.failures[0] });
      const keys = new Set<Key>();
      for (const asset of catalogue.all()) if (asset.key.startsWith(`${kind}/`) && isWhole(asset)) keys.add(asset.key);
      for (const key of keys) {
        const found = catalogue.newest(key);
        if (found !== undefined) yield { key, size: found.size, modified: found.modified };
      }
    },
    async delete(key) {
      const found = await catalogue.find(key, name(key), "stat");
      if (!found.ok) return found;
      // A `starter` may be an upload that goes on; one whose writer is gone is swept by the next one.
      for (const asset of catalogue.of(key).filter(({ starter }) => !starter)) {
        // oxlint-disable-next-line no-await-in-loop -- there is one, hardly ever two
        const deleted = await uploads.delete(asset, name(key));
        if (!deleted.ok) return deleted;
      }
      return ok();
    },
  });
}
