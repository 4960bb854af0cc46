import { execFileSync, spawn as start, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildBase, buildImage, deploy, findEngine } from "../../src/deploy/index.ts";
import type { Engine } from "../../src/deploy/index.ts";
import { resolveModel } from "../../src/serve/index.ts";
import { workingTree } from "../../src/git/index.ts";
import { openStore } from "../../src/store/index.ts";
import { FakeGitHub } from "../github/fake.ts";
import { value } from "../helpers/value.ts";
import { bundleServer } from "../serve/bundle.ts";
import { softmaxNetwork } from "../serve/onnx.ts";
import { createFixture } from "./fixture.ts";
import type { Fixture } from "./fixture.ts";

/**
 * The real thing: images built by buildah, pushed to Debian's docker-registry on loopback, pulled back by digest and
 * run. Nothing is pulled from elsewhere: the base image is made of this machine.
 */
const missing = [
  ...(process.getuid?.() === 0 ? [] : ["root (for buildah's chroot isolation)"]),
  ...["buildah", "docker-registry", "ldd"].filter((program) => spawnSync("which", [program]).status !== 0),
];
if (missing.length > 0) console.log(`container tests are skipped: ${missing.join(", ")} missing`);

const BASE = "localhost/lockstep/base:test";
const yaml = (image: string): string => `
version: 1
pipeline: m
files: {model.onnx: build/model.onnx}
evaluation:
  predictions: build/p.csv
  task: binary
  columns: {id: id, label: label, prediction: prediction}
  metrics: [accuracy]
serving: {input: features, output: probabilities, classes: ["no", "yes"], base_image: ${BASE}}
environments:
  production: {target: container, image: ${image}}
`;
const network = (scale: number): Buffer =>
  softmaxNetwork("features", [
    [scale, 0],
    [0, scale],
  ]);

interface OciImage {
  readonly config: { readonly Labels: Readonly<Record<string, string>>; readonly Entrypoint: readonly string[] };
}

describe.skipIf(missing.length > 0)("a container", { timeout: 120_000 }, () => {
  let fixture: Fixture;
  let github: FakeGitHub;
  let bundle: Awaited<ReturnType<typeof bundleServer>>;
  let registry: ChildProcess;
  let repository: string;
  let engine: Engine;
  const buildah = (...args: string[]): string =>
    execFileSync("buildah", args, {
      env: fixture.context.env as NodeJS.ProcessEnv,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    }).trim();

  beforeAll(async () => {
    const port = await freePort();
    repository = `127.0.0.1:${port}/acme/m`;
    fixture = await createFixture(yaml(repository));
    github = await FakeGitHub.start();
    bundle = await bundleServer();
    // Storage of its own: nothing of this machine is seen or left behind.
    const conf = join(fixture.root, "storage.conf");
    const folders = `graphroot = "${fixture.root}/graph"\nrunroot = "${fixture.root}/run"`;
    await writeFile(conf, `[storage]\ndriver = "vfs"\n${folders}\n`);
    Object.assign(fixture.context.env, { CONTAINERS_STORAGE_CONF: conf });
    const data = join(fixture.root, "registry");
    await mkdir(data);
    const config = join(fixture.root, "registry.yml");
    await writeFile(
      config,
      `version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: ${data}}}\nhttp: {addr: "127.0.0.1:${port}"}\n`,
    );
    registry = start("docker-registry", ["serve", config], { stdio: "ignore" });
    await until(async () => (await fetch(`http://127.0.0.1:${port}/v2/`)).ok);
    engine = value(await findEngine(fixture.context));
    value(await buildBase({ ...fixture.context, cwd: process.cwd() }, engine, BASE));
    await fixture.promote({ "model.onnx": network(1) });
  }, 180_000);

  afterAll(async () => {
    registry.kill();
    await github[Symbol.asyncDispose]();
    await bundle[Symbol.asyncDispose]();
    await fixture[Symbol.asyncDispose]();
  }, 60_000);

  const build = async (): Promise<string> => {
    const source = value(await resolveModel(workingTree(fixture.context), "m"));
    const stores = [value(openStore(fixture.context, `file:${fixture.store}`))];
    return value(
      await buildImage(fixture.context, engine, { source, stores, baseImage: BASE, program: bundle.program }),
    );
  };

  it("has equal bytes for equal content, whenever it is built", async () => {
    // An image's id is the digest of its configuration, which names the digest of every layer.
    const id = (tag: string): string => buildah("images", "--quiet", "--no-trunc", tag);
    const first = id(await build());
    expect(first).toMatch(/^sha256:/);
    buildah("rmi", "localhost/lockstep/m:v1");
    fixture.clock = new Date("2031-01-01T00:00:00Z");
    expect(id(await build())).toBe(first);
  });

  it("is a failed deployment when the registry is not there", async () => {
    await fixture.write("models/m/model.yaml", yaml("127.0.0.1:1/acme/m"));
    const options = { model: "m", environment: "production", commit: "d".repeat(40), program: bundle.program };
    const result = await deploy(fixture.context, github.connect(), options);
    expect(result).toMatchObject({ ok: false, failures: [{ code: "external", what: "`buildah push`" }] });
    const statuses = github.deployments[0]!["statuses"] as { state: string }[];
    expect(statuses.map(({ state }) => state)).toEqual(["in_progress", "failure"]);
    await fixture.write("models/m/model.yaml", yaml(repository));
  });

  it("is pushed by digest, pulled back, and answers", async () => {
    const options = { model: "m", environment: "production", commit: "c".repeat(40), program: bundle.program };
    const deployed = value(await deploy(fixture.context, github.connect(), options));
    expect(deployed.image).toMatch(new RegExp(`^${repository}@sha256:[0-9a-f]{64}$`));
    const statuses = github.deployments[1]!["statuses"] as { state: string }[];
    expect(statuses.map(({ state }) => state)).toEqual(["in_progress", "success"]);
    expect(value(await deploy(fixture.context, github.connect(), options))).toEqual({ ...deployed, changed: false });
    expect(github.deployments).toHaveLength(2);

    buildah("rmi", "--all", "--force");
    expect(buildah("images", "--quiet")).toBe("");
    buildah("pull", "--tls-verify=false", deployed.image!);
    const { config } = JSON.parse(buildah("inspect", "--type", "image", deployed.image!)).OCIv1 as OciImage;
    expect(config.Labels).toMatchObject({
      "org.opencontainers.image.title": "m",
      "org.opencontainers.image.version": "1",
      "io.lockstep.digest": deployed.digest,
    });

    const container = buildah("from", "--pull-never", deployed.image!);
    const port = await freePort();
    // buildah starts a command, not the entry point: the same words, from the image's own configuration.
    const running = start(
      "buildah",
      [
        "run",
        "--isolation",
        "chroot",
        "--user",
        "65534",
        container,
        "--",
        ...config.Entrypoint,
        "--port",
        String(port),
      ],
      { env: fixture.context.env as NodeJS.ProcessEnv, stdio: ["ignore", "inherit", "pipe"] },
    );
    let log = "";
    running.stderr.on("data", (chunk) => (log += String(chunk)));
    const ended = new Promise((resolve) => running.once("exit", resolve));
    try {
      await until(async () => (await fetch(`http://127.0.0.1:${port}/v2/health/ready`)).ok).catch((error: unknown) => {
        throw new Error(`the container does not answer:\n${log}`, { cause: error });
      });
      const inputs = [{ name: "features", datatype: "FP32", shape: [1, 2], data: [0, 3] }];
      const response = await fetch(`http://127.0.0.1:${port}/v2/models/m/infer`, {
        method: "POST",
        body: JSON.stringify({ id: "x", inputs }),
      });
      const answer = (await response.json()) as { outputs: { data: number[] }[] };
      expect(answer).toMatchObject({ model_name: "m", model_version: "1", id: "x" });
      expect(answer.outputs[0]!.data[1]).toBeCloseTo(Math.exp(3) / (Math.exp(3) + 1), 5);
    } finally {
      running.kill("SIGTERM");
      await ended;
    }
  });
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 60_000; ; await new Promise((resolve) => setTimeout(resolve, 100))) {
    try {
      if (await condition()) return;
    } catch (error) {
      if (performance.now() > end) throw error;
    }
    if (performance.now() > end) throw new Error("it did not come true in a minute");
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => probe.once("listening", resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
