import { cpSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { compareCodeUnits, spawn } from "../../src/core/index.ts";
import type { Permissions, WorkflowRun } from "../../src/sandbox/world.ts";
import { NAME, root } from "./rig.ts";
import type { Rig } from "./rig.ts";

export const hasAct = (await spawn("act", ["--version"])).exitCode === 0;
if (!hasAct) console.log("skipped: act is not installed (go install github.com/nektos/act@latest)");

const provided = join(root, "src", "sandbox", "actions", "provided");

/**
 * Runs a workflow file in act, for the event of `run` and on its commit; gives the id that its artifacts have. Jobs share
 * one folder, or get a copy each: several at once must not meet. Without `store` they share no store either.
 */
export async function inAct(rig: Rig, run: WorkflowRun, { copies = false, store = true } = {}): Promise<number> {
  const { sandbox } = rig;
  // act copies the whole folder of an action for every run, so it gets the actions and nothing else.
  const actions = join(rig.dir, "lockstep", "actions");
  if (!existsSync(actions)) cpSync(join(root, "actions"), actions, { recursive: true });
  const work = mkdtempSync(join(rig.dir, "act-"));
  await rig.run("git", ["clone", "-q", sandbox.cloneUrl(NAME, "acme"), work]);
  await rig.run("git", ["fetch", "-q", "origin", run.sha], work);
  await rig.run("git", ["checkout", "-q", "-B", run.headBranch, "FETCH_HEAD"], work);
  // act's schema of workflows is older than `queue` and refuses the whole file for it.
  const file = join(work, run.path);
  writeFileSync(file, readFileSync(file, "utf8").replace(/^ *queue: max\n/m, ""));
  const event = join(rig.dir, `event-${run.id}.json`);
  writeFileSync(event, JSON.stringify(run.payload));
  // A run of its own, so that its artifact has a place: act knows nothing of the sandbox, nor of permissions.
  const runId = sandbox.world.nextId();
  const given = run.jobs.flatMap((job) => Object.entries(job.permissions)).filter(([, level]) => level !== "none");
  const permissions: Permissions = Object.fromEntries(given.toSorted(([, one], [, two]) => compareCodeUnits(one, two)));
  const token = sandbox.world.mintToken({ repository: NAME, permissions, runId, jobId: runId });
  const env = {
    GITHUB_API_URL: sandbox.apiUrl,
    GITHUB_SERVER_URL: sandbox.url.replace("127.0.0.1", "github.localhost"),
    GITHUB_REPOSITORY: NAME,
    ACTIONS_RESULTS_URL: `${sandbox.url}/`,
    ACTIONS_RUNTIME_URL: `${sandbox.url}/`,
    ACTIONS_RUNTIME_TOKEN: token,
    ACTIONS_CACHE_SERVICE_V2: "True",
    ACTIONS_ORCHESTRATION_ID: String(runId),
  };
  const folder = run.event === "pull_request" ? `${rig.store}-act` : rig.store;
  const result = await spawn(
    "act",
    [
      [run.event, "-W", run.path, "-e", event],
      ["-P", "ubuntu-latest=-self-hosted", "--no-cache-server", "--secret", `GITHUB_TOKEN=${token}`],
      copies ? [] : ["--bind"],
      ["--action-cache-path", `${work}-cache`, "--var", `LOCKSTEP_STORE=${store ? `file://${folder}` : ""}`],
      ["--local-repository", `lockstep-ml/lockstep@v1=${join(rig.dir, "lockstep")}`],
      // Its own way of skipping the checkout leaves .git behind, so the sandbox's checkout runs there too.
      ["--no-skip-checkout"],
      ...["checkout", "setup-node"].map((name) => ["--local-repository", `actions/${name}@v6=${join(provided, name)}`]),
      ...Object.entries(env).map(([name, value]) => ["--env", `${name}=${value}`]),
    ].flat(),
    { cwd: work, env: { PATH: process.env["PATH"], HOME: rig.dir } },
  );
  expect(result.exitCode, result.stdout.toString() + result.stderr).toBe(0);
  return runId;
}
