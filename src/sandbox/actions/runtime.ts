import { ID_TOKEN_PATH } from "../oidc.ts";
import type { JobMachine } from "./machine.ts";

/** Where the Actions results service, the cache and the identity tokens are: for JavaScript actions only, as there. */
export function runtimeEnvironment(machine: JobMachine): Record<string, string> {
  const { world, token, job, run, cacheMode } = machine.options;
  const url = `${world.origin}/`;
  return {
    ACTIONS_RUNTIME_URL: url,
    ACTIONS_RUNTIME_TOKEN: token,
    ACTIONS_RESULTS_URL: url,
    ACTIONS_CACHE_URL: url,
    ACTIONS_CACHE_SERVICE_V2: "True",
    ACTIONS_ORCHESTRATION_ID: `${run.id}.${job.id}`,
    ...(cacheMode === undefined ? {} : { ACTIONS_CACHE_MODE: cacheMode }),
    ...(job.permissions["id-token"] === "write"
      ? {
          ACTIONS_ID_TOKEN_REQUEST_URL: `${world.origin}${ID_TOKEN_PATH}`,
          ACTIONS_ID_TOKEN_REQUEST_TOKEN: token,
        }
      : {}),
  };
}
