// Logistic regression on polynomial features, by gradient descent.
import { readFileSync, writeFileSync } from "node:fs";
import { load, probability } from "./features.mjs";

const { degree, epochs, learning_rate: rate } = JSON.parse(readFileSync("pipelines/first/params.json", "utf8")).train;
const rows = load("train", degree);
const weights = rows[0].features.map(() => 0);
for (let epoch = 0; epoch < epochs; epoch++) {
  const gradient = weights.map(() => 0);
  for (const { features, label } of rows) {
    const error = probability(weights, features) - label;
    for (let index = 0; index < gradient.length; index++) gradient[index] += error * features[index];
  }
  for (let index = 0; index < weights.length; index++) weights[index] -= (rate * gradient[index]) / rows.length;
}
writeFileSync("build/first/model.json", JSON.stringify({ degree, weights }));
