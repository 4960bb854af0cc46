import { saveCache } from "@actions/cache";
import * as core from "@actions/core";

const key = core.getState("key");
if (key === core.getState("found")) core.info(`Cache hit occurred on the primary key ${key}, not saving cache.`);
else await saveCache(core.getMultilineInput("path", { required: true }), key);
