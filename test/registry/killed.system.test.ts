import { spawn } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FakeGitHub } from "../github/fake.ts";
import { Rig } from "./rig.ts";

interface Ended {
  readonly signal: string | null;
  readonly code: number | null;
  readonly effects: readonly string[];
  readonly stderr: string;
}

async function run(clone: string, commit: string, fake: FakeGitHub, last: number): Promise<Ended> {
  const child = spawn(process.execPath, [
    join(import.meta.dirname, "promote-main.ts"),
    clone,
    commit,
    fake.apiUrl,
    String(last),
  ]);
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => (stdout += String(chunk)));
  child.stderr.on("data", (chunk) => (stderr += String(chunk)));
  return new Promise((resolve) => {
    child.on("close", (code, signal) => {
      resolve({ code, signal, stderr, effects: stdout.split("\n").filter((line) => line !== "") });
    });
  });
}

/** What anybody can see afterwards, without the numbers that GitHub and git give out as they go. */
function endState(rig: Rig, fake: FakeGitHub): unknown {
  return {
    main: rig.tree("main"),
    records: rig.files("lockstep-records").map((path) => [path, withoutReasons(rig.file(path, "lockstep-records"))]),
    commits: rig.git(rig.bare, "log", "--format=%s", "main"),
    releases: fake.releases.map(({ tag_name, draft, target_commitish, assets, body }) => {
      const names = (assets as { name: string; digest: string; state: string }[]).map(
        ({ name, digest, state }) => `${name} ${digest} ${state}`,
      );
      return { tag_name, draft, target_commitish, body, names };
    }),
  };
}

/** Why a stage ran is told of the attempt that got through: a second one knows that there was a first. */
function withoutReasons(record: string): string {
  return record.replace(/"reason": ".*"/g, '"reason": ""');
}

async function inNewWorld<T>(body: (world: { rig: Rig; fake: FakeGitHub; commit: string }) => Promise<T>): Promise<T> {
  await using rig = await Rig.create();
  await using fake = await FakeGitHub.start();
  return await body({ rig, fake, commit: rig.git(rig.bare, "rev-parse", "main") });
}

describe("a promotion that is killed", () => {
  it("behind any of its effects ends, when run again, as one that was not", { timeout: 180_000 }, async () => {
    const clean = await inNewWorld(async ({ rig, fake, commit }) => {
      const ended = await run(await rig.clone(), commit, fake, 0);
      return { ...ended, state: endState(rig, fake) };
    });
    expect(clean).toMatchObject({ code: 0, stderr: "" });
    // The order of effects that everything else rests on: bytes and records, then the lock, then the release.
    const lasting = clean.effects.filter((name) => /records pushed|version committed|release/.test(name));
    expect(lasting).toEqual([
      "records pushed",
      "toy version committed",
      "release-drafted",
      "release-asset model.bin",
      "release-asset CARD.md",
      "release-asset record.json",
      "release-published",
    ]);

    const attempt = async (last: number): Promise<void> => {
      await inNewWorld(async ({ rig, fake, commit }) => {
        const clone = await rig.clone();
        const killed = await run(clone, commit, fake, last);
        expect(killed.signal, `effect ${last}`).toBe("SIGKILL");
        expect(killed.effects).toEqual(clean.effects.slice(0, last));
        // A hosted runner starts from nothing; a self-hosted one from what the killed job left.
        const folder = last % 2 === 0 ? clone : await rig.clone();
        rig.git(folder, "checkout", "--quiet", "--detach", commit);
        const again = await run(folder, commit, fake, 0);
        expect(again, `after ${killed.effects.at(-1)}`).toMatchObject({ code: 0, stderr: "" });
        expect(endState(rig, fake), `after ${killed.effects.at(-1)}`).toEqual(clean.state);
      });
    };
    // Of the pipeline's own effects, which have a test of their own, the last one stands for all.
    const first = clean.effects.indexOf("records pushed");
    const stops = clean.effects.map((_, index) => index + 1).slice(first - 1);
    const worker = async (): Promise<void> => {
      for (let next = stops.shift(); next !== undefined; next = stops.shift()) await attempt(next);
    };
    await Promise.all([worker(), worker()]);
  });
});
