import { restoreCache } from "@actions/cache";
import * as core from "@actions/core";

const key = core.getInput("key", { required: true });
const paths = core.getMultilineInput("path", { required: true });
try {
  const found = await restoreCache(paths, key, core.getMultilineInput("restore-keys"), {
    lookupOnly: core.getBooleanInput("lookup-only"),
  });
  core.saveState("key", key);
  core.saveState("found", found ?? "");
  core.setOutput("cache-hit", found === undefined ? "" : String(found === key));
  if (found !== undefined) core.info(`Cache restored from key: ${found}`);
  else if (core.getBooleanInput("fail-on-cache-miss"))
    core.setFailed(`Failed to restore cache entry. Exiting as fail-on-cache-miss is set. Input key: ${key}`);
  else core.info(`Cache not found for input keys: ${key}`);
} catch (error) {
  core.setFailed(error instanceof Error ? error.message : String(error));
}
