import { ok } from "../../core/index.ts";
import type { Result } from "../../core/index.ts";
import { readIni } from "../../dvc/index.ts";
import type { Source } from "../../git/index.ts";
import type { Unpacking } from "./text.ts";

/** The `[parsing]` section of DVC's configuration file, which is INI; its defaults where there is none. */
export async function unpackingOf(source: Source): Promise<Result<Unpacking>> {
  const read = await source.read(".dvc/config");
  if (!read.ok) return read;
  const settings = readIni(read.value?.toString("utf8") ?? "").get("parsing") ?? {};
  return ok({
    bool: settings["bool"] === "boolean_optional" ? "boolean_optional" : "store_true",
    list: settings["list"] === "append" ? "append" : "nargs",
  });
}
