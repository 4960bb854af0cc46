import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { repository, temporary, write } from "../../git/repository.ts";
import { startLockstep } from "../../helpers/cli.ts";
import { contentOf, keysOf, Stage, wrongIn } from "./scenes.ts";

const MOUNTS = canMount();
if (!MOUNTS) console.log("not run: a full disk is a small tmpfs, which needs root and mount");

function canMount(): boolean {
  if (process.getuid?.() !== 0) return false;
  using folder = temporary();
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", folder.path], { stdio: "pipe" });
    execFileSync("umount", [folder.path]);
    return true;
  } catch {
    return false;
  }
}

/** A disk of so many MB in a folder, gone at the end of the block. */
function smallDisk(
  path: string,
  megabytes: number,
): Disposable & { grow(to: number): void; readOnly(on: boolean): void } {
  mkdirSync(path, { recursive: true });
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", path]);
  return {
    readOnly: (on) => void execFileSync("mount", ["-o", `remount,${on ? "ro" : "rw"}`, path]),
    grow: (to) => void execFileSync("mount", ["-o", `remount,size=${to}m`, path]),
    [Symbol.dispose]: () => void execFileSync("umount", ["--lazy", path]),
  };
}

async function run(stage: Stage, ...args: string[]): Promise<{ exitCode: number | null; stderr: string }> {
  return startLockstep(stage.work, args).ended;
}

function stageIn(folder: string): Stage {
  const stage = new Stage(folder);
  repository(stage.work, { "README.md": "x\n", ".github/lockstep.yml": "version: 1\nstore: file:../team\n" });
  return stage;
}

/** Files below a folder for temporary things. */
function leftIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** 60 small files, and one of each kind that is stored in its own way. */
const FILES: Record<string, Record<string, () => Buffer>> = {
  "small files": Object.fromEntries(
    Array.from({ length: 60 }, (_, at) => [`data/d/${at}`, () => randomBytes(100_000)]),
  ),
  "a file of some MB": { "data/d/a": () => randomBytes(6_000_000) },
  "a large file": { "data/d/large": () => randomBytes(12_000_000) },
  "a lone file": { "data/d": () => randomBytes(6_000_000) },
  "a lone large file": { "data/d": () => randomBytes(12_000_000) },
};

describe.skipIf(!MOUNTS)("a disk that is full", () => {
  describe.each(Object.entries(FILES))("%s", (_, files) => {
    const prepared = (folder: string): Stage => {
      const stage = stageIn(folder);
      write(stage.work, Object.fromEntries(Object.entries(files).map(([path, bytes]) => [path, bytes()])));
      return stage;
    };

    test("under the cache: add says so and adds nothing", async () => {
      using folder = temporary();
      const stage = prepared(folder.path);
      using disk = smallDisk(join(stage.work, ".lockstep/cache"), 3);
      const full = await run(stage, "data", "add", "data/d");
      expect(full).toMatchObject({
        exitCode: 3,
        stderr: expect.stringMatching(/data\/d.*ENOSPC: no space left on device/),
      });
      expect(full.stderr).toContain("make room");
      expect(existsSync(join(stage.work, "data.lock.json"))).toBe(false);
      expect(leftIn(join(stage.work, ".lockstep/cache/v1/tmp"))).toEqual([]);
      disk.grow(40);
      expect(await run(stage, "data", "add", "data/d")).toMatchObject({ exitCode: 0 });
      expect(await wrongIn(stage.cache, Object.values(stage.locked))).toEqual([]);
    });

    test("under the store: push says so and publishes nothing", async () => {
      using folder = temporary();
      const stage = prepared(folder.path);
      expect(await run(stage, "data", "add", "data/d")).toMatchObject({ exitCode: 0 });
      using disk = smallDisk(join(folder.path, "team"), 3);
      const full = await run(stage, "data", "push");
      expect(full).toMatchObject({
        exitCode: 3,
        stderr: expect.stringMatching(/blobs\/[0-9a-f]{64} .*ENOSPC: no space left/),
      });
      expect(full.stderr).toContain("make room");
      const [root] = Object.values(stage.locked);
      expect(await keysOf(stage.team)).not.toContain(`blobs/${root!.digest.slice(7)}`);
      expect(leftIn(join(folder.path, "team/v1/tmp"))).toEqual([]);
      disk.grow(40);
      expect(await run(stage, "data", "push")).toMatchObject({ exitCode: 0 });
      expect(await wrongIn(stage.team, [root!])).toEqual([]);
      expect(await run(stage, "data", "verify")).toMatchObject({ exitCode: 0 });
    });

    test.each(["cache", "working tree"])(
      "under the %s: pull says so, and the path keeps what it had",
      async (where) => {
        using folder = temporary();
        const stage = prepared(folder.path);
        expect(await run(stage, "data", "add", "data/d")).toMatchObject({ exitCode: 0 });
        expect(await run(stage, "data", "push")).toMatchObject({ exitCode: 0 });
        const content = contentOf(join(stage.work, "data/d"));
        const fresh = new Stage(join(folder.path, "fresh"));
        mkdirSync(fresh.folder);
        symlinkSync(join(folder.path, "team"), join(fresh.folder, "team"));
        using disk = smallDisk(
          where === "cache" ? join(fresh.work, ".lockstep/cache") : fresh.work,
          where === "cache" ? 3 : 60,
        );
        for (const name of [".git", ".github", "data.lock.json", ".gitignore"]) {
          cpSync(join(stage.work, name), join(fresh.work, name), { recursive: true });
        }
        // Room for the cache and not for the files.
        if (where !== "cache") fillTo(fresh.work, sizeOf(stage));
        const full = await run(fresh, "data", "pull");
        expect(full).toMatchObject({ exitCode: 3, stderr: expect.stringMatching(/ENOSPC: no space left on device/) });
        expect(full.stderr).toMatch(where === "cache" ? /data\/d.*: blobs\/[0-9a-f]{64} into/ : /data\/d/);
        expect(full.stderr).toContain("make room");
        expect(existsSync(join(fresh.work, "data/d"))).toBe(false);
        expect(leftIn(join(fresh.work, ".lockstep/tmp"))).toEqual([]);
        expect(leftIn(join(fresh.work, ".lockstep/cache/v1/tmp"))).toEqual([]);
        disk.grow(90);
        rmSync(join(fresh.work, "ballast"), { force: true });
        // A cache on another disk than the files is not supported; its trouble is told, and the fetch itself is done.
        const again = await run(fresh, "data", "pull");
        if (where === "cache") return expect(await wrongIn(fresh.cache, Object.values(fresh.locked))).toEqual([]);
        expect(again).toMatchObject({ exitCode: 0 });
        expect(contentOf(join(fresh.work, "data/d"))).toBe(content);
      },
    );
  });
});

test.skipIf(!MOUNTS)("what may not be written to is told, and can still be read from", async () => {
  using folder = temporary();
  const stage = stageIn(folder.path);
  write(stage.work, { "data/d/a": "a", "data/d/b": randomBytes(2_000_000) });
  expect(await run(stage, "data", "add", "data/d")).toMatchObject({ exitCode: 0 });
  using disk = smallDisk(join(folder.path, "team"), 10);
  expect(await run(stage, "data", "push")).toMatchObject({ exitCode: 0 });
  write(stage.work, { "data/d/b": randomBytes(2_000_000) });
  expect(await run(stage, "data", "add", "data/d")).toMatchObject({ exitCode: 0 });
  disk.readOnly(true);
  const refused = await run(stage, "data", "push");
  expect(refused).toMatchObject({
    exitCode: 3,
    stderr: expect.stringMatching(/blobs\/.* in file:..\/team: EROFS: read-only/),
  });
  disk.readOnly(false);
  expect(await run(stage, "data", "push")).toMatchObject({ exitCode: 0 });
  disk.readOnly(true);
  rmSync(join(stage.work, ".lockstep"), { recursive: true });
  rmSync(join(stage.work, "data/d/a"));
  expect(await run(stage, "data", "pull")).toMatchObject({ exitCode: 0 });
  expect(readFileSync(join(stage.work, "data/d/a"), "utf8")).toBe("a");
  expect(await run(stage, "data", "verify")).toMatchObject({ exitCode: 0 });
});

function sizeOf(stage: Stage): number {
  return (JSON.parse(readFileSync(join(stage.work, "data.lock.json"), "utf8")) as { datasets: { d: { size: number } } })
    .datasets.d.size;
}

/** Leaves room on a disk for one and a half times so many bytes. */
function fillTo(folder: string, size: number): void {
  const [free] = /\d+$/.exec(execFileSync("df", ["--output=avail", "-B1", folder]).toString().trim()) ?? [];
  writeFileSync(join(folder, "ballast"), Buffer.alloc(Number(free) - Math.round(size * 1.5)));
}
