import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sh as git, repository, temporary, write } from "../git/repository.ts";
import { lockstep } from "../helpers/cli.ts";
import { reportSchema } from "../../src/report/index.ts";
import { FILES } from "./rig.ts";

/** A repository with a recorded run on main and one on a branch, where 4 instead of 20 of 200 are wrong. */
async function project(): Promise<{ path: string; [Symbol.dispose]: () => void }> {
  const folder = temporary();
  const path = repository(join(folder.path, "toy"), FILES);
  expect((await lockstep(path, "run")).exitCode).toBe(0);
  git(path, "checkout", "--quiet", "-b", "change");
  write(path, { "params.yaml": "model:\n  wrong: 4\n  sure: 0.8\n" });
  expect((await lockstep(path, "run")).exitCode).toBe(0);
  return { path, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

test("compare: the working tree against where it branched from, then two commits", async () => {
  using at = await project();
  const tree = await lockstep(at.path, "compare");
  expect(tree.stderr).toBe("");
  expect(tree.stdout).toMatch(
    /^Better\. accuracy 0\.9000 → 0\.9800 \(\+0\.0800, .* on the same 200 examples\. All 4 gates pass\.\n/,
  );
  expect(tree.stdout).toMatch(/model\.wrong +20 +4\n/);
  expect(tree.stdout).toContain("the working tree (none) against ");
  expect(tree.exitCode).toBe(0);

  git(at.path, "commit", "--quiet", "--all", "--message=better");
  const commits = await lockstep(at.path, "compare", "main", "change", "--model", "toy", "--json");
  const made = reportSchema.parse(JSON.parse(commits.stdout));
  expect(made).toMatchObject({ verdict: "better", base: { label: "main" }, head: { label: "change" } });
  expect(made.files).toEqual({ count: 1, named: [{ path: "params.yaml", change: "changed" }] });
  expect(made.pipelines[0]?.plots).toMatchObject([
    {
      kind: "matrix",
      id: "answers",
      classes: ["0", "1"],
      base: [
        [90, 10],
        [10, 90],
      ],
      head: [
        [98, 2],
        [2, 98],
      ],
    },
  ]);
  // The other way around the base's gate of at most 0.05 worse fails, and with it the command.
  const back = await lockstep(at.path, "compare", "change", "main");
  expect(back.stdout).toMatch(/^Worse\./);
  expect(back.stdout).toMatch(/FAIL +accuracy at most 0\.05 worse than base/);
  expect(back.exitCode).toBe(1);
});

test("report: Markdown, a page or JSON on stdout", async () => {
  using at = await project();
  git(at.path, "commit", "--quiet", "--all", "--message=better");
  const run = (format: string): ReturnType<typeof lockstep> =>
    lockstep(at.path, "report", "--base", "main", "--head", "HEAD", "--format", format);
  expect((await run("md")).stdout).toMatch(/^> \[!TIP\]\n> \*\*Better\.\*\* `accuracy`/);
  expect((await run("html")).stdout).toMatch(/^<!doctype html>\n/);
  expect(reportSchema.parse(JSON.parse((await run("json")).stdout)).verdict).toBe("better");
  expect(await run("pdf")).toMatchObject({ exitCode: 2, stdout: "" });
});

test("a side that was never run, or a name that is not there, is a failure that says so", async () => {
  using at = await project();
  rmSync(join(at.path, ".lockstep"), { recursive: true });
  const nothing = await lockstep(at.path, "compare");
  expect(nothing.exitCode).toBe(2);
  expect(nothing.stderr).toContain("hint: `lockstep run` makes one");
  expect((await lockstep(at.path, "compare", "nowhere")).stderr).toContain('there is no revision "nowhere"');
});
