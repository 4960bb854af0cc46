import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { attempt, isSystemError, ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { readIni } from "./ini.ts";

/** Where this machine has DVC's objects. */
export interface DvcPlaces {
  /** Absolute. */
  readonly cache: string;
  /** Absolute folders of the remotes that are folders here, the default one first. */
  readonly remotes: readonly string[];
  /** URLs of the others: nothing is read from them. */
  readonly beyond: readonly string[];
}

const FOLDER = ".dvc";

/**
 * From `.dvc/config` and `.dvc/config.local`, the latter going before. A path there is relative to `.dvc`. Always this
 * machine's files, whatever revision is looked at: where bytes lie is no part of a commit.
 */
export async function dvcPlaces(context: Context): Promise<Result<DvcPlaces>> {
  const sections = new Map<string, Record<string, string>>();
  for (const name of ["config", "config.local"]) {
    const text = await attempt(`${FOLDER}/${name}`, async () => readIfThere(join(context.cwd, FOLDER, name)));
    if (!text.ok) return text;
    for (const [section, settings] of readIni(text.value)) {
      sections.set(section, { ...sections.get(section), ...settings });
    }
  }
  const folder = (path: string): string => resolve(context.cwd, FOLDER, path);
  const first = sections.get("core")?.["remote"];
  const urls = [...sections].flatMap(([section, { url }]) => {
    const name = /^remote "(.*)"$/.exec(section)?.[1];
    return name === undefined || url === undefined ? [] : [{ name, url }];
  });
  urls.sort((a, b) => Number(b.name === first) - Number(a.name === first));
  return ok({
    cache: folder(sections.get("cache")?.["dir"] ?? "cache"),
    remotes: urls.flatMap(({ url }) => (isUrl(url) ? [] : [folder(url)])),
    beyond: urls.flatMap(({ url }) => (isUrl(url) ? [url] : [])),
  });
}

function isUrl(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isSystemError(error) && ["ENOENT", "ENOTDIR"].includes(error.code)) return "";
    throw error;
  }
}
