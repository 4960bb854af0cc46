import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ResultDocument } from "../../src/config/index.ts";
import type { WorkflowRun } from "../../src/sandbox/world.ts";
import { readResultArtifact } from "../helpers/artifact.ts";
import { hasAct, inAct } from "./act.ts";
import { NAME, openRig } from "./rig.ts";
import type { Rig } from "./rig.ts";

/** What a run came to, apart from when and where. */
function essence(document: ResultDocument): unknown {
  const stages = document.stages.map(({ key, stage, outs, metrics }) => ({ key, stage, outs, metrics }));
  return { commit: document.commit, failures: document.failures, stages };
}

/** A second opinion on the executor: the same workflow files, in a runner that others wrote, come to the same. */
describe.skipIf(!hasAct)("act", () => {
  let rig: Rig;
  let pull: number;
  beforeAll(async () => {
    rig = await openRig();
    await rig.lockstep("init");
    await rig.run("git", ["add", "-A"]);
    await rig.run("git", ["commit", "-q", "-m", "Add Lockstep"]);
    await rig.run("git", ["push", "-q", "origin", "main"]);
    await rig.settle();
    pull = await rig.proposeCubic();
    await rig.settle();
  });
  afterAll(async () => rig.close());

  function runOf(name: string): WorkflowRun {
    const run = rig.runs().findLast((entry) => entry.name === name);
    if (run === undefined) throw new Error(`there is no run of ${name}`);
    expect(run.conclusion).toBe("success");
    return run;
  }

  it("runs the experiment to the same result", { timeout: 180_000 }, async () => {
    const ours = runOf("Lockstep experiment");
    const theirs = await readResultArtifact(rig.sandbox.world, NAME, await inAct(rig, ours));
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
      await inAct(rig, runOf(name));
      expect(await state()).toEqual(before);
    },
  );
});
