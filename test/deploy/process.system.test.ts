import { chmod, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { deploy, stopAllDeployments, stopDeployment } from "../../src/deploy/index.ts";
import type { Deployed, DeployOptions } from "../../src/deploy/index.ts";
import { openLogs } from "../../src/monitor/index.ts";
import { FakeGitHub } from "../github/fake.ts";
import { lockstep, startLockstep } from "../helpers/cli.ts";
import { value } from "../helpers/value.ts";
import { bundleServer } from "../serve/bundle.ts";
import { softmaxNetwork } from "../serve/onnx.ts";
import { createFixture } from "./fixture.ts";
import type { Fixture } from "./fixture.ts";

const yaml = (port = 0): string => `
version: 1
pipeline: m
files: {model.onnx: build/model.onnx}
evaluation:
  predictions: build/p.csv
  task: binary
  columns: {id: id, label: label, prediction: prediction}
  metrics: [accuracy]
serving: {input: features, output: probabilities, classes: ["no", "yes"]}
environments:
  production: {target: process, port: ${port}}
`;
const network = (scale: number): Buffer =>
  softmaxNetwork("features", [
    [scale, 0],
    [0, scale],
  ]);
const commit = "c".repeat(40);
const repository = "acme/digits";

// Starts three times as fast as the sources do.
let bundle: Awaited<ReturnType<typeof bundleServer>>;
beforeAll(async () => {
  bundle = await bundleServer();
});
afterAll(async () => bundle[Symbol.asyncDispose]());

let fixture: Fixture;
let github: FakeGitHub;
beforeEach(async () => {
  fixture = await createFixture(yaml());
  github = await FakeGitHub.start();
});
afterEach(async () => {
  value(await stopAllDeployments(fixture.context));
  await github[Symbol.asyncDispose]();
  await fixture[Symbol.asyncDispose]();
});

const options = (): DeployOptions => ({ model: "m", environment: "production", commit, program: bundle.program });
const start = async (over: object = {}): Promise<Deployed> =>
  value(await deploy(fixture.context, github.connect(), { ...options(), ...over }));
const folder = (): string => join(fixture.root, "home/deployments/acme/digits/m/production");
const state = async (): Promise<{ pid: number }> => JSON.parse(await readFile(join(folder(), "state.json"), "utf8"));
const statuses = (at: number): unknown[] =>
  (github.deployments[at]!["statuses"] as { state: string }[]).map((status) => status.state);
const infer = async (url: string, id: string): Promise<any> => {
  const inputs = [{ name: "features", datatype: "FP32", shape: [1, 2], data: [1, 0] }];
  const response = await fetch(`${url}/v2/models/m/infer`, { method: "POST", body: JSON.stringify({ id, inputs }) });
  return response.json();
};

describe("a process", () => {
  it("serves, is left alone while it is current, and gives way to the next version without a gap", async () => {
    const digest = await fixture.promote({ "model.onnx": network(1) });
    const first = await start();
    expect(first).toMatchObject({ version: 1, digest, changed: true, image: null, target: "process" });
    expect(github.deployments).toHaveLength(1);
    expect(github.deployments[0]).toMatchObject({
      ref: commit,
      environment: "production",
      payload: { model: "m", version: 1, digest },
    });
    expect(statuses(0)).toEqual(["in_progress", "success"]);
    expect((github.deployments[0]!["statuses"] as object[]).at(-1)).toMatchObject({ environment_url: first.url });
    expect(await infer(first.url!, "one")).toMatchObject({ model_version: "1" });

    const { pid } = await state();
    expect(await start({ commit: "d".repeat(40) })).toEqual({ ...first, changed: false });
    expect((await state()).pid).toBe(pid);
    expect(github.deployments).toHaveLength(1);
    expect(statuses(0)).toEqual(["in_progress", "success"]);

    await fixture.promote({ "model.onnx": network(2) });
    const second = await start();
    expect(second).toMatchObject({ version: 2, changed: true });
    expect(await infer(second.url!, "two")).toMatchObject({ model_version: "2" });
    expect(() => process.kill(pid, 0)).toThrow(); // the old one has ended,
    const logs = value(openLogs(fixture.context, `file:${fixture.store}`));
    expect(value(await logs.list("m", "predictions", new Date(0))).map(({ rows }) => rows)).toEqual([1]); // its log written
    expect((await readdir(folder())).filter((name) => name.startsWith("instance-"))).toHaveLength(1);

    const stopped = await stopDeployment(fixture.context, { model: "m", environment: "production", repository });
    expect(value(stopped)).toBe(true);
    await expect(fetch(`${second.url}/v2`)).rejects.toThrow();
    expect(value(await stopAllDeployments(fixture.context))).toEqual([]);
  });

  it("goes on serving when the next version does not work", async () => {
    await fixture.promote({ "model.onnx": network(1) });
    const first = await start();
    await fixture.promote({ "model.onnx": Buffer.from("broken") });
    const second = await deploy(fixture.context, github.connect(), options());
    expect(second).toMatchObject({ ok: false, failures: [{ code: "external", what: 'version 2 of model "m"' }] });
    expect(second.ok ? "" : JSON.stringify(second.failures)).toContain("ONNX Runtime does not load it");
    expect(statuses(1)).toEqual(["in_progress", "failure"]);
    expect(await infer(first.url!, "still")).toMatchObject({ model_version: "1" });
    expect((await readdir(folder())).filter((name) => name.startsWith("instance-"))).toHaveLength(1);
  });

  it("starts nothing when the store has not the bytes, or other bytes", async () => {
    const digest = await fixture.promote({ "model.onnx": network(1) });
    const hex = JSON.parse(await readFile(join(fixture.repository, "models/m/lock.json"), "utf8")).versions[0].files[
      "model.onnx"
    ].slice("sha256:".length) as string;
    const blob = join(fixture.store, "v1/blobs/sha256", hex.slice(0, 2), hex.slice(2));
    await chmod(blob, 0o644);
    await writeFile(blob, network(9));
    const result = await deploy(fixture.context, undefined, options());
    expect(result).toMatchObject({ ok: false, failures: [{ code: "blob-corrupt" }] });
    expect(digest).toMatch(/^sha256:/);
  });

  it("answers on the fixed port throughout", async () => {
    const port = await freePort();
    await fixture.write("models/m/model.yaml", yaml(port));
    await fixture.promote({ "model.onnx": network(1) });
    const first = await start();
    expect(first.url).toBe(`http://127.0.0.1:${port}`);
    const seen = new Set<string>();
    let going = true;
    const client = (async () => {
      // A connection can be closed under a request at the moment of the change, so a client asks a second time.
      const ask = async (id: string): Promise<any> => infer(first.url!, id).catch(async () => infer(first.url!, id));
      for (let i = 0; going; i++) seen.add((await ask(`r${i}`)).model_version);
    })();
    await fixture.promote({ "model.onnx": network(2) });
    expect(await start()).toMatchObject({ version: 2, url: first.url });
    going = false;
    await client; // rejects when a request got no answer, asked twice
    expect(seen.has("1")).toBe(true);
    expect(await infer(first.url!, "last")).toMatchObject({ model_version: "2" });
  });

  it("finishes what a killed deployment has begun", async () => {
    await fixture.promote({ "model.onnx": network(1) });
    const first = await start();
    const { pid } = await state();
    // Killed after the process was started and before that was written down: no state, a process nobody knows.
    await rm(join(folder(), "state.json"));
    await writeFile(join(folder(), "lock"), "999999999");
    const again = await start();
    expect(again).toMatchObject({ version: 1, changed: true });
    expect(github.deployments).toHaveLength(1);
    expect(() => process.kill(pid, 0)).toThrow();
    await expect(fetch(`${first.url}/v2`)).rejects.toThrow();
    expect(await infer(again.url!, "x")).toMatchObject({ model_version: "1" });
  });

  it("is not deployed by two at once", async () => {
    await fixture.promote({ "model.onnx": network(1) });
    const results = await Promise.all(
      [1, 2].map(async () => deploy(fixture.context, undefined, { ...options(), repository })),
    );
    const busy = results.filter((result) => !result.ok);
    expect(busy).toHaveLength(1);
    expect(busy[0]).toMatchObject({ failures: [{ code: "workspace-busy" }] });
  });

  it("gets no credential of the job that starts it", async () => {
    await fixture.promote({ "model.onnx": network(1) });
    const context = {
      ...fixture.context,
      env: { ...fixture.context.env, GITHUB_TOKEN: "ghs_secret", LOCKSTEP_X: "secret" },
    };
    value(await deploy(context, undefined, { ...options(), repository }));
    const environment = await readFile(`/proc/${(await state()).pid}/environ`, "utf8");
    expect(environment).not.toContain("secret");
    expect(environment).toContain("RUNNER_TRACKING_ID=\0");
  });
});

describe("what cannot be deployed", () => {
  it("is said", async () => {
    expect(await deploy(fixture.context, undefined, options())).toMatchObject({
      failures: [{ code: "unknown-name", what: 'version or alias of model "m"', name: "production" }],
    });
    await fixture.promote({ "model.onnx": network(1) });
    expect(await deploy(fixture.context, undefined, { ...options(), environment: "constructor" })).toMatchObject({
      failures: [{ code: "unknown-name", name: "constructor", known: ["production"] }],
    });
    expect(await deploy(fixture.context, undefined, { ...options(), model: "n" })).toMatchObject({
      failures: [{ code: "unknown-name", what: "model", known: ["m"] }],
    });
    await fixture.promote({ "a.onnx": network(1), "b.onnx": network(1) });
    expect(await deploy(fixture.context, undefined, options())).toMatchObject({
      failures: [{ code: "unknown-name", known: ["a.onnx", "b.onnx"] }],
    });
  });
});

describe("the command line", () => {
  it("deploys and stops", async () => {
    await fixture.promote({ "model.onnx": network(1) });
    const env = { LOCKSTEP_HOME: fixture.context.env["LOCKSTEP_HOME"]!, LOCKSTEP_STORE: `file:${fixture.store}` };
    const run = async (...args: string[]) => startLockstep(fixture.repository, args, { env }).ended;
    const deployed = await run("deploy", "m", "production", "--json");
    expect(deployed).toMatchObject({ exitCode: 0, stderr: "" });
    const { url } = JSON.parse(deployed.stdout) as { url: string };
    expect(await infer(url, "cli")).toMatchObject({ model_version: "1" });
    const stopped = await run("deploy", "stop", "--all", "--json");
    expect(JSON.parse(stopped.stdout)).toEqual({ stopped: ["local/repository/m/production"] });
    expect((await run("deploy", "stop")).exitCode).toBe(2);
    expect((await lockstep(fixture.repository, "deploy", "m", "nowhere")).exitCode).toBe(2);
  });
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => probe.once("listening", resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
