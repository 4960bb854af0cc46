import { createHash } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { expect } from "vitest";
import { hasContent } from "../../../src/store/index.ts";
import type { Named } from "../../../src/store/index.ts";
import { startLockstep } from "../../helpers/cli.ts";
import type { Running } from "../../helpers/cli.ts";
import { must } from "../contract.ts";
import { contentOf, copyStage, keysOf, SCENES, wrongIn } from "./scenes.ts";
import type { Prepared, Scene, Stage } from "./scenes.ts";

/** How a scene goes when nobody is killed. */
interface Unkilled {
  /** That the work of each command takes, in ms. */
  readonly times: readonly number[];
  /** Effects that each tells. */
  readonly effects: readonly number[];
  readonly end: Record<string, unknown>;
}

/**
 * Kills commands at random moments, one scene a seed, and holds what has to be true after that, and after the same
 * commands have run again. Gives how many commands were killed at work.
 */
export async function killSeeds(
  prepared: Prepared,
  folder: string,
  seeds: readonly number[],
  width: number,
): Promise<number> {
  const known = new Map<string, Promise<Unkilled>>();
  const startUps: number[] = [];
  // The first one reads the program from disk, and no killed command is the first.
  for (let n = 0; n < 3; n++) {
    const start = performance.now();
    // oxlint-disable-next-line no-await-in-loop -- one at a time is what is measured
    await startLockstep(folder, ["data", "list"]).ended;
    startUps.push(performance.now() - start);
  }
  const startUp = Math.min(...startUps);
  let killed = 0;
  const waiting = [...seeds];
  const worker = async (): Promise<void> => {
    for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) {
      const scene = SCENES[seed % SCENES.length]!;
      const unkilled = known.get(scene.name) ?? play(prepared, scene, join(folder, `${scene.from}-${seed}-whole`));
      known.set(scene.name, unkilled);
      killed += await killOne(prepared, scene, join(folder, `${scene.from}-${seed}`), seed, startUp, await unkilled);
    }
  };
  // Nobody plays on in a folder that is being deleted.
  const workers = await Promise.allSettled(Array.from({ length: width }, worker));
  for (const ended of workers) if (ended.status === "rejected") throw ended.reason;
  return killed;
}

async function play({ stages }: Prepared, scene: Scene, path: string): Promise<Unkilled> {
  const stage = copyStage(stages[scene.from]!, path);
  const times: number[] = [];
  const effects: number[] = [];
  for (const { again } of scene.acts) {
    const start = performance.now();
    const { result, events } = await again(stage);
    must(result);
    times.push(performance.now() - start);
    effects.push(events.filter(({ type }) => type === "effect").length);
  }
  const end = await stateOf(stage, scene);
  rmSync(path, { recursive: true });
  return { times, effects, end };
}

/** What a user has in the end. */
async function stateOf(stage: Stage, scene: Scene): Promise<Record<string, unknown>> {
  const text = (name: string): string => readFileSync(join(stage.work, name), "utf8");
  return {
    lock: text("data.lock.json"),
    ignored: text(".gitignore").split("\n").sort(),
    tree: contentOf(join(stage.work, "data/tree")),
    other: contentOf(join(stage.work, "data/other")),
    lone: contentOf(join(stage.work, "data/lone.bin")),
    // Whether a push met what a collector had condemned is chance, and so is what it packed anew.
    ...(scene.name === "push and gc" ? {} : { team: await keysOf(stage.team) }),
  };
}

async function killOne(
  { stages, roots, versions }: Prepared,
  scene: Scene,
  path: string,
  seed: number,
  startUp: number,
  { times, effects, end }: Unkilled,
): Promise<number> {
  const at = `seed ${seed}: ${scene.name}`;
  const stage = copyStage(stages[scene.from]!, path);
  const gc = scene.name === "gc";
  const before = await present(stage, gc ? Object.values(stage.locked) : roots);
  const spared = scene.acts.length === 2 && chance(seed, "spared") < 0.5 ? Math.floor(chance(seed, "who") * 2) : -1;
  const ended = await Promise.all(
    scene.acts.map(async (act, number) => {
      const running = stage.start(act);
      if (number === spared) {
        const { exitCode, stderr } = await running.ended;
        expect(exitCode, `${at}: the one that was not killed: ${stderr}`).toBe(0);
        return false;
      }
      await moment(running, seed + number / 2, startUp, times[number]!, effects[number]!);
      running.child.kill("SIGKILL");
      return (await running.ended).exitCode === null;
    }),
  );

  const now = contentOf(join(stage.work, "data/tree"));
  expect(
    scene.versions.map((version) => versions[version]),
    `${at}: the working tree`,
  ).toContain(now);
  expect(await present(stage, before), `${at}: what was in the store`).toEqual(before);
  expect(await wrongIn(stage[scene.touches], [...roots, ...Object.values(stage.locked)]), at).toEqual([]);
  // An add says what is in the cache already, whatever else it got done.
  if (scene.touches === "cache" && scene.from === "edited") {
    const locked = Object.values(stage.locked);
    expect(await present(stage, locked, stage.cache), at).toEqual(locked);
  }

  for (const { line, again } of scene.acts) {
    expect((await again(stage)).result, `${at}: ${line.join(" ")} again`).toMatchObject({ ok: true });
  }
  expect(await stateOf(stage, scene), `${at}: after it ran again`).toEqual(end);
  expect(await wrongIn(stage[scene.touches], Object.values(stage.locked)), `${at}: in the end`).toEqual([]);
  rmSync(path, { recursive: true });
  return ended.filter(Boolean).length;
}

async function present(stage: Stage, roots: readonly Named[], store = stage.team): Promise<Named[]> {
  const found: Named[] = [];
  for (const root of roots) if (must(await hasContent(store, root))) found.push(root);
  return found;
}

/** Waits for a random time, or for a random one of the effects that the command tells. */
async function moment(running: Running, seed: number, startUp: number, time: number, effects: number): Promise<void> {
  const over = running.ended.then(() => {});
  if (effects === 0 || chance(seed, "how") < 0.5) {
    await Promise.race([wait(startUp * 0.8 + time * chance(seed, "when") * 1.2), over]);
    return;
  }
  const wanted = 1 + Math.floor(chance(seed, "which") * effects);
  await new Promise<void>((resolve) => {
    let text = "";
    running.child.stderr!.on("data", (more: string) => {
      text += more;
      if ((text.match(/^effect: /gm)?.length ?? 0) >= wanted) resolve();
    });
    void over.then(resolve);
  });
}

/** A number from 0 to 1 that a seed always gives. */
function chance(seed: number, what: string): number {
  return createHash("sha256").update(`${seed} ${what}`).digest().readUInt32BE() / 2 ** 32;
}
