import { ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { parseConfig, settingsSchema } from "../config/index.ts";
import { git } from "../git/index.ts";
import type { Source } from "../git/index.ts";
import type { RecordsOptions } from "./records.ts";

const SETTINGS = ".github/lockstep.yml";
const BRANCH = "lockstep-records";
const REMOTE = "origin";

/** Where a repository keeps its records: the branch its settings name, at `origin`, or here when it has no origin. */
export async function recordsOptions(context: Context, source: Source): Promise<Result<RecordsOptions>> {
  const text = await source.read(SETTINGS);
  if (!text.ok) return text;
  const settings = text.value && parseConfig(SETTINGS, text.value.toString(), settingsSchema);
  if (settings?.ok === false) return settings;
  const url = await git(context, ["config", "--get", `remote.${REMOTE}.url`]);
  return ok({ branch: settings?.value.value.records ?? BRANCH, remote: url.ok ? REMOTE : null });
}
