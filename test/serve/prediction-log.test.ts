import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openLogs } from "../../src/monitor/index.ts";
import type { LogStore } from "../../src/monitor/index.ts";
import { decodeFeedback, decodePredictions } from "../../src/monitor/rows.ts";
import { startServer } from "../../src/serve/index.ts";
import type { RunningServer, ServedModel } from "../../src/serve/index.ts";
import { softmaxNetwork } from "./onnx.ts";
import { ask, createRig, must, served } from "./rig.ts";
import type { Rig } from "./rig.ts";

const network = softmaxNetwork("features", [
  [4, 0],
  [0, 4],
]);
let rig: Rig;
let logs: LogStore;
const servers: RunningServer[] = [];
beforeEach(async () => {
  rig = await createRig();
  logs = must(openLogs(rig.context, "file:store"));
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.drain();
  await rig[Symbol.asyncDispose]();
});

async function serve(log: object = {}, model: Partial<ServedModel> = {}): Promise<string> {
  const options = { models: [served(network, model)], log: { logs, flushMs: 60_000, ...log } };
  const server = must(await startServer(rig.context, options));
  servers.push(server);
  return server.url;
}
const infer = (url: string, id: string, rows: number[][] = [[1, 0]], more: object = {}) =>
  ask(`${url}/v2/models/m/infer`, {
    id,
    inputs: [{ name: "features", datatype: "FP32", shape: [rows.length, 2], data: rows }],
    ...more,
  });
const flush = async (url: string) => (await ask(`${url}/v2/logs/flush`, {})).body;
async function logged(): Promise<{ id: string; prediction: unknown }[]> {
  const segments = must(await logs.list("m", "predictions", new Date(0)));
  const decoded = await Promise.all(
    segments.map(async (segment) => must(decodePredictions(must(await logs.read(segment))))),
  );
  return decoded.flatMap(({ rows }) => rows);
}

describe("prediction logging", () => {
  it("writes a row per example: flattened columns, outputs, the class, id and time", async () => {
    const url = await serve();
    await infer(url, "r", [
      [1, 0],
      [0, 1],
    ]);
    await infer(url, "single", [[0.5, 0]]);
    expect(await flush(url)).toEqual({ rows: 3 });
    expect(await flush(url)).toEqual({ rows: 0 });
    const [segment] = must(await logs.list("m", "predictions", new Date(0)));
    const { header, rows } = must(decodePredictions(must(await logs.read(segment!))));
    expect(header).toEqual({
      format: "lockstep-predictions/1",
      model: "m",
      version: 1,
      inputs: ["features.0", "features.1"],
      outputs: ["probabilities.0", "probabilities.1"],
    });
    expect(rows.map(({ id, prediction, inputs }) => [id, prediction, inputs])).toEqual([
      ["r:0", "no", [1, 0]],
      ["r:1", "yes", [0, 1]],
      ["single", "no", [0.5, 0]],
    ]);
    expect(rows[0]!.time).toBe(rig.clock.getTime());
  });

  it("leaves out what is asked not to be logged, what failed, and what is not in the sample", async () => {
    const url = await serve({}, { logSample: 0.5 });
    await infer(url, "quiet", [[1, 0]], { parameters: { log: false } });
    await infer(url, "bad", [[1, 0, 0]]);
    for (let i = 0; i < 100; i++) await infer(url, `s${i}`);
    await flush(url);
    const ids = (await logged()).map(({ id }) => id);
    expect(ids).not.toContain("quiet");
    expect(ids).not.toContain("bad");
    expect(ids.length).toBeGreaterThan(30);
    expect(ids.length).toBeLessThan(70);
    // The sample is a function of the id: the same requests again are the same rows again, of a later time.
    rig.clock = new Date(rig.clock.getTime() + 1000);
    for (let i = 0; i < 100; i++) await infer(url, `s${i}`);
    await flush(url);
    expect((await logged()).length).toBe(2 * ids.length);
  });

  it("writes by itself when enough rows wait, and after a while", async () => {
    const url = await serve({ flushRows: 3 });
    for (const id of ["a", "b", "c"]) await infer(url, id);
    await until(async () => (await logged()).length === 3);
    const other = await serve({ flushMs: 20 });
    await infer(other, "d");
    await until(async () => (await logged()).length === 4);
  });

  it("keeps rows while the store is down, and answers all the while", async () => {
    await writeFile(join(rig.folder, "store"), "a file where a folder should be");
    const url = await serve();
    expect((await infer(url, "a")).status).toBe(200);
    expect(await ask(`${url}/v2/logs/flush`, {})).toMatchObject({ status: 503 });
    expect(rig.events).toContainEqual({
      type: "warning",
      message: expect.stringContaining("prediction log is not written"),
    });
    expect((await infer(url, "b")).status).toBe(200);
    await rm(join(rig.folder, "store"));
    expect(await flush(url)).toEqual({ rows: 2 });
    expect((await logged()).map(({ id }) => id)).toEqual(["a", "b"]);
  });

  it("gives odd ids plain names, the same for a prediction and its feedback", async () => {
    const url = await serve();
    const id = "</td>\n@everyone " + "x".repeat(500);
    expect((await infer(url, id)).body.id).toBe(id);
    await ask(`${url}/v2/models/m/feedback`, { id, label: "yes" });
    await flush(url);
    const [row] = await logged();
    expect(row!.id).toMatch(/^h-[0-9a-f]{32}$/);
    const [segment] = must(await logs.list("m", "feedback", new Date(0)));
    const { rows } = must(decodeFeedback(must(await logs.read(segment!))));
    expect(rows).toEqual([{ id: row!.id, time: rig.clock.getTime(), label: "yes" }]);
  });

  it.each([
    ["no class", { id: "a", label: "<img src=x>" }],
    ["no label", { id: "a" }],
    ["no id", { label: "yes" }],
    ["an empty list", []],
    ["a label too long", { id: "a", label: "y".repeat(2000) }],
    ["a number that is no class", [{ id: "a", label: 1 }]],
  ])("refuses feedback with %s", async (_, body) => {
    const url = await serve();
    expect(await ask(`${url}/v2/models/m/feedback`, body)).toMatchObject({
      status: 400,
      body: { error: expect.any(String) },
    });
    expect(await flush(url)).toEqual({ rows: 0 });
  });

  it("takes feedback only where it can keep it", async () => {
    const server = must(await startServer(rig.context, { models: [served(network)] }));
    servers.push(server);
    expect((await ask(`${server.url}/v2/models/m/feedback`, { id: "a", label: "yes" })).status).toBe(404);
    expect((await ask(`${server.url}/v2/logs/flush`, {})).status).toBe(404);
    const url = await serve();
    expect((await ask(`${url}/v2/models/other/feedback`, { id: "a", label: "yes" })).status).toBe(404);
  });
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 20_000; performance.now() < end; await new Promise((r) => setTimeout(r, 20))) {
    if (await condition()) return;
  }
  throw new Error("it did not come true in 20 seconds");
}
