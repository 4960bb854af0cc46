import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe as suite, expect, test } from "vitest";
import { CommandReader } from "../../src/sandbox/actions/commands.ts";
import { repository, temporary, write } from "../git/repository.ts";
import { lockstep, startLockstep } from "../helpers/cli.ts";
import { isAlive, until } from "../helpers/processes.ts";
import { CHAIN_FILES } from "../pipeline/project.ts";

const folder = temporary();
const path = join(folder.path, "project");
beforeAll(() => void repository(path, CHAIN_FILES));
afterAll(() => folder[Symbol.dispose]());

const ESCAPE = String.fromCharCode(27);

suite("the frame", () => {
  test("help lists every command, and help of each works", async () => {
    const all = await lockstep(path, "--help");
    expect(all).toMatchObject({ exitCode: 0, stderr: "" });
    const names = [...all.stdout.matchAll(/^ {2}([a-z]+)\b(?=.* {2,}\S)/gm)].map(([, name]) => name as string);
    expect(names).toEqual(expect.arrayContaining(["run", "plan", "status", "dag", "metrics", "params", "help"]));
    const one = await lockstep(path, "help", "run");
    expect(one).toMatchObject({ exitCode: 0, stderr: "" });
    expect(one.stdout).toContain("Usage: lockstep run [options] [pipeline]");
    expect((await lockstep(path, "run", "--help")).stdout).toBe(one.stdout);
  });

  test.each([
    [["rnu"], "unknown command 'rnu'", "Did you mean run?"],
    [["run", "--stge", "x"], "unknown option '--stge'", "Did you mean --stage?"],
    [["run", "--jobs", "0"], "it is a whole number from 1", "lists the commands"],
    [["plan", "demo", "extra"], "too many arguments", "lists the commands"],
    [["plan", "other"], 'there is no pipeline "other"', "there is demo"],
    [["run", "--set", "x"], '"x" is not [FILE:]KEY=VALUE', "as in --set"],
  ])("%j is wrong usage, and says how it is meant", async (args, problem, hint) => {
    const { exitCode, stdout, stderr } = await lockstep(path, ...args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toContain(problem);
    expect(stderr).toContain(hint);
    const json = await lockstep(path, "--json", ...args);
    expect(json).toMatchObject({ exitCode: 2, stderr: "" });
    expect(JSON.parse(json.stdout)).toMatchObject({ failures: [{ message: expect.stringContaining(problem) }] });
  });

  test("without a command it shows help, and that is a mistake", async () => {
    const { exitCode, stdout, stderr } = await lockstep(path);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toContain("Usage: lockstep");
  });

  test("a failure in a file shows the place", async () => {
    using other = temporary();
    repository(other.path, { "pipelines/demo.yaml": "stages:\n  a: {cmd: x, outs: [y], color: red}\n" });
    const { exitCode, stderr } = await lockstep(other.path, "plan");
    expect(exitCode).toBe(2);
    expect(stderr).toBe(
      'pipelines/demo.yaml:2:26: unknown key "color"\n      a: {cmd: x, outs: [y], color: red}\n                             ~~~~~\n',
    );
  });

  test("a repository without a pipeline, and a folder without a repository", async () => {
    using other = temporary();
    const none = await lockstep(other.path, "plan");
    expect(none.exitCode).toBe(3);
    expect(none.stderr).toContain("not a git repository");
    repository(other.path);
    const empty = await lockstep(other.path, "plan");
    expect(empty.exitCode).toBe(2);
    expect(empty.stderr).toContain("lockstep init");
  });

  test("an older Node hands over to the project's own", async (context) => {
    const older = ["/usr/bin/node", "/usr/local/bin/node"].find((node) => {
      if (!existsSync(node)) return false;
      const [major] = execFileSync(node, ["-p", "process.versions.node"]).toString().split(".");
      return Number(major) >= 14 && Number(major) < 24;
    });
    if (older === undefined) return context.skip("no Node before 24 is installed in /usr/bin or /usr/local/bin");
    const { exitCode, stdout } = await startLockstep(path, ["plan", "--json"], { node: older }).ended;
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ pipelines: [{ pipeline: "demo" }] });
    expect((await startLockstep(path, ["plan", "nope"], { node: older }).ended).exitCode).toBe(2);
  });
});

suite("the commands on pipelines", () => {
  test("plan, run, status, metrics, params and dag on one project", async () => {
    const before = JSON.parse((await lockstep(path, "plan", "--json")).stdout) as unknown;
    expect(before).toMatchObject({
      revision: null,
      pipelines: [
        { pipeline: "demo", stages: [{ stage: "prepare", action: "run", needs: [] }, { key: null }, { key: null }] },
      ],
    });
    const run = await lockstep(path, "run");
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toMatch(/^demo: 3 run, 0 cached \(.*\)\n {2}build\/metrics\.json {2}accuracy {2}0\.5\n/);
    expect(run.stderr).toContain("prepare: runs, because it has not run yet\nprepare: done in ");
    expect(run.stdout + run.stderr).not.toContain(ESCAPE);

    const status = await lockstep(path, "status", "--json");
    expect(JSON.parse(status.stdout)).toMatchObject({ changed: false, datasets: [] });
    const set = await lockstep(path, "run", "--json", "--set", "train.epochs=11", "--set", "prepare.seed=1");
    expect(set).toMatchObject({ exitCode: 0, stderr: "" });
    expect(JSON.parse(set.stdout)).toMatchObject({
      ok: true,
      failures: [],
      pipelines: [
        {
          pipeline: "demo",
          commit: null,
          stages: [
            { status: "cached" },
            { status: "run", reason: "params.yaml: train.epochs 10 -> 11" },
            { status: "run" },
          ],
          metrics: { "build/metrics.json": { accuracy: 0.5, "per.a": 1 } },
        },
      ],
    });
    expect(readFileSync(join(path, "params.yaml"), "utf8")).toContain("epochs: 11 # passes");
    expect((await lockstep(path, "plan", "--rev", "HEAD")).stdout).toContain("evaluate  cached");

    expect((await lockstep(path, "metrics")).stdout).toBe(
      "demo  build/metrics.json  accuracy  0.5\ndemo  build/metrics.json  per.a     1\n",
    );
    expect((await lockstep(path, "params")).stdout).toContain(
      'demo/train    params.yaml  train         {"epochs":11,"rate":0.5}',
    );
    expect((await lockstep(path, "dag")).stdout).toBe("demo\n  prepare\n  train <- prepare\n  evaluate <- train\n");
    expect((await lockstep(path, "dag", "--mermaid")).stdout).toContain("  p0s0 --> p0s1\n");
  });

  test("from a folder inside of the repository, or named by --cwd", async () => {
    expect((await lockstep(join(path, "src"), "plan")).stdout).toContain("prepare");
    expect((await lockstep(folder.path, "--cwd", path, "plan")).stdout).toContain("prepare");
  });

  test("with nothing to do a run writes nothing but its lock", async () => {
    await lockstep(path, "run");
    const look = (): string[] =>
      readdirSync(path, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && !entry.parentPath.includes("/.git"))
        .map((entry) => join(entry.parentPath, entry.name))
        .map((file) => `${file} ${statSync(file).mtimeMs}`)
        .sort((a, b) => (a < b ? -1 : 1));
    const before = look();
    const run = await lockstep(path, "run", "--quiet");
    expect(run).toMatchObject({ exitCode: 0, stderr: "" });
    expect(run.stdout).toMatch(/^demo: 0 run, 3 cached/);
    expect(look()).toEqual(before);
  });

  test("a failed stage is told with the end of its output, and exit code 1", async () => {
    using other = temporary();
    repository(other.path, {
      "pipelines/p.yaml": "stages:\n  a: {cmd: \"printf '\\\\033[31moops\\\\033[0m\\\\n'; exit 9\"}\n",
    });
    const human = await lockstep(other.path, "run");
    expect(human.exitCode).toBe(1);
    expect(human.stderr).toContain("a | oops\n");
    expect(human.stderr).not.toContain(ESCAPE);
    expect(human.stdout).not.toContain(ESCAPE);
    expect(human.stdout).toContain('pipelines/p.yaml:2:12: stage "a" ended with exit code 9\n');
    expect(human.stdout).toContain("~~~\n    | oops\n");
    const json = await lockstep(other.path, "run", "--json");
    expect(json.exitCode).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: false,
      pipelines: [{ stages: [{ stage: "a", status: "failed" }] }],
      failures: [{ code: "stage-failed", stage: "a" }],
    });
  });

  test("in a job of GitHub Actions there is a group a stage, an annotation a failure, and no hostile command", async () => {
    using other = temporary();
    repository(other.path, { "pipelines/p.yaml": 'stages:\n  a: {cmd: "echo ::error::evil; exit 9"}\n' });
    const run = startLockstep(other.path, ["run"], { env: { GITHUB_ACTIONS: "true", RUNNER_TEMP: other.path } });
    const { exitCode, stdout, stderr } = await run.ended;
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^p: 0 run, 0 cached, 1 failed or skipped \(.*\)\n$/);
    const reader = new CommandReader();
    const commands = stderr.split("\n").flatMap((line) => reader.read(line) ?? []);
    expect(commands.filter(({ name }) => name !== "stop-commands")).toMatchObject([
      { name: "group", message: "a: runs, because it has not run yet" },
      { name: "endgroup" },
      {
        name: "error",
        message: 'stage "a" ended with exit code 9',
        properties: { file: "pipelines/p.yaml", line: "2", col: "12" },
      },
    ]);
    expect(stderr).toContain("\n::error::evil\n");
    expect(reader.read("::notice::after")).toBeDefined();
  });

  test("Ctrl-C ends the stage and all it started, and the exit code says so", async () => {
    using other = temporary();
    repository(other.path, {
      "pipelines/p.yaml":
        "stages:\n  a: {cmd: \"sh -c 'echo $$ > child; echo here >&2; while :; do sleep 1; done'\"}\n",
    });
    const running = startLockstep(other.path, ["run"]);
    await running.printed("a | here");
    running.child.kill("SIGINT");
    const { exitCode, stdout } = await running.ended;
    expect(exitCode).toBe(130);
    expect(stdout).toContain("interrupted");
    const child = Number(readFileSync(join(other.path, "child"), "utf8"));
    expect(isAlive(child)).toBe(false);
    expect(existsSync(join(other.path, ".lockstep/run.lock"))).toBe(false);
    // And nothing stands in the way of the next run.
    write(other.path, { "pipelines/p.yaml": "stages:\n  a: {cmd: 'true'}\n" });
    expect((await lockstep(other.path, "run")).exitCode).toBe(0);
  });

  test("a second Ctrl-C does not wait for what will not stop; a SIGTERM after the first one does", async () => {
    using other = temporary();
    repository(other.path, {
      "pipelines/p.yaml":
        "stages:\n  a: {cmd: \"trap 'echo asked >&2' TERM; echo $$ > child; echo here >&2; while :; do sleep 0.1; done\"}\n",
    });
    const running = startLockstep(other.path, ["run"]);
    await running.printed("a | here");
    running.child.kill("SIGINT");
    await running.printed("a | asked");
    running.child.kill("SIGTERM");
    const child = Number(readFileSync(join(other.path, "child"), "utf8"));
    expect(isAlive(child)).toBe(true);
    running.child.kill("SIGINT");
    const { exitCode, stderr } = await running.ended;
    expect(exitCode).toBe(130);
    expect(stderr).toContain("asked what runs to stop; the same once more kills it\n");
    await until(() => !isAlive(child));
  });
});
