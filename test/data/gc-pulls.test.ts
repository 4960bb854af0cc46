import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Digest } from "../../src/core/index.ts";
import { collectGarbage } from "../../src/data/index.ts";
import { openStore } from "../../src/store/index.ts";
import { contextIn } from "../git/repository.ts";
import { Rig } from "../sandbox/rig.ts";
import { must } from "../store/contract.ts";
import { DEFAULTS, keysIn, lockOf, looseTree } from "./gc-rig.ts";

test("open pull requests of forks keep their data, closed ones do not; without a token nothing is deleted", async () => {
  await using rig = await Rig.start();
  const quiet = contextIn(rig.work);
  const store = must(openStore(quiet, "file:../team"));
  const [main, opened, closed, spelled] = await Promise.all(
    ["main", "opened", "closed", "spelled"].map(async (text) => looseTree(store, { a: text })),
  );
  await rig.push("main", { "data.lock.json": lockOf({ a: main! }) }, undefined);
  await rig.octokit("carol").rest.repos.createFork(rig.repo);
  const fork = rig.sandbox.cloneUrl("carol/digits", "carol");
  await rig.git("clone", "--quiet", fork, "fork");
  const elsewhere = ["-C", join(rig.folder, "fork")];
  for (const [branch, tree] of [
    ["opened", opened!],
    ["closed", closed!],
  ] as const) {
    await rig.git(...elsewhere, "checkout", "--quiet", "-B", branch, "origin/main");
    const files = join(rig.folder, "fork");
    writeFileSync(join(files, "data.lock.json"), lockOf({ a: tree }));
    await rig.git(...elsewhere, "commit", "--quiet", "--all", "--message", branch);
    // What would be a reason to delete nothing, if a branch of the team had it.
    if (branch === "opened") {
      const [file = ""] = main!.keys;
      const lies = { a: tree, b: { kind: "tree", digest: `sha256:${file.slice("blobs/".length)}` as Digest } } as const;
      writeFileSync(join(files, "data.lock.json"), lockOf(lies));
      mkdirSync(join(files, "models/m"), { recursive: true });
      writeFileSync(join(files, "models/m/lock.json"), `>>>>>>> ${spelled!.digest}`);
      await rig.git(...elsewhere, "add", "--all");
      await rig.git(...elsewhere, "commit", "--quiet", "--message", branch);
    }
    await rig.git(...elsewhere, "push", "--quiet", "origin", branch);
    const { data } = await rig
      .octokit("carol")
      .rest.pulls.create({ ...rig.repo, head: `carol:${branch}`, base: "main", title: branch });
    if (branch === "closed") {
      await rig.octokit("ada").rest.pulls.update({ ...rig.repo, pull_number: data.number, state: "closed" });
    }
  }

  const refused = await collectGarbage(quiet, { ...DEFAULTS, store });
  expect(JSON.stringify(refused)).toMatch(/no GitHub token.*--no-pull-requests/);
  expect((await keysIn(store)).size).toBe(8);

  const env = {
    GITHUB_TOKEN: rig.jobToken({ contents: "read", "pull-requests": "read" }),
    GITHUB_API_URL: rig.sandbox.apiUrl,
  };
  const told = { ...contextIn(rig.work, env), fetch: globalThis.fetch };
  expect(must(await collectGarbage(told, { ...DEFAULTS, store })).marks).toMatchObject({ "open pull requests": 4 });
  expect(await keysIn(store)).toEqual(new Set([main, opened, spelled].flatMap((tree) => tree!.keys)));
  expect(rig.openapi.violations()).toEqual([]);

  const forbidden = { ...told, env: { ...told.env, GITHUB_TOKEN: "wrong" } };
  expect(JSON.stringify(await collectGarbage(forbidden, { ...DEFAULTS, store }))).toContain("pull-requests: read");
  must(await collectGarbage(quiet, { ...DEFAULTS, store, pullRequests: false }));
  expect(await keysIn(store)).toEqual(new Set(main!.keys));
});
