import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parse } from "csv-parse/sync";
import { stringify } from "csv-stringify/sync";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse as parseYaml } from "yaml";
import { modelSchema, pipelineSchema, settingsSchema, stageSchema } from "../../src/config/index.ts";
import { readPredictions } from "../../src/metrics/index.ts";
import { sketchTable } from "../../src/profile/index.ts";
import { evaluate } from "../../pipelines/digits/evaluate.ts";
import { readExamples, rowOf } from "../../pipelines/digits/examples.ts";
import { prepare } from "../../pipelines/digits/prepare.ts";
import { scanned } from "../../pipelines/digits/scanner.ts";
import { splitParams } from "../../pipelines/digits/split.ts";
import { trainParams } from "../../pipelines/digits/training.ts";
import { value } from "../helpers/value.ts";

const root = resolve(import.meta.dirname, "../..");
const yaml = async (file: string): Promise<unknown> => parseYaml(await readFile(join(root, file), "utf8"));

describe("the files of the example", () => {
  it("are what the schemas say", async () => {
    pipelineSchema.parse(await yaml("pipelines/digits.yaml"));
    settingsSchema.parse(await yaml(".github/lockstep.yml"));
    const model = modelSchema.parse(await yaml("models/digits/model.yaml"));
    const params = (await yaml("params.yaml")) as Record<string, unknown>;
    splitParams.parse(params["prepare"]);
    trainParams.parse(params["train"]);
    expect(model.serving?.classes).toHaveLength(10);
  });

  it("declare every file of code that a stage runs", async () => {
    const { stages = {} } = pipelineSchema.parse(await yaml("pipelines/digits.yaml"));
    for (const [name, fields] of Object.entries(stages)) {
      const stage = stageSchema.parse(fields);
      if (stage.run !== undefined) continue; // the engine finds the modules of a function
      const script = String(stage.cmd).split(" ")[1] ?? "";
      const declared: readonly string[] = stage.deps ?? [];
      const missing = [...(await closure(script))].filter(
        (file) => !declared.some((dep) => file === dep || file.startsWith(`${dep}/`)),
      );
      expect({ name, missing }).toEqual({ name, missing: [] });
    }
  });

  it("hold the 1,797 images, each once", async () => {
    const examples = await readExamples(join(root, "data/digits/digits.csv"));
    expect(examples).toHaveLength(1797);
    expect(new Set(examples.map(({ id }) => id)).size).toBe(1797);
    // Of the data set as published: how often each digit occurs.
    const counts = Array.from({ length: 10 }, (_, digit) => examples.filter(({ label }) => label === digit).length);
    expect(counts).toEqual([178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
  });
});

/** A script and everything it imports by a relative path, from the repository's root. */
async function closure(file: string, seen = new Set<string>()): Promise<Set<string>> {
  if (seen.has(file)) return seen;
  seen.add(file);
  const text = await readFile(join(root, file), "utf8");
  for (const [, imported] of text.matchAll(/(?:^import (?!type)[^;]*?|import\()"(\.[^"]+)"/gm)) {
    await closure(join(dirname(file), imported ?? ""), seen);
  }
  return seen;
}

describe("the stages, on a part of the images and for four epochs", () => {
  let folder: string;
  let evaluated: Awaited<ReturnType<typeof evaluate>>;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "digits-"));
    const examples = (await readExamples(join(root, "data/digits/digits.csv"))).slice(0, 400);
    const parts = prepare(
      {
        examples: {
          "digits.csv": table(examples.map(rowOf)),
          "feedback/2026-01-01.csv": table(scanned(examples, { count: 60, seed: 3 }).map(rowOf)),
        },
      },
      { prepare: { seed: 1, test_share: 0.3, validation_share: 0.2 } },
    );
    await mkdir(join(folder, "build/digits/split"), { recursive: true });
    for (const [split, part] of Object.entries(parts))
      await writeFile(join(folder, `build/digits/split/${split}.csv`), table(part));
    await writeFile(
      join(folder, "params.yaml"),
      "train: {seed: 1, filters: 4, units: 16, epochs: 4, batch_size: 16, learning_rate: 0.01, augment: 0.5}\n",
    );
    for (const name of ["train", "export"]) stage(name);
    evaluated = await evaluate({
      model: await built("model.onnx"),
      test: await rows("test"),
      validation: await rows("validation"),
    });
  });
  afterAll(async () => rm(folder, { recursive: true }));

  function stage(
    name: string,
    env: Record<string, string> = {},
  ): { output: string; errors: string; status: number | null } {
    const script = join(root, `pipelines/digits/${name}.ts`);
    const done = spawnSync(process.execPath, [script], {
      cwd: folder,
      encoding: "utf8",
      env: { ...process.env, TFJS_BACKEND: "wasm", ...env },
    });
    if (done.status !== 0 && env["TFJS_BACKEND"] === undefined) throw new Error(`${name} failed:\n${done.stderr}`);
    return { output: done.stdout, errors: done.stderr, status: done.status };
  }

  const built = async (name: string): Promise<Buffer> => readFile(join(folder, "build/digits", name));
  const rows = async (split: string): Promise<Record<string, string>[]> =>
    parse(await built(`split/${split}.csv`), { columns: true });
  const table = (list: readonly object[]): Buffer => Buffer.from(stringify([...list], { header: true }));
  const json = async (name: string): Promise<Record<string, number>> =>
    JSON.parse((await built(name)).toString()) as Record<string, number>;

  it("split without losing or repeating an example", async () => {
    const parts = await Promise.all(
      ["train", "validation", "test"].map((split) => readExamples(join(folder, `build/digits/split/${split}.csv`))),
    );
    const ids = parts.flat().map(({ id }) => id);
    expect(ids).toHaveLength(460);
    expect(new Set(ids).size).toBe(460);
    expect(new Set(parts.flat().map(({ source }) => source))).toEqual(new Set(["base", "feedback"]));
  });

  it("learn something, and say on which backend", async () => {
    expect(await json("training.json")).toMatchObject({ backend: "wasm" });
    const { accuracy } = evaluated.metrics;
    expect(accuracy).toBeGreaterThan(0.4); // guessing gives 0.1
    expect((await built("history.csv")).toString().trim().split("\n")).toHaveLength(5);
  });

  it("export what was trained", async () => {
    const report = await json("export.json");
    expect(report["export_max_difference"]).toBeLessThan(1e-5);
    expect(report["export_examples"]).toBe((await readExamples(join(folder, "build/digits/split/test.csv"))).length);
  });

  it("write predictions that Lockstep reads, and metrics that agree with them", async () => {
    const { evaluation } = modelSchema.parse(await yaml("models/digits/model.yaml"));
    const predictions = value(
      await readPredictions({ file: "predictions.csv", bytes: table(evaluated.predictions), evaluation }),
    );
    if (predictions.task !== "multiclass") throw new Error("the digits are several classes");
    const right = predictions.label.filter((label, at) => label === predictions.prediction[at]).length;
    const { accuracy } = evaluated.metrics;
    expect(right / predictions.ids.length).toBe(accuracy);
    expect(predictions.classes).toHaveLength(10);
    expect(predictions.scores).not.toBeNull();
  });

  it("write a reference that production's log can be compared with", async () => {
    const profile = value(sketchTable(table(evaluated.reference)));
    const names = [
      ...Array.from({ length: 64 }, (_, at) => `image.${at}`),
      ...Array.from({ length: 10 }, (_, at) => `probabilities.${at}`),
      "prediction",
    ];
    expect(profile.columns.map(({ name }) => name).toSorted()).toEqual(names.toSorted());
  });

  it("give the same bytes again", async () => {
    const before = await digests();
    stage("train");
    stage("export");
    expect(await digests()).toEqual(before);
  });

  it("stop at a backend that is not there", () => {
    const { status, errors } = stage("train", { TFJS_BACKEND: "abacus" });
    expect(status).toBe(1);
    expect(errors).toContain('no backend "abacus"');
  });

  async function digests(): Promise<Record<string, string>> {
    const names = [
      "model/model.json",
      "model/weights.bin",
      "history.csv",
      "training.json",
      "model.onnx",
      "export.json",
    ];
    expect(await readdir(join(folder, "build/digits/model"))).toEqual(["model.json", "weights.bin"]);
    const entries = names.map(async (name) => [
      name,
      createHash("sha256")
        .update(await built(name))
        .digest("hex"),
    ]);
    return Object.fromEntries(await Promise.all(entries)) as Record<string, string>;
  }
});

it("refuses parameters that it does not know", () => {
  const params = { prepare: { seed: 1, test_share: 2, validation_share: 0.1, tets: 1 } };
  expect(() => prepare({ examples: {} }, params)).toThrow(/params\.yaml, prepare:[\s\S]*tets[\s\S]*test_share/);
});
