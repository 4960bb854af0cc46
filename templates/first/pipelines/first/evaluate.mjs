// One row per test example: Lockstep computes metrics and confidence intervals from it.
import { readFileSync, writeFileSync } from "node:fs";
import { load, probability } from "./features.mjs";

const { degree, weights } = JSON.parse(readFileSync("build/first/model.json", "utf8"));
const rows = load("test", degree).map((row) => ({ ...row, score: probability(weights, row.features) }));
const lines = rows.map(({ id, label, score }) => `${id},${label},${score >= 0.5 ? 1 : 0},${score.toFixed(6)}`);
writeFileSync("build/first/predictions.csv", `id,label,prediction,probability\n${lines.join("\n")}\n`);
const right = rows.filter(({ label, score }) => (score >= 0.5 ? 1 : 0) === label).length;
writeFileSync(
  "build/first/metrics.json",
  JSON.stringify({ test: { accuracy: right / rows.length, examples: rows.length } }),
);
