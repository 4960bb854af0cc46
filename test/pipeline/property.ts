import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect } from "vitest";
import { stringify } from "yaml";
import { loadPipeline, plan } from "../../src/pipeline/index.ts";
import type { PlannedStage } from "../../src/pipeline/index.ts";
import { contextIn, write } from "../git/repository.ts";
import { value } from "../helpers/value.ts";
import { local, project, runDemo } from "./project.ts";

/** A stage of a random pipeline. Its output is all that it reads; parameters and the variable count for its key alone. */
interface RandomStage {
  /** Numbers of stages before it. */
  readonly needs: readonly number[];
  readonly sources: readonly number[];
  /** Depends on the folder of all sources in place of some of them. */
  readonly folder: boolean;
  readonly params: readonly number[];
  readonly variable: boolean;
  readonly foreach: boolean;
  /** The output is a folder, and its readers depend on a file in it. */
  readonly tree: boolean;
  /** The output is the same whatever it reads, so that what comes after it comes out as before. */
  readonly constant: boolean;
  readonly always: boolean;
  /** A part of the command. */
  readonly word: number;
}

/** What edits change; a stage that was removed is undefined. */
interface World {
  readonly sources: readonly number[];
  readonly params: readonly number[];
  readonly variable: number;
  readonly stages: readonly (RandomStage | undefined)[];
}

const EDITS = {
  source: ({ world, at, to }) => ({ ...world, sources: world.sources.with(at % COUNT, to) }),
  param: ({ world, at, to }) => ({ ...world, params: world.params.with(at % COUNT, to) }),
  variable: ({ world, to }) => ({ ...world, variable: to }),
  command: ({ world, at, to }) => withStage(world, at, (stage) => ({ ...stage, word: to })),
  always: ({ world, at }) => withStage(world, at, (stage) => ({ ...stage, always: !stage.always })),
  remove: ({ world, at }) => withStage(world, at, () => undefined),
  add: ({ world, first, at, to }) => {
    const stage = { ...first.stages[at % first.stages.length]!, word: to };
    return { ...world, stages: [...world.stages, stage] };
  },
  revert: ({ first }) => first,
  "delete outputs": ({ world, delete: gone }) => (gone("build"), world),
  "delete an output": ({ world, at, delete: gone }) => {
    const [path] = Object.keys(outputsOf(world)).slice(at);
    if (path !== undefined) gone(path);
    return world;
  },
  "delete the cache": ({ world, delete: gone }) => (gone(".lockstep/cache"), world),
} satisfies Record<string, (edit: EditOptions) => World>;

interface EditOptions {
  readonly world: World;
  readonly first: World;
  /** Which source, parameter or stage; more than there are begins again. */
  readonly at: number;
  readonly to: number;
  readonly delete: (path: string) => void;
}

const COUNT = 3;
const VARIABLE = "RANDOM_VARIABLE";
const some = (below: number): fc.Arbitrary<number[]> => fc.subarray(Array.from({ length: below }, (_, at) => at));
const rarely = fc.integer({ min: 0, max: 5 }).map((die) => die === 0);
const small = fc.integer({ min: 0, max: 2 });

const randomStage = (at: number): fc.Arbitrary<RandomStage> =>
  fc.record({
    needs: some(at),
    sources: some(COUNT),
    folder: rarely,
    params: some(COUNT),
    variable: rarely,
    foreach: rarely,
    tree: fc.boolean(),
    constant: rarely,
    always: rarely,
    word: fc.constant(0),
  });

/** A graph of one to eight stages, and what is edited between its runs. */
export const scenarios = fc.integer({ min: 1, max: 8 }).chain((count) =>
  fc.record({
    stages: fc.tuple(...Array.from({ length: count }, (_, at) => randomStage(at))),
    edits: fc.array(
      fc.record({ what: fc.constantFrom(...(Object.keys(EDITS) as (keyof typeof EDITS)[])), at: fc.nat(7), to: small }),
      { minLength: 1, maxLength: 4 },
    ),
  }),
);

/** Runs the pipeline before and after each edit: it does what the plan said, and its outputs are those of a fresh run. */
export async function holds({
  stages,
  edits,
}: typeof scenarios extends fc.Arbitrary<infer S> ? S : never): Promise<void> {
  const first: World = { sources: [0, 0, 0], params: [0, 0, 0], variable: 0, stages };
  using at = project(filesOf(first));
  const stored = new Set<string>();
  let world = first;
  for (const edit of [undefined, ...edits]) {
    if (edit !== undefined) {
      const gone = (path: string): void => {
        rmSync(join(at.path, path), { recursive: true, force: true });
        if (path === ".lockstep/cache") stored.clear();
      };
      world = EDITS[edit.what]({ ...edit, world, first, delete: gone });
      write(at.path, filesOf(world));
    }
    if (world.stages.every((stage) => stage === undefined)) return;
    const context = contextIn(at.path, { [VARIABLE]: String(world.variable) });
    const outputs = outputsOf(world);
    const lost = Object.entries(outputs).filter(
      ([path, { text }]) => !stored.has(text) && contentOf(join(at.path, path)) !== text,
    );
    const lostStages = new Set(lost.map(([, { stage }]) => stage));
    const planned = await plannedIn(context);
    const { run, failures } = await runDemo(context);
    expect(failures).toEqual([]);
    expect(run.stages.map(({ stage }) => stage)).toEqual(planned.map(({ stage }) => stage));
    for (const [index, { stage, action, key }] of planned.entries()) {
      const did = run.stages[index]!;
      if (key !== null) expect(did.key, stage).toBe(key);
      // The plan knows no store: that an output is nowhere any more is found by the run.
      if (action === "cached" && lostStages.has(stage)) expect(did.reason).toMatch(/is in no store any more$/);
      else if (action === "cached" || key !== null) expect(`${stage} ${did.status}`).toBe(`${stage} ${action}`);
      else if (did.status === "cached") expect(did.reason).toMatch(/ came out as before$/);
      if (did.status === "run")
        for (const { stage: of, text } of Object.values(outputs)) if (of === stage) stored.add(text);
    }
    for (const [path, { text }] of Object.entries(outputs)) expect(contentOf(join(at.path, path)), path).toBe(text);
    const forced = new Set<string>();
    for (const { stage, action, reason, needs } of await plannedIn(context)) {
      if (reason === "it is declared always_changed" || needs.some((need) => forced.has(need))) forced.add(stage);
      else expect(`${stage} ${action}`).toBe(`${stage} cached`);
    }
  }
}

async function plannedIn(context: ReturnType<typeof contextIn>): Promise<readonly PlannedStage[]> {
  const { source, records } = local(context);
  const pipeline = value(await loadPipeline(source, "demo"));
  return value(await plan(context, { source, pipeline, records })).stages;
}

function withStage(world: World, at: number, change: (stage: RandomStage) => RandomStage | undefined): World {
  const which = at % world.stages.length;
  return { ...world, stages: world.stages.map((stage, index) => (index === which ? stage && change(stage) : stage)) };
}

function filesOf(world: World): Record<string, string> {
  const stages = world.stages.flatMap((stage, at): [string, unknown][] => {
    if (stage === undefined) return [];
    const { foreach, folder, tree, constant, word, always: always_changed } = stage;
    const sources = folder ? ["in"] : stage.sources.map((source) => `in/${source}`);
    const before = readOf(world, stage);
    const out = `build/${at}${foreach ? "-${item}" : ""}`;
    const made = constant
      ? `echo ${at}`
      : `cat /dev/null ${[...sources, ...before].join(" ").replace(/^in\b(?!\/)/, "in/*")}`;
    const definition = {
      cmd: tree ? `mkdir ${out} && ${made} > ${out}/x && echo ${word} > ${out}/y` : `${made} > ${out}; : ${word}`,
      deps: [...sources, ...before],
      params: stage.params.map((param) => `p${param}`),
      outs: [out],
      always_changed,
      env: { vars: stage.variable ? [VARIABLE] : [] },
    };
    return [[`s${at}`, foreach ? { foreach: [0, 1], do: definition } : definition]];
  });
  return {
    "pipelines/demo.yaml": stringify({ stages: Object.fromEntries(stages) }, { lineWidth: 0 }),
    "params.yaml": world.params.map((param, at) => `p${at}: ${param}\n`).join(""),
    ...Object.fromEntries(world.sources.map((source, at) => [`in/${at}`, `${source}\n`])),
  };
}

/** The files of other stages that a stage reads. */
function readOf({ stages }: World, { needs }: RandomStage): string[] {
  return needs.flatMap((need) => {
    const stage = stages[need];
    return stage === undefined ? [] : `build/${need}${stage.foreach ? "-1" : ""}${stage.tree ? "/x" : ""}`;
  });
}

/** What has to be in every output: of a folder, its two files together. */
function outputsOf(world: World): Record<string, { readonly stage: string; readonly text: string }> {
  const outputs: Record<string, { stage: string; text: string }> = {};
  const files = new Map<string, string>();
  for (const [at, stage] of world.stages.entries()) {
    if (stage === undefined) continue;
    const { constant, folder, foreach, sources, tree, word } = stage;
    const own = (folder ? world.sources : sources.map((source) => world.sources[source])).map((text) => `${text}\n`);
    const text = constant ? `${at}\n` : [...own, ...readOf(world, stage).map((path) => files.get(path))].join("");
    for (const item of foreach ? ["-0", "-1"] : [""]) {
      const path = `build/${at}${item}`;
      files.set(tree ? `${path}/x` : path, text);
      const name = foreach ? `s${at}@${item.slice(1)}` : `s${at}`;
      outputs[path] = { stage: name, text: tree ? `${text}\0${word}\n` : text };
    }
  }
  return outputs;
}

function contentOf(path: string): string | undefined {
  const read = (file: string): string => readFileSync(file, "utf8");
  try {
    return read(path);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EISDIR"
      ? `${read(join(path, "x"))}\0${read(join(path, "y"))}`
      : undefined;
  }
}
