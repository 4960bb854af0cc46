import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openLogs } from "../../src/monitor/index.ts";
import { createFixture } from "../deploy/fixture.ts";
import type { Fixture } from "../deploy/fixture.ts";
import { startLockstep } from "../helpers/cli.ts";
import type { Running } from "../helpers/cli.ts";
import { value } from "../helpers/value.ts";
import { softmaxNetwork } from "./onnx.ts";
import { ask } from "./rig.ts";

const YAML = `
version: 1
pipeline: m
files: {model.onnx: build/model.onnx}
evaluation:
  predictions: build/p.csv
  task: binary
  columns: {id: id, label: label, prediction: prediction}
  metrics: [accuracy]
serving: {input: features, output: probabilities, classes: ["no", "yes"]}
`;

let fixture: Fixture;
beforeEach(async () => {
  fixture = await createFixture(YAML);
  for (const scale of [1, 2]) {
    const weights = [
      [scale, 0],
      [0, scale],
    ];
    await fixture.promote({ "model.onnx": softmaxNetwork("features", weights) });
  }
});
afterEach(async () => fixture[Symbol.asyncDispose]());

const serve = (...args: string[]): Running =>
  startLockstep(fixture.repository, ["serve", ...args], {
    env: { LOCKSTEP_STORE: `file:${fixture.store}`, HOME: fixture.root },
  });

/** The URL of the line that says where it answers. */
async function url({ child, ended }: Running): Promise<string> {
  const said = new Promise<string>((resolve) => {
    let text = "";
    child.stdout?.on("data", (chunk) => {
      text += String(chunk);
      const found = /answers at (\S+)/.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    });
  });
  const early = ended.then(({ stderr }) => Promise.reject(new Error(`it ended:\n${stderr}`)));
  early.catch(() => {});
  return Promise.race([said, early]);
}

describe("lockstep serve", () => {
  it("serves a version, and writes its log when it is interrupted", async () => {
    const running = serve("m@1", "--port", "0");
    const model = await url(running);
    expect(await ask(model)).toMatchObject({ status: 200, body: { name: "m", versions: ["1"] } });
    const inputs = [{ name: "features", datatype: "FP32", shape: [1, 2], data: [1, 0] }];
    expect((await ask(`${model}/infer`, { id: "a", inputs })).status).toBe(200);
    expect((await ask(`${model}/feedback`, { id: "a", label: "no" })).status).toBe(200);
    running.child.kill("SIGINT");
    expect(await running.ended).toMatchObject({ exitCode: 0 });
    // Nor did ONNX Runtime note anything for its makers.
    expect(existsSync(join(fixture.root, ".cache"))).toBe(false);
    const logs = value(openLogs(fixture.context, `file:${fixture.store}`));
    for (const kind of ["predictions", "feedback"] as const) {
      expect(value(await logs.list("m", kind, new Date(0))).map(({ rows }) => rows)).toEqual([1]);
    }
  });

  it("serves production by default, and keeps no log when told so", async () => {
    const running = serve("m", "--port", "0", "--no-log");
    const model = await url(running);
    expect((await ask(model)).body).toMatchObject({ versions: ["2"] });
    expect((await ask(`${model}/feedback`, { id: "a", label: "no" })).status).toBe(404);
    running.child.kill("SIGTERM");
    expect((await running.ended).exitCode).toBe(0);
  });

  it.each([
    [["m@9"], 2, 'there is no version or alias of model "m" "9"'],
    [["n"], 2, 'there is no model "n"'],
    [["m", "--port", "99999"], 2, "whole numbers"],
  ])("refuses %j", async (args, exitCode, message) => {
    const ended = await serve(...args).ended;
    expect(ended.exitCode).toBe(exitCode);
    expect(ended.stderr).toContain(message);
  });
});
