import { readFile, writeFile } from "node:fs/promises";
import { CLASSES, PIXELS, flatten, readExamples, writeTable } from "./examples.ts";
import type { Example } from "./examples.ts";
import { inkBand } from "./ink.ts";
import { predictedClass, probabilitiesOf } from "./inference.ts";
import { score } from "./score.ts";

interface Answer {
  readonly example: Example;
  readonly prediction: number;
  readonly probabilities: readonly number[];
}

const onnx = await readFile("build/digits/model.onnx");
const test = await answers("build/digits/split/test.csv");
const validation = await answers("build/digits/split/validation.csv");

const metrics = score(
  test.map(({ example, prediction, probabilities }) => ({ label: example.label, prediction, probabilities })),
);
console.log(`${test.length} test examples: ${JSON.stringify(metrics)}`);
await writeFile("build/digits/metrics.json", `${JSON.stringify(metrics, null, 2)}\n`);

await writeTable(
  "build/digits/predictions.csv",
  ["id", "label", "prediction", "source", "ink", ...CLASSES.map((name) => `probability.${name}`)],
  test.map(({ example, prediction, probabilities }) => [
    example.id,
    example.label,
    prediction,
    example.source,
    inkBand(example.pixels),
    ...probabilities,
  ]),
);

// What the model sees and says when all is well: production's log is compared with it. Not the training images, which
// the model answers more surely than any others.
await writeTable(
  "build/digits/reference.csv",
  [
    ...Array.from({ length: PIXELS }, (_, at) => `image.${at}`),
    ...CLASSES.map((name) => `probabilities.${name}`),
    "prediction",
  ],
  [...validation, ...test].map(({ example, prediction, probabilities }) => [
    ...example.pixels,
    ...probabilities,
    prediction,
  ]),
);

async function answers(file: string): Promise<Answer[]> {
  const examples = await readExamples(file);
  const all = await probabilitiesOf(onnx, flatten(examples));
  return examples.map((example, at) => ({
    example,
    prediction: predictedClass(all, at),
    // Single precision has about seven digits; more would be noise.
    probabilities: Array.from(all.subarray(at * CLASSES.length, (at + 1) * CLASSES.length), (value) =>
      Number(value.toPrecision(7)),
    ),
  }));
}
