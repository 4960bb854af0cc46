import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Context } from "../../src/core/index.ts";
import { workingTree } from "../../src/git/index.ts";
import { loadPipeline, run } from "../../src/pipeline/index.ts";
import type { RunOptions, RunOutcome } from "../../src/pipeline/index.ts";
import { openRecords } from "../../src/records/index.ts";
import { openStore } from "../../src/store/index.ts";
import { contextIn, repository, temporary } from "../git/repository.ts";
import { value } from "../helpers/value.ts";

/** A repository with one pipeline `demo`, in a folder that goes away with it. */
export interface Project extends Disposable {
  readonly path: string;
  readonly context: ReturnType<typeof contextIn>;
  readonly read: (file: string) => string;
}

export const IGNORE = ".lockstep/\nbuild/\n";

/** Three stages in a row; every output is made of everything the stage reads. */
export const CHAIN = `version: 1
stages:
  prepare:
    cmd: mkdir build/split && cat src/rows.txt > build/split/rows && grep seed params.yaml > build/split/seed
    deps: [src]
    params: [prepare.seed]
    outs: [build/split]
  train:
    cmd: cat build/split/rows build/split/seed > build/model && grep epochs params.yaml >> build/model
    deps: [build/split]
    params: [train]
    outs: [build/model]
  evaluate:
    cmd: printf '{"accuracy":0.5,"per":{"a":1}}' > build/metrics.json && cat build/model > build/copy
    deps: [build/model]
    outs: [build/copy]
    metrics: [build/metrics.json]
`;

export const CHAIN_FILES = {
  ".gitignore": IGNORE,
  "params.yaml": "prepare:\n  seed: 1\ntrain:\n  epochs: 10 # passes\n  rate: 0.5\n",
  "src/rows.txt": "one\ntwo\n",
  "pipelines/demo.yaml": CHAIN,
};

export function project(files: Readonly<Record<string, string>>, env: Record<string, string> = {}): Project {
  const folder = temporary();
  const path = repository(join(folder.path, "project"), { ".gitignore": IGNORE, ...files });
  return {
    path,
    context: contextIn(path, env),
    read: (file) => readFileSync(join(path, file), "utf8"),
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

/** The store and the records of a project that has no remote. */
export function local(context: Context): Pick<RunOptions, "store" | "records" | "source"> {
  return {
    source: workingTree(context),
    store: value(openStore(context, "file:.lockstep/store")),
    records: openRecords(context, { branch: "lockstep-records", remote: null }),
  };
}

/** Runs the pipeline `demo` as it stands. */
export async function runDemo(context: Context, options: Partial<RunOptions> = {}, name = "demo"): Promise<RunOutcome> {
  const basics = local(context);
  const pipeline = value(await loadPipeline(basics.source, name));
  return value(await run(context, { ...basics, pipeline, commit: async () => null, restore: "all", ...options }));
}

/** `stage: status` of every stage, in order. */
export function statuses(outcome: RunOutcome): string[] {
  return outcome.run.stages.map(({ stage, status }) => `${stage}: ${status}`);
}
