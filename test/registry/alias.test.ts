import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ModelLock } from "../../src/config/index.ts";
import { moveAlias, promote } from "../../src/registry/index.ts";
import { FakeGitHub } from "../github/fake.ts";
import { startLockstep } from "../helpers/cli.ts";
import { value } from "../helpers/value.ts";
import { contextFor, optionsFor, Rig } from "./rig.ts";

/** A registry with two versions, the second in production. */
async function twoVersions(rig: Rig, fake: FakeGitHub): Promise<string> {
  const clone = await rig.clone();
  const context = contextFor(clone);
  value(await promote(context, fake.connect(), optionsFor(context, rig.git(clone, "rev-parse", "HEAD"))));
  const commit = await rig.commit(clone, { "params.yaml": "wrong: 10\n" }, "better");
  value(await promote(context, fake.connect(), optionsFor(context, commit)));
  rig.git(clone, "pull", "--quiet", "--ff-only");
  return clone;
}

const lockOf = (rig: Rig): ModelLock => JSON.parse(rig.file("models/toy/lock.json")) as ModelLock;

describe("the registry on the command line", () => {
  it("lists, shows, verifies and fetches versions, and rolls back by one commit", async () => {
    await using rig = await Rig.create();
    await using fake = await FakeGitHub.start();
    const clone = await twoVersions(rig, fake);
    const env = { GIT_COMMITTER_NAME: "Ann", GIT_COMMITTER_EMAIL: "ann@example.com" };
    const run = async (...args: string[]) => startLockstep(clone, ["model", ...args], { env }).ended;

    expect((await run("list")).stdout).toBe("toy  2 versions  production: 2\n");
    expect((await run("show", "toy@1")).stdout).toContain("accuracy      0.9\n");
    expect((await run("verify", "toy")).stdout).toBe("version 2: 1 files are what the lockfile says\n");
    expect(await run("show", "toy@9")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("production, 1, 2") as string,
    });
    expect((await run("pull", "toy@1", "--out", "here")).exitCode).toBe(0);
    const pulled = readFileSync(join(clone, "here", "model.bin"));
    expect(`sha256:${createHash("sha256").update(pulled).digest("hex")}`).toBe(
      lockOf(rig).versions[0]?.files["model.bin"],
    );

    const back = await run("rollback", "toy", "--json");
    expect(JSON.parse(back.stdout)).toMatchObject({ version: 1, changed: true });
    expect(lockOf(rig).aliases).toEqual({ production: 1 });
    expect(rig.file("models/toy/CARD.md")).toContain("toy, version 1");
    expect(rig.git(rig.bare, "log", "-1", "--format=%cn <%ce> %s", "main")).toBe(
      "Ann <ann@example.com> toy: production is version 1",
    );
    expect((await run("rollback", "toy", "1")).stdout).toBe("toy: production is version 1 already\n");
    expect((await run("rollback", "toy")).exitCode).toBe(2);
    expect((await run("alias", "toy", "staging", "2")).stdout).toBe("toy: staging is now version 2\n");
    expect(lockOf(rig).aliases).toEqual({ production: 1, staging: 2 });
    expect((await run("promote", "toy", "two")).exitCode).toBe(2);
    // The working tree is a person's own: nothing of this touched it.
    expect(rig.git(clone, "status", "--porcelain", "--untracked-files=no")).toBe("");
  });

  it("two choices at once both happen, one after the other", async () => {
    await using rig = await Rig.create();
    await using fake = await FakeGitHub.start();
    const clones = [await twoVersions(rig, fake), await rig.clone()];
    const author = { name: "ann", email: "ann@x" };
    const options = { remote: "origin", branch: "main", author, model: "toy" };
    const moves = [
      { alias: "staging", to: 2 },
      { alias: "shadow", to: 1 },
    ];
    const contexts = clones.map((clone) => contextFor(clone));
    await Promise.all(
      moves.map(async (move, index) =>
        value(await moveAlias(contexts[index] as (typeof contexts)[0], { ...options, ...move })),
      ),
    );
    expect(lockOf(rig).aliases).toEqual({ production: 2, staging: 2, shadow: 1 });
  });
});
