import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { message } from "../../src/core/index.ts";
import { addData } from "../../src/data/index.ts";
import type { RunOutcome } from "../../src/pipeline/index.ts";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { write } from "../git/repository.ts";
import { until } from "../helpers/processes.ts";
import { value } from "../helpers/value.ts";
import { project, runDemo, statuses } from "./project.ts";
import type { Project } from "./project.ts";

const demo = (stages: string, files: Record<string, string> = {}): Project =>
  project({ "pipelines/demo.yaml": `stages:\n${stages}`, ...files });

const messages = (outcome: RunOutcome): string[] => outcome.failures.map(message);

describe("a stage that does not end well", () => {
  const STAGE = `  a:
    cmd: mkdir build/tree && cp in.txt build/tree/x && cp in.txt build/file && cp in.txt build/kept && sh run.sh
    deps: [in.txt, run.sh]
    outs: [build/tree, build/file, build/kept: {persist: true}]
    timeout: 1s
`;
  const before = { "in.txt": "good", "run.sh": "exit 0\n" };

  test.each([
    ["fails", "exit 3\n", "ended with exit code 3"],
    ["takes too long", "sleep 60\n", "ran longer than its timeout of 1 s"],
    ["lacks an output", "rm build/file\n", "did not write its output build/file"],
  ])("because it %s leaves its outputs as they were, and what it wrote aside", async (_, script, reason) => {
    using at = demo(STAGE, before);
    await runDemo(at.context);
    write(at.path, { "in.txt": "half", "run.sh": script });
    const { failures } = await runDemo(at.context);
    expect(message(failures[0]!)).toContain(reason);
    expect([at.read("build/tree/x"), at.read("build/file")]).toEqual(["good", "good"]);
    // Persist says that the stage goes on with what is there.
    expect(at.read("build/kept")).toBe("half");
    const hint = failures[0]?.hint ?? "";
    expect(hint).toMatch(/^what it wrote lies in \.lockstep\/failed\/a-[0-9a-f]{8}$/);
    expect(at.read(`${hint.slice("what it wrote lies in ".length)}/build/tree/x`)).toBe("half");
    expect(readdirSync(join(at.path, ".lockstep/former"))).toEqual([]);

    write(at.path, { "run.sh": "exit 0\n" });
    expect(messages(await runDemo(at.context))).toEqual([]);
    expect(readdirSync(join(at.path, ".lockstep/failed"))).toEqual([]);
  });

  test("leaves nothing where nothing was", async () => {
    using at = demo('  a: {cmd: "echo half > build/a; exit 1", outs: [build/a]}\n');
    await runDemo(at.context);
    expect(existsSync(join(at.path, "build/a"))).toBe(false);
  });

  test("because it was interrupted, likewise", async () => {
    using at = demo(STAGE.replace("1s", "60s"), before);
    await runDemo(at.context);
    write(at.path, { "in.txt": "half", "run.sh": "sleep 60\n" });
    const interrupt = new AbortController();
    const running = runDemo({ ...at.context, signal: interrupt.signal });
    await until(() => existsSync(join(at.path, "build/kept")) && at.read("build/kept") === "half");
    interrupt.abort();
    expect((await running).failures).toEqual([{ code: "interrupted" }]);
    expect([at.read("build/tree/x"), at.read("build/file")]).toEqual(["good", "good"]);
  });

  test("because its run was killed: the next run puts back what was there", async () => {
    using at = demo(`${STAGE.replace("1s", "60s")}  b: {cmd: "true", always_changed: true}\n`, before);
    await runDemo(at.context);
    write(at.path, { "in.txt": "half", "run.sh": "echo > ready; sleep 60\n" });
    const script = join(import.meta.dirname, "killed-run.ts");
    const killed = spawn(process.execPath, [script, at.path, "never"], { stdio: "ignore" });
    await until(() => existsSync(join(at.path, "ready")));
    killed.kill("SIGKILL");
    await once(killed, "exit");
    expect(at.read("build/file")).toBe("half");
    expect(statuses(await runDemo(at.context, { stage: "b" }))).toEqual(["b: run"]);
    expect([at.read("build/tree/x"), at.read("build/file")]).toEqual(["good", "good"]);
  });

  test("is tried again as often as retry says, each time without its outputs, after longer and longer pauses", async () => {
    using at = demo(
      "  a:\n    cmd: test ! -e build/o && echo >> tries && touch build/o && test $(wc -l < tries) -eq 9\n    outs: [build/o]\n    retry: 8\n",
    );
    const pauses: number[] = [];
    const wait = async (ms: number): Promise<void> => void pauses.push(ms / 1000);
    expect(messages(await runDemo(at.context, { wait }))).toEqual([]);
    expect(at.read("tries")).toBe("\n".repeat(9));
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
  });

  test("is not tried again once the run was interrupted", async () => {
    using at = demo('  a: {cmd: "echo >> tries; exit 1", retry: 3}\n');
    const interrupt = new AbortController();
    const wait = async (): Promise<void> => interrupt.abort();
    const outcome = await runDemo({ ...at.context, signal: interrupt.signal }, { wait });
    expect(outcome.failures).toEqual([{ code: "interrupted" }]);
    expect(at.read("tries")).toBe("\n");
  });
});

describe("a stage that writes to what it only reads", () => {
  const MAKE = '  make: {cmd: "mkdir build/m && echo 1 > build/m/x", outs: [build/m]}\n';

  test("an output of another stage: it fails, and the next run starts from what was made", async () => {
    using at = demo(
      `${MAKE}  use: {cmd: "cp build/m/x build/u; sh touch.sh", deps: [build/m, touch.sh], outs: [build/u]}\n`,
      { "touch.sh": "echo 2 > build/m/x\n" },
    );
    const outcome = await runDemo(at.context);
    expect(messages(outcome)).toEqual([
      'stage "use" cannot be recorded: while it ran, build/m changed, the output of make',
    ]);
    expect(outcome.failures[0]).toMatchObject({ at: { file: "pipelines/demo.yaml", line: 3 } });
    write(at.path, { "touch.sh": "" });
    expect(statuses(await runDemo(at.context))).toEqual(["make: cached", "use: run"]);
    expect(at.read("build/u")).toBe("1\n");
  });

  test("a dataset", async () => {
    using at = demo("  use: {cmd: 'echo 2 >> data/rows.csv', deps: [data]}\n", { "data/rows.csv": "1\n" });
    rmSync(join(at.path, ".git/index")); // the dataset is not git's
    value(await addData(at.context, { path: "data/rows.csv" }));
    expect(messages(await runDemo(at.context))).toEqual([
      'stage "use" cannot be recorded: while it ran, data/rows.csv changed, the dataset rows',
    ]);
  });

  test("an output that it does not even name is put back at the end", async () => {
    using at = demo(`${MAKE}  other: {cmd: "echo 2 > build/m/x"}\n`);
    expect(messages(await runDemo(at.context, { jobs: 1 }))).toEqual([]);
    expect(at.read("build/m/x")).toBe("1\n");
    expect(at.context.events).toContainEqual({
      type: "warning",
      message: "build/m was changed after make had written it; it is put back",
    });
  });
});
