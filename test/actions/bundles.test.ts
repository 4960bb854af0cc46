import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { resultSchema } from "../../src/config/index.ts";
import { FakeGitHub } from "../github/fake.ts";
import { FILES, modelYaml, Rig } from "../registry/rig.ts";
import { DIST, startAction } from "./rig.ts";

const repository = { default_branch: "main" };
const token = { "github-token": "secret", "bot-login": "github-actions[bot]" };
const runInputs = { force: "false", cache: "false", upload: "false", "github-token": "secret", pipelines: "" };

describe("each bundle, started as the runner does", () => {
  it.each(["run", "report", "promote", "deploy", "drift"])(
    "%s says all that is wrong with its inputs",
    async (name) => {
      const started = await startAction(name, {
        workspace: tmpdir(),
        apiUrl: "http://127.0.0.1:9",
        inputs: { force: "maybe" },
      });
      expect(started.exitCode).toBe(1);
      const errors = started.commands.filter((command) => command.name === "error").map(({ message }) => message);
      expect(errors).toHaveLength(1);
      expect(errors[0]).toContain("`github-token` is needed");
      if (name === "run") expect(errors[0]).toContain("`force` has to be true or false");
    },
  );

  it("run leaves a result document, outputs and a summary, and hands no credential to a stage", async () => {
    const spy = `console.log("::error::from a stage");
      writeFileSync("build/env.json", JSON.stringify(Object.keys(process.env)));`;
    await using rig = await Rig.create({
      ...FILES,
      "pipelines/toy/make.mjs": `${FILES["pipelines/toy/make.mjs"]}\n${spy}`,
      "pipelines/toy.yaml": `${FILES["pipelines/toy.yaml"]}    plots: [build/env.json]\n`,
    });
    const workspace = await rig.clone();
    const started = await startAction("run", {
      workspace,
      apiUrl: "http://127.0.0.1:9",
      inputs: runInputs,
      eventName: "pull_request",
      env: { ACTIONS_RUNTIME_TOKEN: "a", GIT_CONFIG_COUNT: "0", GITHUB_TOKEN: "b", KEPT: "yes" },
    });
    expect(started.exitCode, started.stdout).toBe(0);
    expect(started.outputs).toMatchObject({ changed: "true" });
    expect(JSON.parse(started.outputs["metrics"] ?? "")).toEqual({ toy: { "build/metrics.json": { loss: 0.1 } } });
    const document = resultSchema.parse(JSON.parse(started.outputs["result-text"] ?? ""));
    expect(document.commit).toBe(rig.git(workspace, "rev-parse", "HEAD"));
    expect(document.stages.map(({ stage, provenance }) => [stage, provenance])).toEqual([["make", null]]);
    expect(started.summary).toContain("<code>make</code> | run");
    const names = JSON.parse(readFileSync(join(workspace, "build/env.json"), "utf8")) as string[];
    expect(names).toContain("KEPT");
    expect(names.filter((name) => /TOKEN|INPUT|GIT_CONFIG|GITHUB_OUTPUT/.test(name))).toEqual([]);
    // What a stage prints is shown and is no command; the token is masked first.
    expect(started.stdout).toContain("::error::from a stage");
    expect(started.commands.map(({ name, message }) => `${name} ${message}`)).toEqual([
      "add-mask secret",
      "add-mask eC1hY2Nlc3MtdG9rZW46c2VjcmV0",
      "group make: runs, because it has not run yet",
      "endgroup ",
    ]);
  });

  it("run fails with the place of a mistake, and still leaves the result that tells of it", async () => {
    await using rig = await Rig.create({
      ...FILES,
      "pipelines/toy.yaml": "stages:\n  make:\n    cmd: 7\n    depz: []\n",
    });
    const workspace = await rig.clone();
    const started = await startAction("run", { workspace, apiUrl: "http://127.0.0.1:9", inputs: runInputs });
    expect(started.exitCode).toBe(1);
    const placed = started.commands.filter(({ properties }) => properties["file"] === "pipelines/toy.yaml");
    expect(placed.map(({ properties }) => properties["line"])).toEqual(expect.arrayContaining(["3", "4"]));
    expect(resultSchema.parse(JSON.parse(started.outputs["result-text"] ?? "")).failures.join()).toContain("depz");
  });

  it("promote makes a version, then finds it made; a gate that fails fails the step", async () => {
    await using rig = await Rig.create();
    await using fake = await FakeGitHub.start();
    const workspace = await rig.clone();
    const start = async (before?: string) =>
      startAction("promote", {
        workspace,
        apiUrl: fake.apiUrl,
        inputs: { ...token, models: "" },
        event: { repository, ...(before === undefined ? {} : { before }) },
        sha: rig.git(workspace, "rev-parse", "HEAD"),
      });
    const first = await start();
    expect(first.exitCode, first.stdout).toBe(0);
    expect(first.outputs).toMatchObject({ promoted: "true", version: "1" });
    expect((await start()).outputs).toMatchObject({
      ...first.outputs,
      promoted: "false",
      promotions: expect.any(String) as string,
    });
    const record = JSON.parse(rig.file("models/toy/lock.json")) as { versions: { run: string }[] };
    expect(record.versions[0]?.run).toBe("http://github.localhost/acme/digits/actions/runs/77");
    expect(rig.git(rig.bare, "log", "-1", "--format=%an <%ae>", "main")).toBe(
      "github-actions[bot] <41898282+github-actions[bot]@users.noreply.github.com>",
    );
    const before = rig.git(rig.bare, "rev-parse", "main");
    await rig.commit(workspace, { "params.yaml": "wrong: 90\n", "models/toy/model.yaml": modelYaml(0) }, "worse");
    const refused = await start(before);
    expect(refused.exitCode).toBe(1);
    expect(refused.outputs).toMatchObject({ promoted: "false", version: "1" });
    expect(refused.commands.find(({ name }) => name === "error")?.message).toContain("accuracy at least 0.8");
  });

  it("report has nothing to say without a pull request, and refuses another event", async () => {
    await using rig = await Rig.create();
    await using fake = await FakeGitHub.start();
    const workspace = await rig.clone();
    const run = {
      id: 5,
      run_attempt: 1,
      html_url: "https://github.test/run",
      event: "pull_request",
      path: ".github/workflows/lockstep-experiment.yml",
      head_sha: "a".repeat(40),
      head_branch: "x",
      head_repository: { full_name: "acme/digits" },
      actor: { login: "ann" },
      conclusion: "success",
      run_started_at: "2026-01-02T03:04:05Z",
    };
    const options = { workspace, apiUrl: fake.apiUrl, inputs: { ...token, watch: "false" }, eventName: "workflow_run" };
    const started = await startAction("report", { ...options, event: { action: "completed", workflow_run: run } });
    expect(started.exitCode, started.stdout).toBe(0);
    expect(started.outputs).toMatchObject({ verdict: "none", "comment-url": "" });
    const wrong = await startAction("report", {
      ...options,
      event: { action: "completed", workflow_run: { ...run, head_sha: "main" } },
    });
    expect(wrong.commands.at(-1)?.message).toContain("workflow_run.head_sha");
  });

  it.each(["deploy", "drift"])(
    "%s does nothing for a model without a version, and names one that is not there",
    async (name) => {
      await using rig = await Rig.create();
      await using fake = await FakeGitHub.start();
      const options = { workspace: await rig.clone(), apiUrl: fake.apiUrl, event: { repository } };
      const idle = await startAction(name, { ...options, inputs: { ...token, models: "", environment: "" } });
      expect(idle.exitCode, idle.stdout).toBe(0);
      expect(fake.log).toEqual([]);
      const wrong = await startAction(name, { ...options, inputs: { ...token, models: "toi", environment: "" } });
      expect(wrong.exitCode).toBe(1);
      expect(wrong.stdout).toContain("there is toy");
    },
  );
});

/** Files that a bundle loads, at start or ever. */
function loads(entry: string, lazy: boolean): string[] {
  const seen = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    if (!file.startsWith(DIST)) return;
    const text = readFileSync(file, "utf8");
    const found = [
      ...text.matchAll(/^(?:import|export)\b[^"'\n]*["'](\.{1,2}\/[^"']+\.js|[@a-z][^"']*)["'];$/gm),
      ...(lazy ? text.matchAll(/\bimport\(["'](\.{1,2}\/[^"']+\.js|[@a-z][^"']*)["']\)/g) : []),
    ];
    for (const [, target = ""] of found) {
      const path = target.startsWith(".") ? join(dirname(file), target) : target;
      // Comments of packages hold examples of imports.
      if (!target.startsWith(".") || existsSync(path)) visit(path);
    }
  };
  visit(join(DIST, entry));
  return [...seen].filter((file) => !file.startsWith("node:"));
}

describe("the bundles", () => {
  it("of run, report and promote load no native code, ever, and the big clients only when they are used", () => {
    const texts = (files: string[]): string[] =>
      files.filter((file) => file.startsWith(DIST)).map((file) => readFileSync(file, "utf8"));
    const isBig = (text: string): boolean => /class BlockBlobClient\b/.test(text);
    for (const entry of ["run.js", "report.js", "promote.js"]) {
      expect(loads(entry, true)).not.toContain("onnxruntime-node");
      expect(texts(loads(entry, false)).some(isBig)).toBe(false);
    }
    expect(texts(loads("run.js", true)).some(isBig)).toBe(true);
    expect(loads(join("serve", "serve.js"), true)).toContain("onnxruntime-node");
  });

  it("are the same bytes when built again, and name no path of this machine", async () => {
    const into = await mkdtemp(join(tmpdir(), "lockstep-build-"));
    try {
      execFileSync(process.execPath, ["scripts/build.ts", "--into", into], { stdio: "pipe" });
      const digests = (folder: string): Record<string, string> =>
        Object.fromEntries(
          readdirSync(folder, { recursive: true, withFileTypes: true })
            .filter((entry) => entry.isFile())
            .map((entry) => join(entry.parentPath, entry.name))
            .map((file) => [file.slice(folder.length), createHash("sha256").update(readFileSync(file)).digest("hex")]),
        );
      expect(digests(join(into, "actions", "dist"))).toEqual(digests(DIST));
      const texts = Object.keys(digests(DIST)).map((file) => readFileSync(join(DIST, file), "utf8"));
      expect(texts.filter((text) => text.includes(process.cwd()))).toEqual([]);
    } finally {
      rmSync(into, { recursive: true });
    }
  });
});
