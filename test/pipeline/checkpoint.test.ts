import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { message } from "../../src/core/index.ts";
import { workingTree } from "../../src/git/index.ts";
import { loadPipeline } from "../../src/pipeline/index.ts";
import { localCache, readCheckpoint } from "../../src/store/index.ts";
import { write } from "../git/repository.ts";
import { until } from "../helpers/processes.ts";
import { value } from "../helpers/value.ts";
import { project, runDemo, statuses } from "./project.ts";
import { heldAt, stage, training, undisturbed } from "./training.ts";

test("a training loop that is killed three times, in three ways, ends like one that was not", async () => {
  using at = training();
  const { model, key } = await undisturbed(at);
  // Killed outright, with its run: what it wrote down last is there.
  write(at.path, { hold: "12" });
  const killed = spawn(process.execPath, [join(import.meta.dirname, "killed-run.ts"), at.path, "never"]);
  await until(() => existsSync(join(at.path, "at")));
  killed.kill("SIGKILL");
  await once(killed, "exit");
  // Asked to stop: it writes down where it stands.
  expect((await heldAt(at, 22, (stop) => stop())).failures).toEqual([{ code: "interrupted" }]);
  write(at.path, { "pipelines/demo.yaml": stage("    timeout: 2s\n") });
  const late = await heldAt(at, 31, () => {});
  expect(late.failures.map(message)).toEqual(['stage "train" ran longer than its timeout of 2 s']);

  write(at.path, { "pipelines/demo.yaml": stage() });
  const done = await runDemo(at.context);
  expect(statuses(done)).toEqual(["train: run"]);
  expect(at.read("log")).toBe("0\n10\n22\n31\n");
  expect(at.read("build/model")).toBe(model);
  expect(done.stages[0]?.key).toBe(key);
  expect(existsSync(join(at.path, "ckpt"))).toBe(false);
  expect(readdirSync(join(at.path, ".lockstep/checkpoints"))).toEqual([]);
  expect(value(await readCheckpoint(localCache(at.context), key))).toBeUndefined();
});

test("it keeps away from all that keys and records speak of", async () => {
  const outs = "outs: [build/model]";
  using at = project({
    "src/x": "",
    "pipelines/demo.yaml": `stages:
  a: {cmd: x, deps: [src], ${outs}, checkpoint: build/model/ckpt}
  b: {cmd: x, checkpoint: src/ckpt}
  c: {cmd: x, checkpoint: ckpt/c}
  d: {cmd: x, checkpoint: {path: ckpt}}
`,
  });
  const loaded = await loadPipeline(workingTree(at.context), "demo");
  expect(loaded.ok ? [] : loaded.failures).toMatchObject([
    { at: { line: 2 }, problem: 'the checkpoint build/model/ckpt meets build/model, an output of "a"' },
    { at: { line: 3 }, problem: 'the checkpoint src/ckpt meets src, which "a" depends on' },
    { at: { line: 5 }, problem: 'the checkpoint ckpt meets the checkpoint of "c"' },
  ]);
});
