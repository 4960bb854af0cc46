import * as core from "@actions/core";

const key = core.getState("key");
if (key === core.getState("found")) {
  core.info(`Cache hit occurred on the primary key ${key}, not saving cache.`);
} else {
  // The client takes a second to load, which a hit can do without.
  const { saveCache } = await import("@actions/cache");
  await saveCache(core.getMultilineInput("path", { required: true }), key);
}
