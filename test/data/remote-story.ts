import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { startLockstep } from "../helpers/cli.ts";
import { spawn } from "../../src/core/index.ts";
import { temporary } from "../git/repository.ts";

export interface RemoteUnderTest {
  /** As `.github/lockstep.yml` says it. */
  readonly url: string;
  readonly env: Readonly<Record<string, string>>;
}

const SMALL = 300;
const LARGE = 12 * 1024 * 1024;

/** What a team does with a remote, by the command line alone: add, push, pull, pull by path, edit, verify, collect. */
export async function remoteStory({ url, env }: RemoteUnderTest): Promise<void> {
  using folder = temporary();
  const [ada, bob, cy] = ["ada", "bob", "cy"].map((name) => join(folder.path, name)) as [string, string, string];
  const run = async (cwd: string, ...args: string[]): Promise<Record<string, never>> => {
    const ended = await startLockstep(cwd, ["--json", "data", ...args], { env }).ended;
    expect(ended.exitCode, `data ${args.join(" ")}:\n${ended.stdout}${ended.stderr}`).toBe(0);
    return JSON.parse(ended.stdout) as Record<string, never>;
  };
  mkdirSync(join(ada, ".github"), { recursive: true });
  mkdirSync(join(ada, "data/set"), { recursive: true });
  writeFileSync(join(ada, ".github/lockstep.yml"), `version: 1\nstore: ${JSON.stringify(url)}\n`);
  for (let at = 0; at < SMALL; at++) writeFileSync(join(ada, `data/set/${at}.txt`), `row ${at}\n`.repeat(50));
  const large = bytesLike(LARGE);
  writeFileSync(join(ada, "data/set/large.bin"), large);
  await git(ada, "init", "--quiet", "--initial-branch=main");
  await run(ada, "add", "data/set");
  await git(ada, "add", "--all");
  await git(ada, "commit", "--quiet", "--message=one");
  const first = pushed(await run(ada, "push"));
  expect(first.blobs).toBeLessThanOrEqual(4);
  expect(pushed(await run(ada, "push"))).toEqual({ name: "set", blobs: 0, bytes: 0 });

  await git(folder.path, "clone", "--quiet", ada, bob);
  await run(bob, "pull");
  expect(readdirSync(join(bob, "data/set"))).toHaveLength(SMALL + 1);
  expect(readFileSync(join(bob, "data/set/7.txt"), "utf8")).toBe("row 7\n".repeat(50));
  expect(readFileSync(join(bob, "data/set/large.bin")).equals(large)).toBe(true);
  expect(await run(bob, "status")).toMatchObject({ datasets: [{ state: "unchanged" }] });

  await git(folder.path, "clone", "--quiet", ada, cy);
  await run(cy, "pull", "--path", "data/set/1?.txt");
  expect(readdirSync(join(cy, "data/set"))).toHaveLength(10);
  expect(await run(cy, "status")).toMatchObject({ datasets: [{ state: "partial" }] });
  expect(existsSync(join(cy, ".lockstep/cache/v1/blobs"))).toBe(true);

  large.fill(7, 5_000_000, 6_000_000);
  writeFileSync(join(bob, "data/set/large.bin"), large);
  writeFileSync(join(bob, "data/set/7.txt"), "another row\n");
  await run(bob, "add", "data/set");
  await git(bob, "commit", "--quiet", "--all", "--message=two");
  const second = pushed(await run(bob, "push"));
  expect(second.blobs).toBeLessThanOrEqual(3);
  expect(second.bytes).toBeLessThan(LARGE);
  await git(ada, "pull", "--quiet", bob, "main");
  await run(ada, "pull");
  expect(readFileSync(join(ada, "data/set/7.txt"), "utf8")).toBe("another row\n");
  expect(readFileSync(join(ada, "data/set/large.bin")).equals(large)).toBe(true);
  await run(ada, "verify");
  await run(ada, "gc", "--no-pull-requests");
}

function pushed(answer: Record<string, never>): { name: string; blobs: number; bytes: number } {
  const [one] = (answer as unknown as { datasets: { name: string; blobs: number; bytes: number }[] }).datasets;
  return one!;
}

/** Bytes that no two chunks share; the same each time. */
function bytesLike(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  let state = 1;
  for (let at = 0; at < size; at += 4) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    bytes.writeInt32LE(state ^ (state >>> 13), at);
  }
  return bytes;
}

/** Not synchronous: a remote may be served by this very process. */
async function git(cwd: string, ...args: string[]): Promise<void> {
  const who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"];
  const ended = await spawn("git", [...who, ...args], { cwd, env: process.env });
  expect(ended.exitCode, `git ${args.join(" ")}: ${ended.stderr}`).toBe(0);
}
