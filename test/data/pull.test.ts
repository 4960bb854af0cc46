import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { addData, loadDataLock, pullData, pushData, statusData } from "../../src/data/index.ts";
import { workingTree } from "../../src/git/index.ts";
import { localCache, openStore } from "../../src/store/index.ts";
import type { Store } from "../../src/store/index.ts";
import { contextIn, makeExecutable, repository, sh, temporary, write } from "../git/repository.ts";
import { must } from "../store/contract.ts";
import { contents } from "../store/rig.ts";

interface Rig extends Disposable {
  readonly path: string;
  readonly context: ReturnType<typeof contextIn>;
  readonly stores: Store[];
  /** Tracks a path, sends it and commits the lockfile. */
  publish(path?: string): Promise<void>;
  /** The working copy as a clone would have it. */
  clone(): void;
  state(): Promise<string[]>;
}

function rig(): Rig {
  const folder = temporary();
  const path = repository(join(folder.path, "repository"));
  const context = contextIn(path);
  const team = must(openStore(context, "file:../team"));
  return {
    path,
    context,
    stores: [localCache(context), team],
    async publish(data = "data") {
      must(await addData(contextIn(path), { path: data }));
      must(await pushData(contextIn(path), { to: team }));
      sh(path, "add", "--all");
      sh(path, "commit", "--quiet", "--message=data");
    },
    clone: () => {
      for (const name of ["data", ".lockstep"]) rmSync(join(path, name), { recursive: true, force: true });
    },
    state: async () => must(await statusData(contextIn(path))).map(({ state }) => state),
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

const files = { "data/cats/1": "cat 1", "data/cats/2": "cat 2", "data/dogs/1": "dog 1", "data/run": "run" };

describe("edits are not lost", () => {
  test("a file that no store has is named, ten at most, and all of them stay", async () => {
    using at = rig();
    write(at.path, files);
    await at.publish();
    const edits = Object.fromEntries(
      Array.from({ length: 12 }, (_, number) => [`data/new/${number}`, `new ${number}`]),
    );
    write(at.path, { ...edits, "data/cats/1": "edited" });
    const before = contents(join(at.path, "data"));
    const pulled = await pullData(contextIn(at.path), { stores: at.stores });
    expect(pulled).toMatchObject({ failures: [{ code: "data-changed", dataset: "data", path: "data" }] });
    const named = pulled.ok || pulled.failures[0].code !== "data-changed" ? [] : pulled.failures[0].files;
    expect(named).toHaveLength(10);
    expect(named).toContain("data/cats/1");
    expect(contents(join(at.path, "data"))).toEqual(before);
    must(await pullData(contextIn(at.path), { stores: at.stores, overwrite: true }));
    expect(readdirSync(join(at.path, "data")).sort()).toEqual(["cats", "dogs", "run"]);
  });

  test("a mixture of files that some version has is no edit", async () => {
    using at = rig();
    write(at.path, files);
    await at.publish();
    write(at.path, { "data/cats/1": "second" });
    await at.publish();
    write(at.path, { "data/cats/1": "third" });
    await at.publish();
    at.clone();
    must(await pullData(contextIn(at.path), { stores: at.stores }));
    // Each of these is in a version of its own; the three together are in none.
    write(at.path, { "data/cats/1": "second", "data/cats/2": "cat 1", "data/dogs/1": "cat 2" });
    must(await pullData(contextIn(at.path), { stores: at.stores }));
    expect(readFileSync(join(at.path, "data/cats/1"), "utf8")).toBe("third");
    write(at.path, { "data/cats/1": "cat 1" });
    must(await pullData(contextIn(at.path), { stores: at.stores, paths: ["data/cats"] }));
    expect(readFileSync(join(at.path, "data/cats/1"), "utf8")).toBe("third");
  });

  test("by path: an edit at the place is named, edits elsewhere do not matter", async () => {
    using at = rig();
    write(at.path, files);
    await at.publish();
    write(at.path, { "data/cats/1": "edited", "data/dogs/1": "edited" });
    rmSync(join(at.path, "data/cats/2"));
    expect(await pullData(contextIn(at.path), { stores: at.stores, paths: ["data/cats/*"] })).toMatchObject({
      failures: [{ code: "data-changed", files: ["data/cats/1"] }],
    });
    expect(existsSync(join(at.path, "data/cats/2"))).toBe(false);
    must(await pullData(contextIn(at.path), { stores: at.stores, paths: ["data/cats/2"] }));
    expect(contents(join(at.path, "data"))).toMatchObject({
      "cats/1": "edited",
      "cats/2": "cat 2",
      "dogs/1": "edited",
    });
    must(await pullData(contextIn(at.path), { stores: at.stores, paths: ["data/cats"], overwrite: true }));
    expect(contents(join(at.path, "data"))).toMatchObject({ "cats/1": "cat 1", "dogs/1": "edited" });
  });
});

describe("a folder of which some files were pulled", () => {
  test("has those and no others, is partial, and is not taken for a new version", async () => {
    using at = rig();
    write(at.path, files);
    await at.publish();
    at.clone();
    const pulled = must(await pullData(contextIn(at.path), { stores: at.stores, paths: ["data/cats/**"] }));
    expect(pulled).toMatchObject([{ name: "data", changed: true, files: 2 }]);
    expect(contents(join(at.path, "data"))).toEqual({ "cats/1": "cat 1", "cats/2": "cat 2" });
    expect(await at.state()).toEqual(["partial"]);
    expect(await addData(contextIn(at.path), { path: "data" })).toMatchObject({
      failures: [{ code: "usage", hint: expect.stringContaining("lockstep data pull data") }],
    });
    expect(must(await pullData(contextIn(at.path), { stores: at.stores, paths: ["data/cats"] }))).toMatchObject([
      { changed: false, files: 0 },
    ]);
    write(at.path, { "data/cats/1": "edited" });
    expect(await at.state()).toEqual(["changed"]);
    write(at.path, { "data/cats/1": "cat 1" });
    must(await pullData(contextIn(at.path), { stores: at.stores }));
    expect(await at.state()).toEqual(["unchanged"]);
    write(at.path, { "data/more": "more" });
    expect(must(await addData(contextIn(at.path), { path: "data" })).dataset.files).toBe(5);
  });

  test("is whole when the last file has come by path", async () => {
    using at = rig();
    write(at.path, files);
    await at.publish();
    at.clone();
    for (const path of ["data/cats", "data/dogs", "data/run"]) {
      must(await pullData(contextIn(at.path), { stores: at.stores, paths: [path] }));
    }
    expect(await at.state()).toEqual(["unchanged"]);
    write(at.path, { "data/more": "more" });
    expect(must(await addData(contextIn(at.path), { path: "data" })).dataset.files).toBe(5);
  });

  test("stays partial when the lockfile moves on: it is not taken for the next version", async () => {
    using at = rig();
    write(at.path, files);
    await at.publish();
    write(at.path, { "data/dogs/1": "another dog" });
    await at.publish();
    sh(at.path, "checkout", "--quiet", "HEAD~1");
    at.clone();
    must(await pullData(contextIn(at.path), { stores: at.stores, paths: ["data/cats"] }));
    sh(at.path, "checkout", "--quiet", "main");
    const lock = readFileSync(join(at.path, "data.lock.json"), "utf8");
    expect(await addData(contextIn(at.path), { path: "data" })).toMatchObject({ failures: [{ code: "usage" }] });
    expect(readFileSync(join(at.path, "data.lock.json"), "utf8")).toBe(lock);
    must(await pullData(contextIn(at.path), { stores: at.stores }));
    expect(contents(join(at.path, "data"))).toMatchObject({ "dogs/1": "another dog", "cats/1": "cat 1" });
  });

  test("globs that mean nothing, or leave the repository, are told", async () => {
    using at = rig();
    write(at.path, files);
    await at.publish();
    for (const paths of [["data/birds/*"], ["../x"], ["/etc/*"], [""]]) {
      expect(await pullData(contextIn(at.path), { stores: at.stores, paths })).toMatchObject({
        failures: [{ code: "usage" }],
      });
    }
  });
});

describe("executable bits", () => {
  test("of a lone file go through add, push and pull, both ways", async () => {
    using at = rig();
    const path = join(at.path, "data/run");
    const dataset = async (): Promise<unknown> => must(await loadDataLock(workingTree(at.context))).datasets["run"];
    write(at.path, { "data/run": "#!/bin/sh" });
    makeExecutable(path);
    await at.publish("data/run");
    expect(await dataset()).toMatchObject({ kind: "file", mode: "755" });
    at.clone();
    must(await pullData(contextIn(at.path), { stores: at.stores }));
    expect(statSync(path).mode & 0o111).not.toBe(0);
    expect(await at.state()).toEqual(["unchanged"]);
    chmodSync(path, 0o644);
    expect(await at.state()).toEqual(["changed"]);
    expect(must(await addData(contextIn(at.path), { path: "data/run" })).changed).toBe(true);
    expect(await dataset()).not.toHaveProperty("mode");
    sh(at.path, "commit", "--quiet", "--all", "--message=plain");
    makeExecutable(path);
    must(await pullData(contextIn(at.path), { stores: at.stores }));
    expect(statSync(path).mode & 0o111).toBe(0);
  });

  test("of files in a folder too, whole and by path", async () => {
    using at = rig();
    write(at.path, files);
    makeExecutable(join(at.path, "data/run"));
    await at.publish();
    for (const paths of [undefined, ["data/run"]]) {
      at.clone();
      must(await pullData(contextIn(at.path), { stores: at.stores, ...(paths === undefined ? {} : { paths }) }));
      expect(contents(join(at.path, "data"))["run"]).toBe("x run");
    }
    writeFileSync(join(at.path, "data/run"), "run");
    chmodSync(join(at.path, "data/run"), 0o644);
    must(await pullData(contextIn(at.path), { stores: at.stores, paths: ["data/run"] }));
    expect(contents(join(at.path, "data"))["run"]).toBe("x run");
  });
});
