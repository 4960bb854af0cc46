import { existsSync, readFileSync, rmSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openFile } from "../../src/cli/opener.ts";
import type { ModelLock } from "../../src/config/index.ts";
import { promote } from "../../src/registry/index.ts";
import { reportSchema } from "../../src/report/index.ts";
import type { Report } from "../../src/report/index.ts";
import { temporary } from "../git/repository.ts";
import { FakeGitHub } from "../github/fake.ts";
import { lockstep, startLockstep } from "../helpers/cli.ts";
import { value } from "../helpers/value.ts";
import { contextFor, FILES, modelYaml, optionsFor, provenance, Rig } from "../registry/rig.ts";

/** Two models on one test set, each promoted with 20 and then with 4 of 200 wrong; and a clone of them. */
async function promoted(rig: Rig): Promise<string> {
  await using fake = await FakeGitHub.start();
  for (const wrong of [20, 4]) {
    const clone = await rig.clone();
    const commit = await rig.commit(clone, { "params.yaml": `wrong: ${wrong}\n` }, `${wrong} wrong`);
    const context = contextFor(clone);
    const made = value(await promote(context, fake.connect(), { ...optionsFor(context, commit), provenance: byPull }));
    expect(made.map(({ outcome }) => outcome)).toEqual(["promoted", "promoted"]);
  }
  return rig.clone();
}

let rig: Rig;
let clone: string;
beforeAll(async () => {
  rig = await Rig.create(MODELS);
  clone = await promoted(rig);
  rig.git(clone, "fetch", "--quiet", "origin", "lockstep-records:refs/remotes/origin/lockstep-records");
}, 60_000);
afterAll(() => rig[Symbol.asyncDispose]());

/** As the report of #12 vouches for it. */
const byPull = { ...provenance, pullRequest: 12 };
const MODELS = { ...FILES, "models/tree/model.yaml": modelYaml(0.1) };

test("versions of models: by number, by alias, with a commit, and of two models on one test set", async () => {
  const compare = async (...args: string[]): Promise<Report> => {
    const { stdout, stderr, exitCode } = await lockstep(clone, "compare", ...args, "--json");
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
    return reportSchema.parse(JSON.parse(stdout));
  };
  const text = await lockstep(clone, "compare", "toy@1", "toy@production");
  expect(text.stdout).toMatch(/^Better\. accuracy 0\.9000 → 0\.9800 \(.* on the same 200 examples\.\n/);
  expect(text.stdout).toMatch(/^toy +base +head +difference \(95 %\) +verdict +production v2$/m);
  expect(text.stdout).toMatch(/^wrong +20 +4$/m);
  expect(text.stdout).toMatch(/^loss +0\.1000 +0\.0200 +−0\.0800 +–$/m);
  expect(text.stdout).toContain("- The gates of a version were judged when it was promoted.");
  expect(text.stdout).toMatch(/toy@v2 \([0-9a-f]{7}\) against toy@v1 \([0-9a-f]{7}\)/);
  expect(text.exitCode).toBe(0);

  expect(text.stdout).toMatch(/- This test set has been looked at 2 times since 20/);

  const back = await compare("toy@v2", "toy@v1");
  expect(back).toMatchObject({ verdict: "worse", base: { label: "toy@v2" }, head: { label: "toy@v1" } });
  // The commit's side is looked up in the records; its gates are judged, because its files are known.
  const commit = await compare("toy@v1", "origin/main");
  expect(commit).toMatchObject({ verdict: "better", head: { label: "origin/main" } });
  expect(commit.models[0]?.looks).toMatchObject({ count: 2 });
  expect(commit.models[0]?.gates).toMatchObject([{ rule: "accuracy at least 0.8", passed: true }]);
  expect(commit.pipelines[0]?.numbers).toMatchObject([{ name: "loss", base: 0.1, head: 0.02 }]);

  const two = await compare("tree@v1", "toy@v2");
  expect(two.models[0]).toMatchObject({ name: "toy", verdict: "better", pairing: { kind: "same", examples: 200 } });
  expect(two.models[0]?.notes[0]).toMatch(/^tree@v1 and toy@v2 are two models/);

  const page = join(clone, "deep", "report.html");
  const sides = ["--base", "toy@v1", "--head", "toy@v2", "--format", "html"];
  const written = await lockstep(clone, "report", ...sides, "--output", "deep/report.html", "--open");
  expect(written).toMatchObject({ stdout: `the report is in ${page}\n`, stderr: "", exitCode: 0 });
  expect(readFileSync(page, "utf8")).toMatch(/^<!doctype html>\n[^]*toy@v1/);

  expect((await lockstep(clone, "plan")).stdout).toMatch(/make +cached +#12, run 77 of acme\/digits, /);

  expect(await lockstep(clone, "compare", "toy@v9")).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/there is no version or alias of model "toy" "v9"\n.*production/) as string,
  });
  expect((await lockstep(clone, "compare", "toy@1", "toy@2", "--model", "tree")).stderr).toContain(
    "--model is tree, and the version compared is of toy",
  );
  // A model without such a name leaves the text to git.
  expect((await lockstep(clone, "compare", "nobody@v1")).stderr).toContain('there is no revision "nobody@v1"');
});

test("a page of any two: versions, commits and tags, whichever is which", { timeout: 60_000 }, async () => {
  const lock = JSON.parse(rig.file("models/toy/lock.json")) as ModelLock;
  rig.git(clone, "tag", "nightly", lock.versions[0]!.commit);
  const commit = lock.versions[1]!.commit.slice(0, 12);
  for (const [base, head, verdict] of [
    ["toy@v1", commit, "better"],
    [commit, "toy@v1", "worse"],
    ["nightly", "toy@production", "better"],
    ["toy@2", "nightly", "worse"],
    ["nightly", commit, "better"],
    [commit, "refs/tags/nightly", "worse"],
  ] as const) {
    // oxlint-disable-next-line no-await-in-loop -- two cores
    const page = await lockstep(clone, "report", "--base", base, "--head", head, "--format", "html");
    expect(page.stderr).toBe("");
    expect(page.stdout).toMatch(new RegExp(`^<!doctype html>[^]*</span> ${verdict}</span>`));
  }
});

test("colours are for a terminal, and what a person opens is opened by the platform's program", async () => {
  const { stdout } = await startLockstep(clone, ["compare", "toy@1", "toy@2"], { env: { FORCE_COLOR: "1" } }).ended;
  // oxlint-disable-next-line no-control-regex -- what must not be there
  expect(stdout).not.toMatch(/\u001b/);
  const { stdout: json } = await lockstep(clone, "compare", "toy@1", "toy@2", "--json");
  const { renderText } = await import("../../src/report/index.ts");
  expect(renderText(JSON.parse(json) as Report, { colour: true })).toMatch(
    // oxlint-disable-next-line no-control-regex
    /^\u001b\[32mBetter\.\u001b\[39m[^]*\u001b\[32mbetter\u001b\[39m +0\.9800/,
  );

  using folder = temporary();
  await mkdir(join(folder.path, "bin"));
  await writeFile(join(folder.path, "bin", "xdg-open"), '#!/bin/sh\nprintf %s "$1" > opened\n', { mode: 0o755 });
  const warnings: string[] = [];
  const context = {
    ...contextFor(folder.path, (event) => event.type === "warning" && warnings.push(event.message)),
    env: { PATH: `${join(folder.path, "bin")}:/usr/bin:/bin` },
  };
  await openFile(context, "/a page.html", "linux");
  expect(readFileSync(join(folder.path, "opened"), "utf8")).toBe("/a page.html");
  await openFile({ ...context, env: { PATH: join(folder.path, "empty") } }, "/a page.html", "linux");
  expect(warnings).toEqual([expect.stringContaining("xdg-open could not open /a page.html: ")]);
  expect(existsSync(join(folder.path, "bin", "opened"))).toBe(false);
});

test("bytes that no store has: the failure names the command that makes them again, and it does", async () => {
  const lock = JSON.parse(rig.file("models/toy/lock.json")) as ModelLock;
  rmSync(join(rig.root, "store"), { recursive: true });
  const missing = await lockstep(clone, "compare", "toy@v1", "toy@v2");
  expect(missing).toMatchObject({ exitCode: 3, stdout: "" });
  expect(missing.stderr).toContain(`${lock.versions[1]?.predictions} is not in `);
  const [, again = ""] = /hint: `lockstep (repro [0-9a-f]{12})` makes it again here/.exec(missing.stderr) ?? [];
  expect(await lockstep(clone, ...again.split(" "))).toMatchObject({ exitCode: 0 });
  expect((await lockstep(clone, "compare", "toy@v2", "toy@v2")).stdout).toMatch(/^No change in any prediction\./);
});
