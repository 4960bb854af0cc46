import { isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { fail, ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import type { Source } from "../git/index.ts";
import { fileStore } from "./file-store.ts";
import type { Store } from "./store.ts";

const SETTINGS = ".github/lockstep.yml";
const DEFAULT = "file:.lockstep/store";

/** The store behind a URL. `file:<folder>` is relative to the repository's root; `file:///<folder>` is absolute. */
export function openStore(context: Context, url: string): Result<Store> {
  if (!url.startsWith("file:")) {
    return fail({ code: "unsupported", what: `the store ${url}`, hint: "file:<folder> is the driver there is so far" });
  }
  const path = url.slice("file:".length);
  if (path === "" || path.includes("\0")) return fail({ code: "usage", message: `"${url}" names no folder` });
  const folder = path.startsWith("//") ? absoluteOf(url) : ok(isAbsolute(path) ? path : resolve(context.cwd, path));
  return folder.ok ? ok(fileStore(context, { url, folder: folder.value, durable: true })) : folder;
}

/** The blobs of this working copy: what was tracked or made here, before it is pushed. */
export function localCache(context: Context): Store {
  const folder = join(context.cwd, ".lockstep", "cache");
  return fileStore(context, { url: "file:.lockstep/cache", folder, durable: false });
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
