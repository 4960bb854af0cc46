import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { repository, sh, temporary, write } from "../git/repository.ts";
import { lockstep } from "../helpers/cli.ts";
import { startWeb } from "./import-server.ts";

const folder = temporary();
const path = join(folder.path, "r");
const HOSTILE = "a\u202Eb";

beforeAll(async () => {
  repository(path);
  write(
    path,
    Object.fromEntries(Array.from({ length: 1300 }, (_, at) => [`data/f/${String(at).padStart(4, "0")}`, `${at}`])),
  );
  write(path, { "data/t.csv": "1" });
  await lockstep(path, "data", "add", "data/f");
  await lockstep(path, "data", "add", "data/t.csv");
  sh(path, "add", "--all");
  sh(path, "commit", "--quiet", "--message=data");
  rmSync(join(path, "data/f"), { recursive: true });
  write(path, { [`data/f/${HOSTILE}`]: "x", "data/t.csv": "22" });
});
afterAll(() => folder[Symbol.dispose]());

describe("data diff", () => {
  test("names the first files and counts the rest, which --all names", async () => {
    const { stdout, exitCode } = await lockstep(path, "data", "diff");
    expect(exitCode).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^f \(data\/f\): 1 added, 1,300 removed; 4\.1 kB -> 1 B$/);
    expect(lines[21]).toBe("  and 1,281 more (--all names them)");
    expect(lines.slice(22)).toEqual(["t (data/t.csv): 1 changed; 1 B -> 2 B", "  M t.csv  1 B -> 2 B"]);
    expect((await lockstep(path, "data", "diff", "--all")).stdout.trimEnd().split("\n")).toHaveLength(1304);
  });

  test("a name of a file cannot move the cursor or add a line", async () => {
    const { stdout } = await lockstep(path, "data", "diff", "--names-only");
    const lines = stdout.trimEnd().split("\n");
    expect(lines).toHaveLength(1302);
    expect(lines).toContain("data/f/a\\u{202e}b");
    expect(lines.at(-1)).toBe("data/t.csv");
  });

  test("as JSON it is complete, with totals", async () => {
    const { stdout } = await lockstep(path, "data", "diff", "HEAD", "--json");
    const found = JSON.parse(stdout) as { datasets: { files: { added: { path: string }[]; removed: unknown[] } }[] };
    expect(found).toMatchObject({
      from: { label: "HEAD", commit: sh(path, "rev-parse", "HEAD") },
      to: { commit: null },
      totals: { added: 1, removed: 1300, changed: 1, renamed: 0, modes: 0, bytesAfter: 3 },
    });
    expect(found.datasets[0]?.files.removed).toHaveLength(1300);
    expect(found.datasets[0]?.files.added).toMatchObject([{ path: HOSTILE }]);
  });
});

describe("wrong use", () => {
  test.each([
    [["diff", "nope"], 'there is no revision "nope"'],
    [["diff", "--output=x"], "unknown option"],
    [["log", "nope"], 'there is no dataset "nope"\n  hint: there is f, t'],
    [["log"], "missing required argument"],
    [["merge", "--ours", "--theirs"], "exclude each other"],
    [["merge", "--driver", "only-one"], "three files"],
    [["import"], "give a URL"],
    [["import", "--update", "f", "--check"], "give a URL"],
    [["import", "--update", "f"], 'there is no source of dataset "f"'],
    [["import", "--check", "nope"], 'there is no imported dataset "nope"'],
    [["import", "http://127.0.0.1:9/x", "--digest", "md5:1"], "is not sha256:"],
    [["import", "https://me:hunter2@example.org/x"], "credentials"],
    [["pull", "nope"], 'there is no dataset "nope"'],
    [["pull", "--path", "../x"], "is not a glob"],
    [["pull", "--path", "data/none/*"], "no dataset has a file"],
  ])("data %j is told, with exit code 2", async (args, message) => {
    const { exitCode, stderr, stdout } = await lockstep(path, "data", ...args);
    expect([exitCode, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(message.replace("credentials", "would stand in data.lock.json"));
    expect(stderr).not.toContain("hunter2");
  });

  test("a merge without a conflict is no failure", async () => {
    const { exitCode, stdout } = await lockstep(path, "data", "merge");
    expect([exitCode, stdout]).toEqual([0, "data.lock.json has no conflict\n"]);
  });

  test("a lockfile of the future stops every command with its place", async () => {
    using other = temporary();
    repository(other.path);
    writeFileSync(join(other.path, "data.lock.json"), '{"lockfileVersion": 2, "datasets": {}}');
    for (const command of ["diff", "merge", "list", "status"]) {
      const { exitCode, stderr } = await lockstep(other.path, "data", command);
      expect(exitCode, command).toBe(2);
      expect(stderr, command).toContain("data.lock.json:1:21: ");
      expect(stderr, command).toContain("reads version 1");
    }
  });
});

test("data that is in no store may still be where it was imported from", async () => {
  await using web = await startWeb();
  using other = temporary();
  repository(other.path);
  web.pages.set("/x", { body: Buffer.from("1"), etag: '"1"' });
  expect((await lockstep(other.path, "data", "import", `${web.url}/x`)).stdout).toMatch(/^x: 1 file, 1 B, in x\n/);
  for (const lost of ["x", ".lockstep"]) rmSync(join(other.path, lost), { recursive: true });
  const { exitCode, stderr } = await lockstep(other.path, "data", "pull");
  expect(exitCode).toBe(3);
  expect(stderr).toContain("hint: `lockstep data import --update x` gets it again");
  expect((await lockstep(other.path, "data", "import", "--update", "x")).exitCode).toBe(0);
  expect((await lockstep(other.path, "data", "status")).stdout).toContain("unchanged");
  web.pages.delete("/x");
  const check = await lockstep(other.path, "data", "import", "--check");
  expect([check.exitCode, check.stdout]).toEqual([1, expect.stringMatching(/^x {2}gone {2}it answers 404 {2}http/)]);
});
