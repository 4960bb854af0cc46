import { cpSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { spawn } from "../../src/core/index.ts";
import { collectGarbage, verifyData } from "../../src/data/index.ts";
import { closure, openStore } from "../../src/store/index.ts";
import type { Store } from "../../src/store/index.ts";
import { kindsOf, listObjects } from "../../src/store/gc-list.ts";
import { contextIn, sh, temporary } from "../git/repository.ts";
import { scrubbedEnvironment } from "../helpers/cli.ts";
import { must } from "../store/contract.ts";
import { Resources } from "../../src/pipeline/schedule.ts";
import { commitLock, DEFAULTS, gcRig, keysIn, looseTree, packedTree } from "./gc-rig.ts";
import type { Named } from "./gc-rig.ts";

const script = join(import.meta.dirname, "gc-killed.ts");
const killedAt = (folder: string, effect: string): ReturnType<typeof spawn> =>
  spawn(process.execPath, [script, folder, effect], {
    env: scrubbedEnvironment({ NODE_COMPILE_CACHE: join(tmpdir(), "lockstep-test-compiled") }),
  });

/** Every tree that is there, needed or not, has all that it needs. */
async function expectWhole(store: Store, what: string): Promise<void> {
  const objects = must(await listObjects(store.driver));
  for (const [key, kind] of must(await kindsOf(store.driver, [...objects.values()]))) {
    if (kind !== "trees") continue;
    const digest = `sha256:${key.slice("blobs/".length)}` as Named["digest"];
    const needed = must(await closure({ kind: "tree", digest }, store));
    expect(
      needed.filter((need) => !objects.has(need)),
      what,
    ).toEqual([]);
  }
}

test("a collector that is killed after any of its effects leaves a valid store, and the next one finishes", async () => {
  using rig = gcRig();
  const live = await packedTree(rig.store, { a: "live", b: "too" });
  const shared = await looseTree(rig.store, { a: "shared", b: "needed" });
  await packedTree(rig.store, { a: "dead", b: "gone" });
  await looseTree(rig.store, { a: "shared", c: "not needed", d: "nor this" });
  commitLock(rig.path, { live, shared });
  using folder = temporary();
  const copy = (name: string): string => {
    cpSync(join(rig.folder, "work"), join(folder.path, name, "work"), { recursive: true });
    cpSync(join(rig.folder, "team"), join(folder.path, name, "team"), { recursive: true });
    return join(folder.path, name, "work");
  };
  const wanted = new Set([...live.keys, ...shared.keys]);

  const whole = await killedAt(copy("clean"), "never");
  expect(whole.stderr).toBe("");
  const effects = Number(whole.stdout.toString());
  // Six objects, the list of the condemned before and after, and what writing each of these does.
  expect(effects).toBeGreaterThanOrEqual(8);
  const check = async (effect: number): Promise<void> => {
    const path = copy(`killed-${effect}`);
    const killed = await killedAt(path, String(effect));
    expect(killed.exitCode, `effect ${effect}: ${killed.stderr}`).toBe(null);
    const context = contextIn(path);
    const store = must(openStore(context, "file:../team"));
    must(await verifyData(context, { store }));
    await expectWhole(store, `after effect ${effect}`);
    must(await collectGarbage(context, { ...DEFAULTS, store }));
    expect(await keysIn(store), `after effect ${effect}`).toEqual(wanted);
    must(await verifyData(context, { store }));
    rmSync(join(path, ".."), { recursive: true });
  };
  const places = new Resources({ place: 3 });
  await Promise.all(Array.from({ length: effects }, (_, at) => places.use({ place: 1 }, () => check(at + 1))));
}, 120_000);

test("collectors at once, of several processes, delete what one would", async () => {
  using rig = gcRig();
  const live = await packedTree(rig.store, { a: "live" });
  await packedTree(rig.store, { a: "dead", b: "gone" });
  await looseTree(rig.store, { a: "dead too" });
  commitLock(rig.path, { live });
  const ended = await Promise.all(Array.from({ length: 3 }, async () => killedAt(rig.path, "never")));
  expect(ended.map(({ exitCode, stderr }) => [exitCode, stderr])).toEqual([0, 1, 2].map(() => [0, ""]));
  expect(await keysIn(rig.store)).toEqual(new Set(live.keys));
});

/** What happens in a repository: data is committed on a branch, or a branch is deleted. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ branch: fc.nat(3), data: fc.array(fc.nat(5), { maxLength: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ branch: fc.nat(3), data: fc.constant(null) }) },
);

test("whatever the history, what a commit names stays, and with no grace all else goes", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 7 }), async (steps) => {
      using rig = gcRig();
      const { store, path } = rig;
      const text = (at: number): Record<string, string> => ({ a: `content ${at}`, b: `of ${at % 3}` });
      // Versions that share a pack, and versions that share files.
      const pack = { ...text(0), c: "content 1", d: "of 1" };
      const trees = [
        await packedTree(store, text(0), pack),
        await packedTree(store, text(1), pack),
        ...(await Promise.all([2, 3, 4, 5].map(async (at) => looseTree(store, text(at))))),
      ];
      const branches = new Map<number, Set<number>>();
      sh(path, "switch", "--quiet", "--detach");
      sh(path, "branch", "--quiet", "-D", "main");
      for (const { branch, data } of steps) {
        if (data === null) {
          if (branches.delete(branch)) sh(path, "branch", "--quiet", "-D", `b${branch}`);
          continue;
        }
        sh(path, "switch", "--quiet", ...(branches.has(branch) ? [] : ["--create"]), `b${branch}`);
        commitLock(path, Object.fromEntries(data.map((at) => [`d${at}`, trees[at]!])));
        branches.set(branch, new Set([...(branches.get(branch) ?? []), ...data]));
        sh(path, "switch", "--quiet", "--detach", "origin/main");
      }
      const needed = new Set([...branches.values()].flatMap((data) => [...data]));
      must(await rig.gc());
      expect(await keysIn(store)).toEqual(new Set([...needed].flatMap((at) => trees[at]!.keys)));
    }),
    { numRuns: 8, seed: 20260102 },
  );
}, 60_000);
