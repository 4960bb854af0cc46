import { expect, test } from "vitest";
import { localCache } from "../../src/store/index.ts";
import { sh, write } from "../git/repository.ts";
import { lockstep } from "../helpers/cli.ts";
import { must } from "../store/contract.ts";
import { commitLock, gcRig, keysIn, looseTree, packedTree } from "./gc-rig.ts";

test("data gc says what would go and why, deletes when told, and says what keeps it from that", async () => {
  using rig = gcRig();
  write(rig.path, { ".github/lockstep.yml": "version: 1\nstore: file:../team\n" });
  const live = await packedTree(rig.store, { a: "live" });
  const lost = await looseTree(rig.store, { a: "dead" });
  commitLock(rig.path, { live });

  const dry = await lockstep(rig.path, "data", "gc");
  expect(dry).toMatchObject({ exitCode: 0, stderr: "" });
  expect(dry.stdout).toContain("file:../team: 5 objects");
  expect(dry.stdout).toMatch(/branches and tags +1\n/);
  expect(dry.stdout).toMatch(/waits +trees +1 +.* B .*nothing needs it/);
  expect(dry.stdout).toContain("nothing was deleted");
  expect((await keysIn(rig.store)).size).toBe(5);

  const json = await lockstep(rig.path, "data", "gc", "--delete", "--grace", "0", "--json");
  expect(JSON.parse(json.stdout)).toMatchObject({ removed: true, due: [{}, {}], needed: { objects: 3 }, doubts: [] });
  expect(await keysIn(rig.store)).toEqual(new Set(live.keys));

  commitLock(rig.path, { live, lost });
  const doubtful = await lockstep(rig.path, "data", "gc");
  expect(doubtful).toMatchObject({ exitCode: 0, stderr: "" });
  expect(doubtful.stdout).toMatch(
    /1 content named and not \(wholly\) there:\n {2}dataset "lost" at [0-9a-f]{12}: is not in/,
  );
  expect(doubtful.stdout).toContain("nothing can be deleted:");
  const refused = await lockstep(rig.path, "data", "gc", "--delete");
  expect(refused).toMatchObject({ exitCode: 3, stdout: "" });
  expect(refused.stderr).toMatch(/dataset "lost" at .*\n {2}hint: .*--missing-ok/);

  const wrong = await lockstep(rig.path, "data", "gc", "--grace", "soon");
  expect(wrong).toMatchObject({ exitCode: 2 });
  expect(wrong.stderr).toContain("as in 90s, 30m, 24h, 7d or 0");
});

test("with --cache, this working copy's cache is meant, which asks nobody", async () => {
  using rig = gcRig();
  const cache = localCache(rig.context);
  const live = await packedTree(cache, { a: "live" });
  await looseTree(cache, { a: "dead" });
  commitLock(rig.path, { live });
  sh(rig.path, "remote", "set-url", "origin", "file:///nonexistent");
  const ended = await lockstep(rig.path, "data", "gc", "--cache", "--delete", "--grace", "0");
  expect(ended).toMatchObject({ exitCode: 0, stderr: "" });
  expect(ended.stdout).toContain("deleted 2 objects");
  expect(await keysIn(cache)).toEqual(new Set(live.keys));
  expect(must(await rig.gc({ team: true, store: cache, remove: false })).doubts).toHaveLength(1);
});
