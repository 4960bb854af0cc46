import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkedOut, LINKED } from "./links-rig.ts";

test("a hard link is the cache's own file, read-only; what is executable or in a pack is copied; it is said", async () => {
  using at = await checkedOut("hardlink");
  const file = statSync(join(at.root, "data/single.bin"));
  expect(file.ino).toBe(statSync(at.cached).ino);
  expect(file.mode & 0o222).toBe(0);
  expect(statSync(join(at.root, "data/program.bin")).mode & 0o100).toBe(0o100);
  expect(at.notes).toEqual([
    expect.stringMatching(/^data: [01] files share blocks with the cache, 1 are hard links, [12] are copies$/),
  ]);
});

test.each(["auto", "copy", "reflink"] as const)(
  "%s gives files of their own, which may be written to",
  async (link) => {
    using at = await checkedOut(link);
    const path = join(at.root, "data/single.bin");
    expect(statSync(path).ino).not.toBe(statSync(at.cached).ino);
    expect(statSync(path).mode & 0o200).toBe(0o200);
    writeFileSync(path, "another");
    expect(readFileSync(at.cached).equals(LINKED)).toBe(true);
  },
);
