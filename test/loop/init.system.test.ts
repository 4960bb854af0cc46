import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inflateRawSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openApiObserver } from "../helpers/openapi.ts";
import { openRig, root } from "./rig.ts";
import type { Rig } from "./rig.ts";

/** Where the data of an archive's first file begin: after its header, which tells how long its name and extra field are. */
const dataOf = (archive: Buffer): number => 30 + archive.readUInt16LE(26) + archive.readUInt16LE(28);

/** A new user's first hour: an empty repository, `init`, a push, one edit in a pull request, a comment, a merge. */
describe("lockstep init", () => {
  const openapi = openApiObserver();
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig(openapi.observer);
  });
  afterAll(async () => rig.close());

  const read = (path: string): string => readFileSync(join(rig.clone, path), "utf8");
  /** The lines of README that add Lockstep to a repository, run as they stand there. */
  const follow = async (from: RegExp, to: RegExp): Promise<string> => {
    const readme = readFileSync(join(root, "README.md"), "utf8");
    const lines = /## Add it to a repository\n\n```sh\n([\s\S]*?)```/.exec(readme)?.[1]?.split("\n") ?? [];
    const part = lines.slice(
      lines.findIndex((line) => from.test(line)),
      lines.findIndex((line) => to.test(line)),
    );
    expect(part.length).toBeGreaterThan(2);
    const lockstep = `"${process.execPath}" "${join(root, "bin", "lockstep.js")}"`;
    return rig.run("bash", ["-euc", part.join("\n").replaceAll("npx lockstep", lockstep)]);
  };
  const lock = (): { aliases: object; versions: { verdict: string; pullRequest: number | null }[] } =>
    JSON.parse(read("models/first/lock.json")) as ReturnType<typeof lock>;

  it("overwrites nothing", async () => {
    writeFileSync(join(rig.clone, ".gitignore"), "node_modules/");
    const first = JSON.parse(await rig.lockstep("init", "--json")) as { written: string[] };
    expect(first.written).toContain(".github/workflows/lockstep-report.yml");
    expect(read(".gitignore")).toBe("node_modules/\n.lockstep/\nbuild/\n");
    appendFileSync(join(rig.clone, "pipelines/first.yaml"), "# mine\n");
    const again = JSON.parse(await rig.lockstep("init", "--json")) as { written: string[] };
    expect(again.written).toEqual([]);
    expect(read("pipelines/first.yaml")).toMatch(/# mine\n$/);
  });

  it("gives a pipeline that runs here, and is cached the second time", async () => {
    expect(await rig.lockstep("run", "--json")).toMatch(/"status": "run"/);
    expect(await rig.lockstep("run", "--json")).not.toMatch(/"status": "run"/);
  });

  it("promotes a first version when it is pushed, as README says", async () => {
    await follow(/npx lockstep init/, /git checkout -b/);
    expect(await rig.settle()).toEqual(["Lockstep promote: success"]);
    await rig.run("git", ["pull", "-q", "--ff-only", "origin", "main"]);
    expect(lock().aliases).toMatchObject({ production: 1 });
  });

  it("answers an edit in a pull request with one comment that judges it", async () => {
    await follow(/git checkout -b/, /^# open the pull request/);
    const proposal = { title: "Try cubic features", head: "first-experiment", base: "main" };
    const pull = await rig.api<{ number: number }>("POST", "/pulls", proposal);
    const reports = ["Lockstep report: success", "Lockstep report: success"];
    expect(await rig.settle()).toEqual(["Lockstep promote: success", "Lockstep experiment: success", ...reports]);
    const comments = await rig.api<{ body: string; user: { login: string } }[]>(
      "GET",
      `/issues/${pull.number}/comments`,
    );
    expect(comments.map((comment) => comment.user.login)).toEqual(["github-actions[bot]"]);
    for (const word of [/better/i, /accuracy/, /degree/]) expect(comments[0]?.body).toMatch(word);
    const [, page = ""] = /\[full report\]\(([^)]+)\)/.exec(comments[0]?.body ?? "") ?? [];
    const archive = Buffer.from(await (await fetch(page.replace("github.localhost", "127.0.0.1"))).arrayBuffer());
    expect(inflateRawSync(archive.subarray(dataOf(archive))).toString()).toMatch(
      /^<!doctype html>[^]*<h1>Better<\/h1>/,
    );
  });

  it("promotes the reviewed bytes when it is merged, without running a stage", async () => {
    await rig.api("PUT", "/pulls/1/merge", {});
    expect((await rig.settle()).at(-1)).toBe("Lockstep promote: success");
    await rig.run("git", ["checkout", "-q", "main"]);
    await rig.run("git", ["pull", "-q", "--ff-only", "origin", "main"]);
    expect(lock().aliases).toMatchObject({ production: 2 });
    expect(lock().versions.at(-1)).toMatchObject({ verdict: "better", pullRequest: 1 });
    const log = rig
      .runs()
      .at(-1)
      ?.jobs.flatMap((job) => job.steps.map((step) => step.log));
    expect(log?.join("\n")).not.toMatch(/: runs, because/);
  });

  it("spoke GitHub's API all the while", () => {
    expect(openapi.requests()).toBeGreaterThan(10);
    expect(openapi.violations()).toEqual([]);
  });
});
