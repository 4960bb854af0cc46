import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openLogs } from "../../src/monitor/index.ts";
import type { LogStore } from "../../src/monitor/index.ts";
import { startServer } from "../../src/serve/index.ts";
import type { RunningServer } from "../../src/serve/index.ts";
import { identityNetwork, softmaxNetwork } from "./onnx.ts";
import { ask, createRig, must, served } from "./rig.ts";
import type { Rig } from "./rig.ts";

// "no" grows with the first feature, "yes" with the second.
const network = softmaxNetwork("features", [
  [4, 0],
  [0, 4],
]);
const infer = (url: string, data: unknown, shape = [1, 2], more: object = {}) =>
  ask(`${url}/v2/models/m/infer`, { inputs: [{ name: "features", datatype: "FP32", shape, data }], ...more });

let rig: Rig;
let server: RunningServer;
let logs: LogStore;
beforeAll(async () => {
  rig = await createRig();
  logs = must(openLogs(rig.context, "file:store"));
  server = must(
    await startServer(rig.context, {
      models: [served(network), served(network, { version: 2, name: "m" })],
      log: { logs, flushRows: 100, flushMs: 60_000 },
      instance: "me",
    }),
  );
});
afterAll(async () => {
  await server.drain();
  await rig[Symbol.asyncDispose]();
});

describe("the protocol", () => {
  it("tells health, itself and its models", async () => {
    expect(await ask(`${server.url}/v2/health/live`)).toEqual({ status: 200, body: { live: true } });
    expect(await ask(`${server.url}/v2/health/ready`)).toEqual({ status: 200, body: { ready: true } });
    expect((await ask(`${server.url}/v2`)).body).toMatchObject({ name: "lockstep", extensions: [] });
    expect((await ask(`${server.url}/v2/models/m`)).body).toEqual({
      name: "m",
      versions: ["1", "2"],
      platform: "onnxruntime_onnx",
      inputs: [{ name: "features", datatype: "FP32", shape: [-1, 2] }],
      outputs: [{ name: "probabilities", datatype: "FP32", shape: [-1, 2] }],
    });
    expect((await ask(`${server.url}/v2/models/m/versions/1/ready`)).body).toEqual({ name: "m", ready: true });
    const response = await fetch(`${server.url}/v2`);
    expect(response.headers.get("lockstep-instance")).toBe("me");
  });

  it("infers from flat and from nested data alike", async () => {
    const flat = await infer(server.url, [1, 0, 0, 1], [2, 2], { id: "r1" });
    expect(flat.status).toBe(200);
    expect(flat.body).toMatchObject({ model_name: "m", model_version: "2", id: "r1" });
    const [output] = flat.body.outputs;
    expect(output).toMatchObject({ name: "probabilities", datatype: "FP32", shape: [2, 2] });
    expect(output.data[0]).toBeCloseTo(Math.exp(4) / (Math.exp(4) + 1), 5);
    expect(output.data[3]).toBeCloseTo(output.data[0], 6);
    const nested = await infer(
      server.url,
      [
        [1, 0],
        [0, 1],
      ],
      [2, 2],
    );
    expect(nested.body.outputs).toEqual(flat.body.outputs);
    expect(nested.body.id).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("answers with the version that is asked for", async () => {
    const body = { inputs: [{ name: "features", datatype: "FP32", shape: [1, 2], data: [1, 0] }] };
    expect((await ask(`${server.url}/v2/models/m/versions/1/infer`, body)).body.model_version).toBe("1");
    expect((await ask(`${server.url}/v2/models/m/versions/9/infer`, body)).status).toBe(404);
  });

  it.each([
    ["no JSON", "{", 400, "the body is not JSON"],
    ["no inputs", {}, 400, "inputs: "],
    ["an empty list", { inputs: [] }, 400, "inputs: "],
    ["an unknown input", input({ name: "x" }), 400, 'the model has no input "x"; it has "features"'],
    ["another datatype", input({ datatype: "INT64" }), 400, 'input "features" takes datatype FP32, not "INT64"'],
    ["another rank", input({ shape: [2] }), 400, 'input "features" takes shape [-1,2], not [2]'],
    ["another width", input({ shape: [1, 3], data: [1, 2, 3] }), 400, "takes shape [-1,2], not [1,3]"],
    ["too few elements", input({ data: [1] }), 400, "does not hold the 2 elements"],
    ["ragged rows", input({ shape: [2, 2], data: [[1, 2], [3]] }), 400, "does not hold the 4 elements"],
    ["no rows", input({ shape: [0, 2], data: [] }), 400, 'input "features" is empty'],
    ["a text for a number", input({ data: [1, "2"] }), 400, "an element is not a FP32"],
    ["a null for a number", input({ data: [1, null] }), 400, "an element is not a FP32"],
    ["one input twice", { inputs: [...input({}).inputs, ...input({}).inputs] }, 400, "given twice"],
    ["an unknown output", { ...input({}), outputs: [{ name: "z" }] }, 400, 'the model has no output "z"'],
    ["a shape that multiplies up", input({ shape: [1e9, 2] }), 400, "does not hold"],
  ])("refuses %s", async (_, body, status, error) => {
    const answer = await ask(`${server.url}/v2/models/m/infer`, body);
    expect(answer).toMatchObject({ status, body: { error: expect.stringContaining(error) } });
  });

  it("refuses what is not there and what is too large", async () => {
    expect((await ask(`${server.url}/v2/models/other`)).body).toEqual({ error: 'there is no model "other" here' });
    expect((await ask(`${server.url}/nothing`)).status).toBe(404);
    const answer = await ask(`${server.url}/v2/models/m/infer`, " ".repeat(33 * 1024 * 1024));
    expect(answer.status).toBe(413);
  });

  it("counts requests and latency for Prometheus", async () => {
    const before = (await ask(`${server.url}/metrics`)).body as string;
    await infer(server.url, [1, 0]);
    await infer(server.url, [1]);
    const after = (await ask(`${server.url}/metrics`)).body as string;
    const read = (text: string, line: string): number =>
      Number(new RegExp(`^${line} (\\S+)$`, "m").exec(text)?.[1] ?? 0);
    const good = 'lockstep_requests_total\\{model="m",version="2",status="200"\\}';
    const bad = 'lockstep_requests_total\\{model="m",version="2",status="400"\\}';
    expect(read(after, good) - read(before, good)).toBe(1);
    expect(read(after, bad) - read(before, bad)).toBe(1);
    const total = 'lockstep_request_seconds_count\\{model="m",version="2"\\}';
    expect(read(after, total)).toBe(read(after, good));
    const infinite = 'lockstep_request_seconds_bucket\\{model="m",version="2",le="\\+Inf"\\}';
    expect(read(after, infinite)).toBe(read(after, total));
  });
});

function input(over: object): { inputs: object[] } {
  return { inputs: [{ name: "features", datatype: "FP32", shape: [1, 2], data: [1, 0], ...over }] };
}

describe("element types", () => {
  it.each([
    ["INT64", 7, [3, -4], [3, -4]],
    ["BYTES", 8, ["a", ""], ["a", ""]],
    ["BOOL", 9, [true, false], [true, false]],
    ["FP64", 11, [0.1, -2], [0.1, -2]],
  ])("takes and gives %s", async (name, type, data, expected) => {
    const model = served(identityNetwork(type), { signature: { input: "x", output: "y" } });
    const one = must(await startServer(rig.context, { models: [model] }));
    try {
      const body = { inputs: [{ name: "x", datatype: name, shape: [2], data }] };
      const answer = await ask(`${one.url}/v2/models/m/infer`, body);
      expect(answer.body.outputs).toEqual([{ name: "y", datatype: name, shape: [2], data: expected }]);
      const odd = { inputs: [{ name: "x", datatype: name, shape: [1], data: [{}] }] };
      expect((await ask(`${one.url}/v2/models/m/infer`, odd)).status).toBe(400);
    } finally {
      await one.drain();
    }
  });
});

describe("a model that cannot be served", () => {
  it("is a failure that says why", async () => {
    const garbage = await startServer(rig.context, { models: [served(Buffer.from("no network"))] });
    expect(garbage).toMatchObject({ ok: false, failures: [{ code: "external", what: 'model "m" version 1' }] });
    const signature = { input: "pixels", output: "probabilities" };
    const other = await startServer(rig.context, { models: [served(network, { signature })] });
    expect(other).toMatchObject({ ok: false, failures: [{ problem: 'it has no input "pixels" (features)' }] });
  });

  it("is a port that is taken, too", async () => {
    const second = await startServer(rig.context, { models: [served(network)], port: server.port });
    expect(second).toMatchObject({ ok: false, failures: [{ problem: "another program has this port" }] });
  });
});

describe("draining", () => {
  it("finishes what it has begun, refuses new connections and writes the log", async () => {
    const own = must(openLogs(rig.context, "file:store-drain"));
    const one = must(
      await startServer(rig.context, { models: [served(network)], log: { logs: own, flushMs: 60_000 } }),
    );
    const body = JSON.stringify({ id: "late", ...input({}) });
    const head = `POST /v2/models/m/infer HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n`;
    const socket = connect(one.port, "127.0.0.1");
    await new Promise((resolve) => socket.once("connect", resolve));
    const answered = new Promise<string>((resolve) => {
      let text = "";
      socket.on("data", (chunk) => (text += String(chunk)));
      socket.on("close", () => resolve(text));
    });
    // The server has the head before it drains: it has answered a whole request on another connection since.
    await new Promise((resolve) => socket.write(head + body.slice(0, 10), resolve));
    await ask(`${one.url}/v2/health/live`);
    const drained = one.drain();
    socket.write(body.slice(10));
    expect(await answered).toContain("200 OK");
    must(await drained);
    await expect(fetch(`${one.url}/v2`)).rejects.toThrow();
    const segments = must(await own.list("m", "predictions", new Date(0)));
    expect(segments.map(({ rows }) => rows)).toEqual([1]);
  });

  it("lets a second server take over a port without a gap", async () => {
    const old = must(await startServer(rig.context, { models: [served(network)], instance: "old" }));
    must(await old.listenAlso(0)); // any port that can be shared
    await old.drain();
    const a = must(await startServer(rig.context, { models: [served(network)], instance: "a" }));
    const b = must(await startServer(rig.context, { models: [served(network)], instance: "b" }));
    const port = await freePort();
    must(await a.listenAlso(port));
    must(await b.listenAlso(port));
    await a.drain();
    const response = await fetch(`http://127.0.0.1:${port}/v2`);
    expect(response.headers.get("lockstep-instance")).toBe("b");
    await b.drain();
  });
});

async function freePort(): Promise<number> {
  const { createServer } = await import("node:net");
  const probe = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => probe.once("listening", resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
