import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ResultDocument } from "../../src/config/index.ts";
import { spawn } from "../../src/core/index.ts";
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

/** A second opinion on the executor: the same workflow file, in a runner that others wrote, gives the same result. */
describe.skipIf(act.exitCode !== 0)("act", () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig();
  });
  afterAll(async () => rig.close());

  it("runs the experiment workflow to the same result", { timeout: 180_000 }, async () => {
    await rig.lockstep("init");
    await rig.run("git", ["add", "-A"]);
    await rig.run("git", ["commit", "-q", "-m", "Add Lockstep"]);
    await rig.run("git", ["push", "-q", "origin", "main"]);
    await rig.settle();
    const pull = await rig.proposeCubic();
    await rig.settle();
    const ours = rig.runs().find((run) => run.event === "pull_request");
    expect(ours?.conclusion).toBe("success");
    if (ours === undefined) return;

    const { sandbox } = rig;
    const work = join(rig.dir, "act", "first");
    mkdirSync(work, { recursive: true });
    await rig.run("git", ["clone", "-q", sandbox.cloneUrl(NAME, "acme"), work]);
    await rig.run("git", ["fetch", "-q", "origin", `refs/pull/${pull}/merge`], work);
    await rig.run("git", ["checkout", "-q", "--detach", "FETCH_HEAD"], work);
    const event = join(rig.dir, "event.json");
    writeFileSync(event, JSON.stringify(ours.payload));
    // A run of its own, so that its artifact has a place: act knows nothing of the sandbox.
    const runId = sandbox.world.nextId();
    const token = sandbox.world.mintToken({ repository: NAME, permissions: { contents: "read" }, runId, jobId: runId });
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
    const result = await spawn(
      "act",
      [
        ["pull_request", "-W", ".github/workflows/lockstep-experiment.yml", "-e", event],
        ["-P", "ubuntu-latest=-self-hosted", "--bind", "--no-cache-server", "--secret", `GITHUB_TOKEN=${token}`],
        ["--action-cache-path", join(rig.dir, "act", "cache"), "--var", `LOCKSTEP_STORE=file://${rig.store}-act`],
        ["--local-repository", `lockstep-ml/lockstep@v1=${root}`],
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
    const theirs = await readResultArtifact(sandbox.world, NAME, runId);
    expect(essence(theirs)).toEqual(essence(await readResultArtifact(sandbox.world, NAME, ours.id)));
  });
});
