import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { atRevision } from "../../src/git/index.ts";
import { experiment, loadPipeline, plan, verifyResult } from "../../src/pipeline/index.ts";
import type { Plan } from "../../src/pipeline/index.ts";
import { keep, listing, md5 } from "../dvc/project.ts";
import { sh, write } from "../git/repository.ts";
import { value } from "../helpers/value.ts";
import { local, project, runDemo, statuses } from "./project.ts";
import type { Project } from "./project.ts";

const SPLIT = { rows: "one\n", "deep/seed": "1\n" };
const METRICS = '{"accuracy": 0.5}\n';

/** What `dvc repro` leaves: two stages in a row and one that reads a part of an output, all outputs in DVC's cache. */
const FILES = {
  ".gitignore": "/.lockstep\n/split\n/model\n/part\n/ran\n/raw\n/.dvc/cache\n",
  ".dvc/config": "",
  "raw.dvc": `outs:\n- md5: ${md5("one\n")}\n  hash: md5\n  path: raw\n`,
  "src/code.py": "code\n",
  "params.yaml": "seed: 1\ntrain: {lr: 0.01, deep: true}\n",
  "metrics.json": METRICS,
  "dvc.yaml": `stages:
  prepare: {cmd: echo prepare >> ran && mkdir -p split/deep && cp raw split/rows && echo 1 > split/deep/seed, deps: [raw, src], params: [seed], outs: [split]}
  train:
    cmd: echo train >> ran && cp split/rows model
    deps: [split]
    params: [train]
    outs: [model]
    metrics: [metrics.json: {cache: false}]
  look: {cmd: [echo look >> ran, cp split/deep/seed part], deps: [split/deep/seed], outs: [part]}
`,
  "dvc.lock": `schema: '2.0'
stages:
  prepare:
    cmd: echo prepare >> ran && mkdir -p split/deep && cp raw split/rows && echo 1 > split/deep/seed
    deps:
    - {path: raw, hash: md5, md5: ${md5("one\n")}, size: 4}
    - {path: src, hash: md5, md5: ${md5(listing({ "code.py": "code\n" }))}.dir, size: 5, nfiles: 1}
    params: {params.yaml: {seed: 1}}
    outs:
    - {path: split, hash: md5, md5: ${md5(listing(SPLIT))}.dir, size: 6, nfiles: 2}
  train:
    cmd: echo train >> ran && cp split/rows model
    deps:
    - {path: split, hash: md5, md5: ${md5(listing(SPLIT))}.dir, size: 6, nfiles: 2}
    params: {params.yaml: {train: {lr: 0.01, deep: true}}}
    outs:
    - {path: metrics.json, hash: md5, md5: ${md5(METRICS)}, size: 18}
    - {path: model, hash: md5, md5: ${md5("one\n")}, size: 4}
  look:
    cmd: [echo look >> ran, cp split/deep/seed part]
    deps:
    - {path: split/deep/seed, hash: md5, md5: ${md5("1\n")}, size: 2}
    outs:
    - {path: part, hash: md5, md5: ${md5("1\n")}, size: 2}
`,
};

function reproduced(files: Readonly<Record<string, string>> = {}): Project {
  const made = project({ ...FILES, ...files });
  const cache = join(made.path, ".dvc/cache");
  for (const content of [SPLIT, "one\n", "1\n"]) keep(cache, content);
  return made;
}

async function planned(at: Project, revision?: string): Promise<string[]> {
  const basics = local(at.context);
  const source = revision === undefined ? basics.source : value(await atRevision(at.context, revision));
  const pipeline = value(await loadPipeline(source, "dvc"));
  return lines(value(await plan(at.context, { records: basics.records, source, pipeline })));
}

function lines({ stages }: Plan): string[] {
  return stages.map(({ stage, action, reason }) => `${stage}: ${action}, ${reason}`);
}

const ran = (at: Project): string => (existsSync(join(at.path, "ran")) ? at.read("ran") : "");
const KNOWN = ["prepare", "train", "look"].map((stage) => `${stage}: cached, dvc.lock has it`);

/** For plans, which leave nothing behind. */
const shared = reproduced();
afterAll(() => shared[Symbol.dispose]());

describe("dvc.lock", () => {
  test("what it names is known, at a revision too, and is brought from DVC's cache without a run", async () => {
    using at = reproduced();
    expect(await planned(at)).toEqual(KNOWN);
    expect(await planned(at, "HEAD")).toEqual(KNOWN);
    expect(existsSync(join(at.path, "model"))).toBe(false);
    const lock = at.read("dvc.lock");
    const outcome = await runDemo(at.context, {}, "dvc");
    expect(statuses(outcome)).toEqual(["prepare: cached", "train: cached", "look: cached"]);
    expect([ran(at), at.read("model"), at.read("split/deep/seed"), at.read("part")]).toEqual([
      "",
      "one\n",
      "1\n",
      "1\n",
    ]);
    expect(outcome.run.metrics).toEqual({ "metrics.json": { accuracy: 0.5 } });
    expect(outcome.stages).toMatchObject(
      KNOWN.map(() => ({ origin: "dvc.lock", ms: 0, commit: null, provenance: null })),
    );
    expect(at.read("dvc.lock")).toBe(lock);
    // From here on it is a record like any other: DVC's cache is not asked again.
    rmSync(join(at.path, ".dvc/cache"), { recursive: true });
    for (const path of ["split", "model", "part"]) rmSync(join(at.path, path), { recursive: true });
    expect(statuses(await runDemo(at.context, {}, "dvc"))).toEqual([
      "prepare: cached",
      "train: cached",
      "look: cached",
    ]);
    expect(ran(at)).toBe("");
  });

  test("an edit runs what reads it, and what comes out as before is known again", async () => {
    using at = reproduced();
    write(at.path, { "src/code.py": "other\n" });
    expect(await planned(at)).toEqual([
      "prepare: run, src changed since dvc.lock",
      "train: run, prepare will run",
      "look: run, prepare will run",
    ]);
    const outcome = await runDemo(at.context, {}, "dvc");
    expect(statuses(outcome)).toEqual(["prepare: run", "train: cached", "look: cached"]);
    expect(ran(at)).toBe("prepare\n");
    expect(outcome.run.data).toEqual({ raw: `md5:${md5("one\n")}` });
  });

  test.each([
    [
      "a parameter",
      { "params.yaml": FILES["params.yaml"].replace("0.01", "0.02") },
      "train",
      "params.yaml: train.lr 0.01 -> 0.02",
    ],
    [
      "a command",
      { "dvc.yaml": FILES["dvc.yaml"].replace("cp split/rows", "cat split/rows >") },
      "train",
      "its command is not that of dvc.lock",
    ],
    [
      "data",
      { "raw.dvc": FILES["raw.dvc"].replace(md5("one\n"), md5("1\n")) },
      "prepare",
      "raw changed since dvc.lock",
    ],
    [
      "a dep",
      { "dvc.yaml": FILES["dvc.yaml"].replace("deps: [split]", "deps: [split, src/code.py]") },
      "train",
      "src/code.py is new since dvc.lock",
    ],
    [
      "an output that git keeps",
      { "metrics.json": "{}\n" },
      "train",
      "its output metrics.json, as dvc.lock has it, is not here (`dvc pull` brings it)",
    ],
    [
      "an environment",
      { "dvc.yaml": FILES["dvc.yaml"].replace("params: [train]", "params: [train]\n    env: {vars: [X]}") },
      "train",
      "dvc.lock tells nothing of its environment or profile",
    ],
  ])("%s that is not the lock's: the stage runs, and says why", async (_, files, stage, reason) => {
    const at = shared;
    write(at.path, { ...FILES, ...files });
    expect(await planned(at)).toContain(`${stage}: run, ${reason}`);
    expect(await planned(at)).toContain(
      "look: " + (stage === "prepare" ? "run, prepare will run" : "cached, dvc.lock has it"),
    );
  });

  test("outputs that are nowhere are made again; damaged ones are told", async () => {
    using at = reproduced();
    const object = join(at.path, ".dvc/cache/files/md5", md5("1\n").slice(0, 2), md5("1\n").slice(2));
    write(at.path, { [object.slice(at.path.length + 1)]: "damaged" });
    const basics = local(at.context);
    const pipeline = value(await loadPipeline(basics.source, "dvc"));
    expect(await plan(at.context, { ...basics, pipeline })).toMatchObject({
      failures: [{ code: "blob-corrupt", where: object }],
    });
    rmSync(join(at.path, ".dvc/cache"), { recursive: true });
    expect((await planned(at))[0]).toMatch(/^prepare: run, its output split, as dvc.lock has it, is not here/);
    expect(readdirSync(at.path)).not.toContain("split");
  });

  test("of DVC 2 is read too, with its cache", async () => {
    const old = (text: string): string => text.replaceAll("hash: md5, ", "").replaceAll("  hash: md5\n", "");
    using at = project({ ...FILES, "dvc.lock": old(FILES["dvc.lock"]), "raw.dvc": old(FILES["raw.dvc"]) });
    for (const content of [SPLIT, "one\n", "1\n"]) keep(join(at.path, ".dvc/cache"), content, 2);
    expect(await planned(at)).toEqual(KNOWN);
    expect(statuses(await runDemo(at.context, {}, "dvc"))).toEqual([
      "prepare: cached",
      "train: cached",
      "look: cached",
    ]);
    expect(at.read("split/rows")).toBe("one\n");
  });

  test("data of a .dvc file is brought to a stage that runs; an edit of it stops the stage, and so does the stage's own", async () => {
    using at = reproduced();
    write(at.path, { "params.yaml": "seed: 2\ntrain: {lr: 0.01, deep: true}\n" });
    expect(statuses(await runDemo(at.context, { stage: "prepare" }, "dvc"))).toEqual(["prepare: run"]);
    expect(at.read("raw")).toBe("one\n");
    write(at.path, { raw: "edited\n", "src/code.py": "other\n" });
    const stopped = await runDemo(at.context, { stage: "prepare" }, "dvc");
    expect(stopped.failures).toMatchObject([{ code: "data-changed", path: "raw", by: "what raw.dvc tracks" }]);
    write(at.path, { raw: "one\n", "dvc.yaml": FILES["dvc.yaml"].replace("echo prepare >> ran", "echo more >> raw") });
    const [failure] = (await runDemo(at.context, { stage: "prepare" }, "dvc")).failures;
    expect(failure).toMatchObject({
      code: "stage-failed",
      reason: expect.stringMatching(/raw changed, the dataset raw/) as string,
    });
  });

  test("promotion does not believe it, and a damaged one has a place", async () => {
    using at = reproduced();
    const basics = local(at.context);
    const pipeline = value(await loadPipeline(basics.source, "dvc"));
    const trusted = value(await plan(at.context, { ...basics, pipeline, trustedOnly: true }));
    expect(lines(trusted)[0]).toBe("prepare: run, it has not run yet");
    write(at.path, { "dvc.lock": "schema: '2.0'\nstages:\n  prepare: {cmd: 1}\n" });
    expect(await plan(at.context, { ...basics, pipeline })).toMatchObject({
      failures: [{ code: "file-invalid", at: { file: "dvc.lock", line: 3 } }],
    });
  });
});

const FROZEN = FILES["dvc.yaml"].replace("deps: [split]", "frozen: true\n    deps: [split]");

describe("a frozen stage", () => {
  test("is what dvc.lock names, whatever its deps, its command and --force say", async () => {
    using at = reproduced({ "dvc.yaml": FROZEN.replace("cp split/rows model", "false"), "src/code.py": "other\n" });
    expect(await planned(at)).toContain("train: cached, frozen; dvc.lock has its result");
    const outcome = await runDemo(at.context, { force: true }, "dvc");
    expect(statuses(outcome)).toEqual(["prepare: run", "train: cached", "look: run"]);
    expect([ran(at), at.read("model")]).toEqual(["prepare\nlook\n", "one\n"]);
    // Its bytes are not needed to plan, and are to run.
    rmSync(join(at.path, ".lockstep"), { recursive: true });
    rmSync(join(at.path, ".dvc/cache"), { recursive: true });
    rmSync(join(at.path, "model"));
    expect(await planned(at, "HEAD")).toContain("train: cached, frozen; dvc.lock has its result");
    await expect(runDemo(at.context, { stage: "train" }, "dvc")).rejects.toThrow(/model of stage "train" needs it/);
  });

  test("an output of it that a person changed is not lost", async () => {
    using at = reproduced({ "dvc.yaml": FROZEN });
    write(at.path, { model: "by hand\n" });
    await expect(runDemo(at.context, {}, "dvc")).rejects.toThrow(/model is not the result of the frozen stage "train"/);
    expect(at.read("model")).toBe("by hand\n");
  });

  const demo = (frozen: boolean, text = "one"): string => `stages:
  a: {cmd: "echo ${text} > a", outs: [a]${frozen ? ", frozen: true" : ""}}
  b: {cmd: "cp a b; echo b >> ran", deps: [a], outs: [b]}
`;
  const ignore = { ".gitignore": "/.lockstep\n/a\n/b\n/ran\n" };

  test("without dvc.lock is its last run here, and the run of the nearest commit", async () => {
    using at = project({ ...ignore, "pipelines/demo.yaml": demo(false) });
    const commit = sh(at.path, "rev-parse", "HEAD");
    await runDemo(at.context, { commit });
    write(at.path, { "pipelines/demo.yaml": demo(true, "two") });
    sh(at.path, "commit", "-qam", "frozen");
    const plans = async (): Promise<string[]> => {
      const head = value(await atRevision(at.context, "HEAD"));
      const { records, source } = local(at.context);
      return Promise.all(
        [source, head].map(async (from) => {
          const pipeline = value(await loadPipeline(from, "demo"));
          return lines(value(await plan(at.context, { records, source: from, pipeline })))[0]!;
        }),
      );
    };
    expect(await plans()).toEqual(Array(2).fill(`a: cached, frozen since ${commit.slice(0, 12)}`));
    expect(statuses(await runDemo(at.context))).toEqual(["a: cached", "b: cached"]);
    expect(at.read("a")).toBe("one\n");
    // A fresh clone of the records alone: nothing of the last run is kept here.
    rmSync(join(at.path, ".lockstep/last"), { recursive: true });
    expect(await plans()).toEqual(Array(2).fill(`a: cached, frozen since ${commit.slice(0, 12)}`));
    rmSync(join(at.path, ".lockstep/cache"), { recursive: true });
    rmSync(join(at.path, "a"));
    await expect(runDemo(at.context)).rejects.toThrow(/frozen/);
  });

  test("has a result that whoever receives it can check", async () => {
    using at = reproduced({ "dvc.yaml": FROZEN });
    const { document, failures } = value(await experiment(at.context));
    expect(failures).toEqual([]);
    const source = value(await atRevision(at.context, "HEAD"));
    value(await verifyResult(at.context, { document, source }));
    const tampered = structuredClone(document);
    const record = tampered.stages.find(({ stage }) => stage === "train")!;
    const other = md5("other").repeat(2) as typeof record.key;
    for (const part of tampered.runs[0]!.stages) if (part.key === record.key) part.key = other;
    record.key = other;
    expect(await verifyResult(at.context, { document: tampered, source })).toMatchObject({
      failures: [{ code: "result-refused", reason: expect.stringMatching(/not that of its outputs/) as string }],
    });
  });

  test("that never ran is what a person put there, or a failure", async () => {
    using at = project({ ...ignore, "pipelines/demo.yaml": demo(true) });
    await expect(runDemo(at.context)).rejects.toThrow(/a does not exist; stage "a", which is frozen/);
    write(at.path, { a: "by hand\n" });
    const outcome = await runDemo(at.context);
    expect(statuses(outcome)).toEqual(["a: cached", "b: run"]);
    expect(at.read("b")).toBe("by hand\n");
    expect(statuses(await runDemo(at.context))).toEqual(["a: cached", "b: cached"]);
    expect(at.read("ran")).toBe("b\n");
  });
});
