import { cpSync, existsSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openStore, readCheckpoint } from "../../src/store/index.ts";
import { sh, write } from "../git/repository.ts";
import { startLockstep } from "../helpers/cli.ts";
import { until } from "../helpers/processes.ts";
import { value } from "../helpers/value.ts";
import { runDemo } from "./project.ts";
import { clone, heldAt, stage, team, training, undisturbed } from "./training.ts";

test("another machine that shares only the store goes on where the first was asked to stop", async () => {
  using at = training();
  const store = team(at);
  const { model, key } = await undisturbed(at);
  write(at.path, { hold: "22" });
  const first = startLockstep(at.path, ["run"], { env: { LOCKSTEP_STORE: "file:../team" } });
  await until(() => existsSync(join(at.path, "at")));
  first.child.kill("SIGTERM");
  expect((await first.ended).exitCode).toBe(130);
  expect(value(await readCheckpoint(store, key))).toMatchObject({ count: 1 });

  const other = clone(at, "other");
  const outcome = await runDemo(other, { store: value(openStore(other, "file:../team")) });
  expect(outcome.failures).toEqual([]);
  expect(readFileSync(join(other.path, "log"), "utf8")).toBe("22\n");
  expect(readFileSync(join(other.path, "build/model"), "utf8")).toBe(model);
  expect(value(await readCheckpoint(store, key))).toBeUndefined();
});

test("it is stored every so often, while the stage runs: a machine that is gone at once is no loss", async () => {
  using at = training();
  write(at.path, { "pipelines/demo.yaml": stage("", "0.1s") });
  sh(at.path, "commit", "--quiet", "--all", "--message=often");
  const store = team(at);
  const { model, key } = await undisturbed(at);
  await heldAt(
    at,
    12,
    async (stop) => {
      for (let found = false; !found;) found = value(await readCheckpoint(store, key)) !== undefined;
      const other = clone(at, "other");
      await runDemo(other, { store: value(openStore(other, "file:../team")) });
      expect(readFileSync(join(other.path, "log"), "utf8")).toBe("10\n");
      expect(readFileSync(join(other.path, "build/model"), "utf8")).toBe(model);
      stop();
    },
    { store },
  );
});

describe("a checkpoint is for its key alone", () => {
  test("another experiment starts from the beginning; the first goes on from what was stored of it", async () => {
    using at = training();
    await heldAt(at, 22, (stop) => stop());
    write(at.path, { rate: "0.2" });
    await heldAt(at, 7, (stop) => stop());
    write(at.path, { rate: "0.1" });
    expect((await runDemo(at.context)).failures).toEqual([]);
    expect(at.read("log")).toBe("0\n0\n22\n");
    expect(at.read("build/model")).toBe((await undisturbed(at)).model);
  });

  test("a folder of which nobody knows whose it is does not count, and one that git tracks is refused", async () => {
    using at = training();
    write(at.path, { "ckpt/state": '{"step":39,"state":"forged"}' });
    await runDemo(at.context);
    expect(at.read("log")).toBe("0\n");
    write(at.path, { "ckpt/state": "{}", rate: "0.3" });
    sh(at.path, "add", "--force", "ckpt");
    expect((await runDemo(at.context)).failures).toMatchObject([
      { code: "file-invalid", at: { line: 6 }, problem: expect.stringContaining("git tracks ckpt/state") },
    ]);
  });

  test.each([{ force: true }, { trustedOnly: true }])("%j starts from the beginning", async (options) => {
    using at = training();
    await heldAt(at, 22, (stop) => stop());
    expect((await runDemo(at.context, options)).failures).toEqual([]);
    expect(at.read("log")).toBe("0\n0\n");
  });
});

test("a damaged or lost checkpoint is a warning, and the one before it is taken", async () => {
  using at = training();
  const store = team(at);
  await heldAt(at, 12, (stop) => stop(), { store });
  cpSync(join(at.path, ".lockstep/cache"), join(at.path, "../before"), { recursive: true });
  await heldAt(at, 22, (stop) => stop(), { store });
  // The second has gone from the team's store, but not its name.
  for (const file of readdirSync(join(at.path, "../team/v1/blobs"), { recursive: true, withFileTypes: true })) {
    if (file.isFile()) rmSync(join(file.parentPath, file.name));
  }
  rmSync(join(at.path, ".lockstep"), { recursive: true });
  cpSync(join(at.path, "../before"), join(at.path, ".lockstep/cache"), { recursive: true });
  await runDemo(at.context, { store });
  expect(at.read("log")).toBe("0\n12\n12\n");
  expect(at.context.events).toContainEqual({
    type: "warning",
    message: expect.stringMatching(/^the checkpoint of train could not be restored: sha256:.* is not in /),
  });
});

test("what cannot be stored stays here, said once", async () => {
  using at = training();
  write(at.path, { "pipelines/demo.yaml": stage("", "0.05s") });
  await heldAt(at, 12, async (stop) => {
    symlinkSync("state", join(at.path, "ckpt/latest"));
    await until(() => at.context.events.some(({ type }) => type === "warning"));
    stop();
  });
  expect(at.context.events.filter(({ type }) => type === "warning")).toEqual([
    { type: "warning", message: expect.stringContaining("the checkpoint of train could not be stored: ckpt/latest") },
  ]);
  await runDemo(at.context);
  expect(at.read("log")).toBe("0\n12\n");
});
