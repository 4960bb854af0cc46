import { readFileSync } from "node:fs";

/** Rows of a split: {id, label, features}, with all products of x and y up to a degree. */
export function load(split, degree) {
  const [, ...lines] = readFileSync(`build/first/${split}.csv`, "utf8").trim().split("\n");
  return lines.map((line) => {
    const [id, x, y, label] = line.split(",");
    const features = [];
    for (let i = 0; i <= degree; i++) for (let j = 0; i + j <= degree; j++) features.push(x ** i * y ** j);
    return { id, label: Number(label), features };
  });
}

/** Probability of label 1 under a logistic regression. */
export function probability(weights, features) {
  return 1 / (1 + Math.exp(-features.reduce((sum, value, index) => sum + value * weights[index], 0)));
}
