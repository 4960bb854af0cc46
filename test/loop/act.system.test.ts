import { cpSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ResultDocument } from "../../src/config/index.ts";
import { compareCodeUnits, spawn } from "../../src/core/index.ts";
import type { Permissions, WorkflowRun } from "../../src/sandbox/world.ts";
import { readResultArtifact } from "../helpers/artifact.ts";
import { NAME, openRig, root } from "./rig.ts";
import type { Rig } from "./rig.ts";

const act = await spawn("act", ["--version"]);
if (act.exitCode !== 0) console.log("skipped: act is not installed (go install github.com/nektos/act@latest)");

const provided = join(root, "src", "sandbox", "actions", "provided");

/** What a run came to, apart from when and where. */
function essence(document: ResultDocument): unknown {
  const stages = document.stages.map(({ key, stage, outs, metrics }) => ({ key, stage, outs, metrics }));
  return { commit: document.commit, failures: document.failures, stages };
}

/** A second opinion on the executor: the same workflow files, in a runner that others wrote, come to the same. */
describe.skipIf(act.exitCode !== 0)("act", () => {
  let rig: Rig;
  let pull: number;
  beforeAll(async () => {
    rig = await openRig();
    // act copies the whole folder of an action for every run, so it gets the actions and nothing else.
    cpSync(join(root, "actions"), join(rig.dir, "lockstep", "actions"), { recursive: true });
    await rig.lockstep("init");
    await rig.run("git", ["add", "-A"]);
    await rig.run("git", ["commit", "-q", "-m", "Add Lockstep"]);
    await rig.run("git", ["push", "-q", "origin", "main"]);
    await rig.settle();
    pull = await rig.proposeCubic();
    await rig.settle();
  });
  afterAll(async () => rig.close());

  /** Runs a workflow file in act, for the event of `run` and on its commit; gives the id that its artifacts have. */
  async function inAct(run: WorkflowRun): Promise<number> {
    const { sandbox } = rig;
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
    const permissions: Permissions = Object.fromEntries(
      given.toSorted(([, one], [, two]) => compareCodeUnits(one, two)),
    );
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
    const store = run.event === "pull_request" ? `${rig.store}-act` : rig.store;
    const result = await spawn(
      "act",
      [
        [run.event, "-W", run.path, "-e", event],
        ["-P", "ubuntu-latest=-self-hosted", "--bind", "--no-cache-server", "--secret", `GITHUB_TOKEN=${token}`],
        ["--action-cache-path", join(work, ".act"), "--var", `LOCKSTEP_STORE=file://${store}`],
        ["--local-repository", `lockstep-ml/lockstep@v1=${join(rig.dir, "lockstep")}`],
        // Its own way of skipping the checkout leaves .git behind, so the sandbox's checkout runs there too.
        ["--no-skip-checkout"],
        ...["checkout", "setup-node"].map((name) => [
          "--local-repository",
          `actions/${name}@v6=${join(provided, name)}`,
        ]),
        ...Object.entries(env).map(([name, value]) => ["--env", `${name}=${value}`]),
      ].flat(),
      { cwd: work, env: { PATH: process.env["PATH"], HOME: rig.dir } },
    );
    expect(result.exitCode, result.stdout.toString() + result.stderr).toBe(0);
    return runId;
  }

  function runOf(name: string): WorkflowRun {
    const run = rig.runs().find((entry) => entry.name === name);
    if (run === undefined) throw new Error(`there is no run of ${name}`);
    expect(run.conclusion).toBe("success");
    return run;
  }

  it("runs the experiment to the same result", { timeout: 180_000 }, async () => {
    const ours = runOf("Lockstep experiment");
    const theirs = await readResultArtifact(rig.sandbox.world, NAME, await inAct(ours));
    expect(essence(theirs)).toEqual(essence(await readResultArtifact(rig.sandbox.world, NAME, ours.id)));
  });

  it.each(["Lockstep report", "Lockstep promote"])(
    "runs %s again, which changes nothing",
    { timeout: 180_000 },
    async (name) => {
      const state = async (): Promise<unknown> => ({
        comments: (await rig.api<{ id: number }[]>("GET", `/issues/${pull}/comments`)).map(({ id }) => id),
        releases: (await rig.api<{ id: number }[]>("GET", "/releases")).map(({ id }) => id),
        main: (await rig.api<{ commit: { sha: string } }>("GET", "/branches/main")).commit.sha,
      });
      const before = await state();
      await inAct(runOf(name));
      expect(await state()).toEqual(before);
    },
  );
});
