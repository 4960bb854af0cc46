import { isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { fail, ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import type { Source } from "../git/index.ts";
import { blobStore } from "./blob-store.ts";
import type { Driver } from "./driver.ts";
import { fileDriver } from "./drivers/file.ts";
import { lazyDriver } from "./drivers/lazy.ts";
import type { LocalStore, Store } from "./store.ts";

const SETTINGS = ".github/lockstep.yml";
const DEFAULT = "file:.lockstep/store";

/** Scheme -> its driver, loaded when it is used first: an SDK costs more to load than most commands take. */
const REMOTES: Readonly<Record<string, (context: Context, url: string) => Promise<Result<Driver>>>> = {
  "release:": async (...args) => (await import("./drivers/release/index.ts")).openRelease(...args),
  "oci:": async (...args) => (await import("./drivers/oci/index.ts")).openOci(...args),
  "s3:": async (...args) => (await import("./drivers/s3/index.ts")).openS3(...args),
};

/**
 * The store behind a URL. `file:<folder>` is relative to the repository's root, `file:///<folder>` is absolute; the
 * others are in docs/stores. Opening sends nothing, so a remote that is not there is noticed at the first use.
 */
export function openStore(context: Context, url: string): Result<Store> {
  const scheme = /^[a-z0-9]+:/.exec(url)?.[0] ?? "";
  const remote = REMOTES[scheme];
  if (remote !== undefined)
    return ok(
      blobStore(
        context,
        lazyDriver(url, async () => remote(context, url)),
      ),
    );
  if (scheme !== "file:") {
    const hint = "file:<folder>, release://<owner>/<repository>, oci://<registry>/<name> or s3://<bucket>/<prefix>";
    return fail({ code: "unsupported", what: `the store ${url}`, hint });
  }
  const path = url.slice("file:".length);
  if (path === "" || path.includes("\0")) return fail({ code: "usage", message: `"${url}" names no folder` });
  const folder = path.startsWith("//") ? absoluteOf(url) : ok(isAbsolute(path) ? path : resolve(context.cwd, path));
  return folder.ok ? ok(blobStore(context, fileDriver(context, { url, folder: folder.value, durable: true }))) : folder;
}

/** The blobs of this working copy: what was tracked or made here, before it is pushed. */
export function localCache(context: Context): LocalStore {
  const folder = join(context.cwd, ".lockstep", "cache");
  return blobStore(context, fileDriver(context, { url: "file:.lockstep/cache", folder, durable: false }));
}

/** A store in a folder of this machine that need not outlive a power cut. */
export function folderStore(context: Context, folder: string): LocalStore {
  return blobStore(context, fileDriver(context, { url: `file:${folder}`, folder, durable: false }));
}

/** The URL of the team's store: LOCKSTEP_STORE, else `store` of .github/lockstep.yml, else a folder beside the cache. */
export async function storeUrl(context: Context, source: Source): Promise<Result<string>> {
  const fromEnvironment = context.env["LOCKSTEP_STORE"];
  if (fromEnvironment !== undefined && fromEnvironment !== "") return ok(fromEnvironment);
  const text = await source.read(SETTINGS);
  if (!text.ok) return text;
  if (text.value === undefined) return ok(DEFAULT);
  const { parseConfig, settingsSchema } = await import("../config/index.ts"); // not needed by most who use a store
  const settings = parseConfig(SETTINGS, text.value.toString(), settingsSchema);
  return settings.ok ? ok(settings.value.value.store) : settings;
}

function absoluteOf(url: string): Result<string> {
  try {
    return ok(fileURLToPath(url));
  } catch (error) {
    return fail({ code: "usage", message: `"${url}" is not a file URL`, cause: error });
  }
}
