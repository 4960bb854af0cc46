import { appendFileSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { spawn } from "../../src/core/index.ts";
import { BIN } from "../helpers/cli.ts";
import { contextIn, repository, temporary, write } from "../git/repository.ts";

/** The real command line in a folder: exit code, and the document of `--json`. */
async function lockstep(cwd: string, ...args: string[]): Promise<{ code: number | null; json: unknown }> {
  const { env } = contextIn(cwd);
  const { exitCode, stdout, stderr } = await spawn(process.execPath, [BIN, "--json", ...args], { cwd, env });
  if (stdout.length === 0) throw new Error(`no document: ${stderr}`);
  return { code: exitCode, json: JSON.parse(stdout.toString()) };
}

test("data: add from a folder below, push, lose, pull, edit, check out", async () => {
  using folder = temporary();
  const path = repository(join(folder.path, "r"));
  write(path, { "data/f/a": "a", "data/f/b": "b" });
  const added = await lockstep(join(path, "data"), "data", "add", "f", "--name", "files");
  expect(added).toMatchObject({ code: 0, json: { name: "files", dataset: { path: "data/f", files: 2 } } });
  expect(await lockstep(path, "data", "list")).toMatchObject({ json: { datasets: [{ name: "files", size: 2 }] } });
  expect(await lockstep(path, "data", "push")).toMatchObject({ code: 0, json: { datasets: [{ blobs: 2 }] } });
  expect(await lockstep(path, "data", "verify")).toMatchObject({ code: 0, json: { datasets: [{ blobs: 2 }] } });
  rmSync(join(path, "data"), { recursive: true });
  expect(await lockstep(path, "data", "status")).toMatchObject({ json: { datasets: [{ state: "missing" }] } });
  expect(await lockstep(path, "data", "pull", "files")).toMatchObject({ code: 0 });
  appendFileSync(join(path, "data/f/a"), "edit");
  expect(await lockstep(path, "data", "pull")).toMatchObject({
    code: 1,
    json: { failures: [{ code: "data-changed" }] },
  });
  expect(readFileSync(join(path, "data/f/a"), "utf8")).toBe("aedit");
  expect(await lockstep(path, "data", "checkout")).toMatchObject({
    code: 1,
    json: { failures: [{ code: "data-changed", files: ["data/f/a"] }] },
  });
  expect(await lockstep(path, "data", "checkout", "--force")).toMatchObject({ code: 0 });
  expect(readFileSync(join(path, "data/f/a"), "utf8")).toBe("a");
});

test("data: wrong use and an unfinished merge end with 2, a missing store with 3", async () => {
  using folder = temporary();
  const path = repository(join(folder.path, "r"));
  expect(await lockstep(path, "data", "add", "../x")).toMatchObject({
    code: 2,
    json: { failures: [{ code: "usage" }] },
  });
  expect(await lockstep(path, "data", "pull", "x")).toMatchObject({
    code: 2,
    json: { failures: [{ code: "unknown-name", hint: "there are none yet" }] },
  });
  write(path, { "data/a": "a" });
  await lockstep(path, "data", "add", "data/a");
  rmSync(join(path, "data"), { recursive: true });
  rmSync(join(path, ".lockstep"), { recursive: true });
  expect(await lockstep(path, "data", "pull")).toMatchObject({
    code: 3,
    json: { failures: [{ code: "blob-missing" }] },
  });
  const lock = readFileSync(join(path, "data.lock.json"), "utf8");
  write(path, { "data.lock.json": `<<<<<<< HEAD\n${lock}=======\n${lock}>>>>>>> other\n` });
  expect(await lockstep(path, "data", "status")).toMatchObject({
    code: 2,
    json: { failures: [{ code: "merge-conflict", at: { file: "data.lock.json", line: 1, column: 1 } }] },
  });
});
