import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporary } from "../git/repository.ts";
import { checkedOut, LINKED } from "./links-rig.ts";

/** Why no file system that shares blocks can be mounted here; undefined: it can. */
function obstacle(): string | undefined {
  if (process.getuid?.() !== 0) return "root, to mount a file system";
  return spawnSync("mkfs.xfs", ["-V"]).error === undefined ? undefined : "mkfs.xfs (Debian: xfsprogs)";
}

/** An XFS of its own in a file, where temporary folders are made until it goes. */
function xfs(): { [Symbol.dispose](): void } | undefined {
  const folder = temporary();
  const [image, mount] = [join(folder.path, "image"), join(folder.path, "mount")];
  const file = openSync(image, "w");
  ftruncateSync(file, 400 * 1024 * 1024);
  closeSync(file);
  mkdirSync(mount);
  execFileSync("mkfs.xfs", ["-q", "-m", "reflink=1", image]);
  if (spawnSync("mount", ["-o", "loop", image, mount]).status !== 0) {
    folder[Symbol.dispose]();
    return undefined;
  }
  const before = process.env["TMPDIR"];
  process.env["TMPDIR"] = mount;
  return {
    [Symbol.dispose]() {
      if (before === undefined) delete process.env["TMPDIR"];
      else process.env["TMPDIR"] = before;
      execFileSync("umount", [mount]);
      folder[Symbol.dispose]();
    },
  };
}

const missing = obstacle();
if (missing !== undefined) console.log(`skipped: sharing blocks with the cache needs ${missing}`);

describe("a file system that shares blocks", () => {
  test.skipIf(missing !== undefined)("files share the cache's blocks until they are written to", async ({ skip }) => {
    using mounted = xfs();
    if (mounted === undefined) return skip("no loop device can be mounted here");
    {
      using at = await checkedOut("auto");
      expect(at.notes).toEqual(["data: 2 files share blocks with the cache, 0 are hard links, 1 are copies"]);
      const path = join(at.root, "data/single.bin");
      writeFileSync(path, "another");
      expect(readFileSync(at.cached).equals(LINKED)).toBe(true);
    }
    using copied = await checkedOut("copy");
    expect(copied.notes).toEqual(["data: 0 files share blocks with the cache, 0 are hard links, 3 are copies"]);
  });
});
