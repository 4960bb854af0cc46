import { mkdtemp, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startSandbox } from "../../src/sandbox/index.ts";
import { dueTimes, fireSchedules } from "../../src/sandbox/schedule.ts";
import { Rig } from "./rig.ts";

describe("the state of a sandbox", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "lockstep-state-"));
  });
  afterEach(async () => rm(folder, { recursive: true, force: true }));

  it("is there again after a restart, also in another place", async () => {
    const dir = join(folder, "one");
    const now = new Date("2026-03-01T12:00:00Z");
    const first = await startSandbox({ dir, now });
    await first.createRepository({ owner: "ada", name: "digits", variables: { A: "1" } });
    const token = first.token("ada");
    const post = { method: "POST", headers: { authorization: `token ${token}` }, body: '{"title":"kept"}' };
    const made = (await (await fetch(`${first.apiUrl}/repos/ada/digits/issues`, post)).json()) as { id: number };
    await first.clock.advance(86_400_000);
    await first.close();

    const moved = join(folder, "two");
    await rename(dir, moved);
    const second = await startSandbox({ dir: moved });
    expect(second.token("ada")).toBe(token);
    const repository = second.world.repositories.get("ada/digits");
    expect(repository).toMatchObject({ variables: { A: "1" }, gitDir: join(moved, "git", "ada/digits.git") });
    expect(repository?.issues).toMatchObject([
      { id: made.id, title: "kept", createdAt: expect.stringContaining("2026-03-01T12:00") as string },
    ]);
    expect(second.clock.now().toISOString()).toContain("2026-03-02T12:00");
    expect(second.world.nextId()).toBeGreaterThan(made.id);
    await second.close();
  });

  it("is written soon after a change, whole or not at all", async () => {
    const dir = join(folder, "one");
    const sandbox = await startSandbox({ dir });
    await sandbox.createRepository({ owner: "ada", name: "digits" });
    await expect
      .poll(async () => readFile(join(dir, "state.json"), "utf8").catch(() => ""), { timeout: 5000 })
      .toContain('"digits"');
    await sandbox.close();
    expect((await readdir(dir)).filter((name) => name.startsWith(".state"))).toEqual([]);
  });

  it("refuses to start on a state that it cannot read, and leaves it alone", async () => {
    await writeFile(join(folder, "state.json"), "{ half");
    await expect(startSandbox({ dir: folder })).rejects.toThrow();
    expect(await readFile(join(folder, "state.json"), "utf8")).toBe("{ half");
  });

  it("refuses a port that is taken", async () => {
    const sandbox = await startSandbox({ dir: folder });
    const port = Number(new URL(sandbox.url).port);
    await expect(startSandbox({ dir: join(folder, "two"), port })).rejects.toThrow("EADDRINUSE");
    await sandbox.close();
  });
});

describe("the clock", () => {
  it("says at which times a cron line is due", () => {
    const from = new Date("2026-03-01T05:17:00Z");
    const to = new Date("2026-03-03T05:17:00Z");
    const iso = (dates: readonly Date[]): string[] => dates.map((date) => date.toISOString());
    // From is over already, to is not.
    expect(iso(dueTimes("17 5 * * *", from, to))).toEqual(["2026-03-02T05:17:00.000Z", "2026-03-03T05:17:00.000Z"]);
    expect(iso(dueTimes("0 9 * * 1", from, to, "Asia/Tokyo"))).toEqual(["2026-03-02T00:00:00.000Z"]);
    expect(dueTimes("0 0 1 1 *", from, to)).toEqual([]);
  });

  it("fires what falls due on the way, in order, each at its time", async () => {
    const rig = await Rig.start({ now: new Date("2026-03-01T00:00:00Z") });
    await rig.push("main", { "a.txt": "a\n" });
    const { world, clock } = rig.sandbox;
    const repository = world.repositories.get("ada/digits");
    if (repository === undefined) throw new Error("no repository");
    const seen: string[] = [];
    world.on((event) => void seen.push(`${event.schedule} ${world.clock.timestamp().slice(0, 13)}`));
    const schedules = ["0 6 * * *", "0 12 1 * *", "0 6 * * *"].map((cron) => ({ repository, cron }));
    world.onTick(async (from, to) => fireSchedules(world, schedules, from, to));
    await clock.set(new Date("2026-03-02T07:00:00Z"));
    expect(seen).toEqual(["0 6 * * * 2026-03-01T06", "0 12 1 * * 2026-03-01T12", "0 6 * * * 2026-03-02T06"]);
    expect(clock.now().toISOString()).toContain("2026-03-02T07:00");
    // It never goes back.
    await clock.set(new Date("2026-03-01T00:00:00Z"));
    expect(clock.now().toISOString()).toContain("2026-03-02T07:00");
    const moved = await fetch(`${rig.sandbox.url}/_sandbox/clock`, { method: "POST", body: '{"advanceMs":86400000}' });
    expect(((await moved.json()) as { now: string }).now).toContain("2026-03-03T07:00");
    expect(seen.at(-1)).toBe("0 6 * * * 2026-03-03T06");
    const wrong = await fetch(`${rig.sandbox.url}/_sandbox/clock`, { method: "POST", body: '{"advanceMs":-1}' });
    expect(wrong.status).toBe(422);
    await rig[Symbol.asyncDispose]();
  });
});
