import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { spawn } from "../../src/core/index.ts";
import { addData } from "../../src/data/index.ts";
import { contextIn, sh, temporary } from "../git/repository.ts";
import { scrubbedEnvironment } from "../helpers/cli.ts";
import { value } from "../helpers/value.ts";
import { Resources } from "../../src/pipeline/schedule.ts";
import { project, runDemo, statuses } from "./project.ts";

const FILES = {
  "params.yaml": "seed: 1\n",
  "data/rows.csv": "x\n1\n2\n",
  "pipelines/demo.yaml": `stages:
  prepare:
    cmd: mkdir build/split && cp data/rows.csv build/split/a && grep seed params.yaml > build/split/b
    deps: [data/rows.csv]
    params: [seed]
    outs: [build/split]
  train:
    cmd: cat build/split/* > build/model && cp build/split/a build/profile.csv && echo '{"loss":0.5}' > build/metrics.json
    deps: [build/split]
    outs: [build/model]
    metrics: [build/metrics.json]
    profile: build/profile.csv
`,
};

/** Every file below a folder with its content, but not the ones that hold no state. */
function contents(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort((a, b) => (a < b ? -1 : 1));
  // The index remembers times; half-made files of a killed run are never looked at again.
  const state = paths.filter(
    (path) => !/^\.git\/|^\.lockstep\/(stat-index|folder-index|tmp\/|cache\/v1\/tmp\/)/.test(path),
  );
  return Object.fromEntries(state.map((path) => [path, told(path, readFileSync(join(folder, path), "latin1"))]));
}

/** A run's record tells which stages that very run did; all else in it is the same after a kill. */
function told(path: string, text: string): string {
  if (!path.startsWith(".lockstep/records/runs/")) return text;
  const { stages, ...rest } = JSON.parse(text) as { stages: { stage: string; key: string }[] };
  return JSON.stringify({ ...rest, stages: stages.map(({ stage, key }) => [stage, key]) });
}

const script = join(import.meta.dirname, "killed-run.ts");
const killedAt = (folder: string, effect: string): ReturnType<typeof spawn> =>
  spawn(process.execPath, [script, folder, effect], {
    env: scrubbedEnvironment({ NODE_COMPILE_CACHE: join(tmpdir(), "lockstep-test-compiled") }),
  });

test(
  "a run that is killed after any of its effects, and then run again, ends like one that was not",
  { timeout: 120_000 },
  async () => {
    using fresh = project(FILES);
    value(await addData(fresh.context, { path: "data/rows.csv" }));
    sh(fresh.path, "add", "--all");
    sh(fresh.path, "commit", "--quiet", "--message=data");
    // The dataset is to be fetched by the run itself.
    rmSync(join(fresh.path, "data/rows.csv"));
    using folder = temporary();
    const copy = (name: string): string => {
      const path = join(folder.path, name);
      cpSync(fresh.path, path, { recursive: true });
      return path;
    };

    const clean = copy("clean");
    const whole = await killedAt(clean, "never");
    expect(whole.stderr).toBe("");
    const effects = Number(whole.stdout.toString());
    expect(effects).toBeGreaterThan(15);
    const wanted = contents(clean);
    expect(Object.keys(wanted)).toEqual(expect.arrayContaining(["build/model", "build/split/a", "data/rows.csv"]));
    expect(Object.keys(wanted).filter((path) => path.startsWith(".lockstep/records/stages"))).toHaveLength(2);

    const check = async (effect: number): Promise<void> => {
      const path = copy(`killed-${effect}`);
      const killed = await killedAt(path, String(effect));
      expect(killed.exitCode, `effect ${effect}: ${killed.stderr}`).toBe(null);
      const outcome = await runDemo(contextIn(path));
      expect(outcome.failures, `after effect ${effect}`).toEqual([]);
      expect(contents(path), `after effect ${effect}`).toEqual(wanted);
      expect(existsSync(join(path, ".lockstep/run.lock"))).toBe(false);
      expect(statuses(await runDemo(contextIn(path)))).toEqual(["prepare: cached", "train: cached"]);
      rmSync(path, { recursive: true });
    };
    const places = new Resources({ place: 3 });
    await Promise.all(Array.from({ length: effects }, (_, at) => places.use({ place: 1 }, () => check(at + 1))));
  },
);
