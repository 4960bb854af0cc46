import { ok } from "../../core/index.ts";
import type { Result } from "../../core/index.ts";
import type { Source } from "../../git/index.ts";
import type { Unpacking } from "./text.ts";

/** The `[parsing]` section of DVC's configuration file, which is INI; its defaults where there is none. */
export async function unpackingOf(source: Source): Promise<Result<Unpacking>> {
  const read = await source.read(".dvc/config");
  if (!read.ok) return read;
  const settings: Record<string, string> = {};
  let section = "";
  for (const line of (read.value?.toString("utf8") ?? "").split(/\r?\n/)) {
    const head = /^\s*\[(.+)\]\s*$/.exec(line);
    if (head !== null) section = head[1]!.replace(/^['"]|['"]$/g, "");
    const pair = /^\s*(\w+)\s*=\s*["']?(\w+)["']?\s*$/.exec(line);
    if (pair !== null && section === "parsing") settings[pair[1]!] = pair[2]!;
  }
  return ok({
    bool: settings["bool"] === "boolean_optional" ? "boolean_optional" : "store_true",
    list: settings["list"] === "append" ? "append" : "nargs",
  });
}
