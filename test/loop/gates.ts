import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { write } from "../git/repository.ts";
import { HOSTILE_TEXTS } from "../report/hostile-texts.ts";
import { softmaxNetwork } from "../serve/onnx.ts";
import { root } from "./rig.ts";
import type { Rig } from "./rig.ts";

export const PARAMS = { wrong: 10, cut: 0.4, words: 100, unlabelled: 0 };

/**
 * 400 customers, half of them positive. `wrong` of those in the south are taken for the other class, `cut` is where the
 * scores of the two classes part, so that a chosen threshold follows it; the column of predictions says nothing true.
 */
const MAKE = `
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
const { wrong, cut, words, unlabelled } = JSON.parse(readFileSync("params.json", "utf8"));
const texts = JSON.parse(readFileSync("src/texts.json", "utf8"));
mkdirSync("build/model", { recursive: true });
writeFileSync("build/model/model.onnx", Buffer.from(readFileSync("src/network.txt", "utf8"), "base64"));
writeFileSync("build/model/words.txt", "word\\n".repeat(words));
const table = (wrongs) => ["id,label,prediction,score,region,text", ...Array.from({ length: 400 }, (_, i) => {
  const label = i % 2;
  const south = i % 4 > 1;
  const flipped = south && i < wrongs * 2;
  const score = (flipped ? 1 - label : label) === 1 ? cut + 0.05 + i / 10000 : cut - 0.05 - i / 10000;
  const text = '"' + texts[i % texts.length].replaceAll('"', '""') + '"';
  return ["c" + i, label, 0, score.toFixed(4), south ? "south" : "north", text].join(",");
})].join("\\n") + "\\n";
writeFileSync("build/predictions.csv", table(wrong));
writeFileSync("build/validation.csv", table(0));
const found = unlabelled === 0 ? "every row has a label" : unlabelled + " rows have no label";
writeFileSync("build/checks.json", JSON.stringify({ checks: [{ name: "labels", passed: unlabelled === 0, found }] }));
`;

const PIPELINE = `version: 1
stages:
  train:
    cmd: node src/make.mjs
    deps: [src/make.mjs, src/network.txt, src/texts.json]
    params: [{params.json: [wrong, cut, words, unlabelled]}]
    outs: [build/model, build/validation.csv]
    predictions: build/predictions.csv
    checks: build/checks.json
`;

/** What the team has agreed on: the default branch's. */
export const MODEL = `version: 1
pipeline: toy
files: {model.onnx: build/model/model.onnx, words.txt: build/model/words.txt}
evaluation:
  predictions: build/predictions.csv
  task: binary
  columns: {id: id, label: label, prediction: prediction, score: score, preview: [text]}
  slices: [region]
  metrics: [accuracy]
  threshold: {maximize: f1, on: build/validation.csv}
  business:
    saved: {formula: "tp * 4 - fp * 2", unit: EUR, direction: higher, first: true, desc: of customers who stay}
gates:
  - {metric: accuracy, max_regression: 0.05, against: production}
  - {metric: accuracy, min: 0.8, slice: region}
  - {metric: saved, min: 700}
  - {file: words.txt, max_size: 1kB}
  - {latency: p95, max: 60s, max_ratio: 1000}
  - {check: labels}
  - {card: [limitations]}
serving: {file: model.onnx, input: x, output: y}
card: {limitations: Made up.}
`;

/** Another model of the same pipeline, whose gate no machine passes. */
export const IMPATIENT = MODEL.replace(/gates:\n[^]*serving/, "gates: [{latency: p50, max: 0.001us}]\nserving");

/** A step that the team has in the experiment for what its stages need. */
export const PROVIDE = "Provide what stages need";

export const settings = (view: string): string => `version: 1\nstore: file:.lockstep/store\nreport: {view: ${view}}\n`;

export const params = (changes: Partial<typeof PARAMS>): string => JSON.stringify({ ...PARAMS, ...changes });

/** Workflows, pipeline and model on the default branch, the pipeline compiled. */
export async function setUp(rig: Rig): Promise<void> {
  for (const name of ["experiment", "report", "promote"]) {
    const file = `.github/workflows/lockstep-${name}.yml`;
    mkdirSync(dirname(join(rig.clone, file)), { recursive: true });
    cpSync(join(root, file), join(rig.clone, file));
  }
  const experiment = join(rig.clone, ".github/workflows/lockstep-experiment.yml");
  const text = readFileSync(experiment, "utf8")
    .replace("\nenv:\n", '\nenv:\n  LOCKSTEP_BENCHMARK_SECONDS: "0.5"\n')
    .replace("      - uses: lockstep-ml/", `      - name: ${PROVIDE}\n        run: echo provided\n$&`);
  writeFileSync(experiment, text);
  const weights = Array.from({ length: 8 }, (_, row) => [row, 1, -row]);
  // What a CSV file in UTF-8 can hold.
  const texts = HOSTILE_TEXTS.map(([, one]) => one).filter((one) => one.isWellFormed() && !one.includes("\0"));
  write(rig.clone, {
    ".gitignore": ".lockstep/\nbuild/\n",
    ".github/lockstep.yml": settings("engineer"),
    "params.json": params({}),
    "src/make.mjs": MAKE,
    "src/network.txt": softmaxNetwork("x", weights).toString("base64"),
    "src/texts.json": JSON.stringify(texts),
    "pipelines/toy.yaml": PIPELINE,
    "models/toy/model.yaml": MODEL,
  });
  await rig.lockstep("compile", "toy");
  await rig.run("git", ["add", "-A"]);
  await rig.run("git", ["commit", "-q", "-m", "A model"]);
  await rig.run("git", ["push", "-q", "origin", "main"]);
}
