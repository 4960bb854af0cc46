import { ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { parseConfig, settingsSchema } from "../config/index.ts";
import type { Settings } from "../config/index.ts";
import { git, repositoryOf } from "../git/index.ts";
import type { Source } from "../git/index.ts";
import type { RecordsApi, RecordsOptions } from "./records.ts";

const SETTINGS = ".github/lockstep.yml";
const BRANCH = "lockstep-records";
const REMOTE = "origin";

/**
 * Where a repository keeps its records: the branch its settings name, at `origin`, or here when it has no origin. In a
 * job that was given GITHUB_TOKEN (or GH_TOKEN), GitHub itself can be asked, if `origin` is the job's repository.
 */
export async function recordsOptions(context: Context, source: Source): Promise<Result<RecordsOptions>> {
  const settings = await loadSettings(source);
  if (!settings.ok) return settings;
  const url = await git(context, ["config", "--get", `remote.${REMOTE}.url`]);
  const api = url.ok ? apiOf(context.env, url.value.trim()) : undefined;
  return ok({
    branch: settings.value?.records ?? BRANCH,
    remote: url.ok ? REMOTE : null,
    ...(api === undefined ? {} : { api }),
  });
}

/** `.github/lockstep.yml` of a tree; undefined: it has none. */
export async function loadSettings(source: Source): Promise<Result<Settings | undefined>> {
  const text = await source.read(SETTINGS);
  if (!text.ok || text.value === undefined) return text as Result<undefined>;
  const settings = parseConfig(SETTINGS, text.value.toString(), settingsSchema);
  return settings.ok ? ok(settings.value.value) : settings;
}

function apiOf(env: Context["env"], origin: string): RecordsApi | undefined {
  const token = env["GITHUB_TOKEN"] || env["GH_TOKEN"];
  const { GITHUB_API_URL: apiUrl, GITHUB_REPOSITORY: repository } = env;
  if (!token || !apiUrl || !repository) return undefined;
  return repositoryOf(origin)?.toLowerCase() === repository.toLowerCase() ? { apiUrl, repository, token } : undefined;
}
