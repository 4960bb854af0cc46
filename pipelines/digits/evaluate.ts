import { CLASSES, PIXELS, flatten, toExamples } from "./examples.ts";
import type { Example } from "./examples.ts";
import { inkBand } from "./ink.ts";
import { predictedClass, probabilitiesOf } from "./inference.ts";
import { score } from "./score.ts";

interface Answer {
  readonly example: Example;
  readonly prediction: number;
  readonly probabilities: readonly number[];
}

interface Inputs {
  /** The ONNX file. */
  readonly model: Uint8Array;
  readonly test: readonly Record<string, string>[];
  readonly validation: readonly Record<string, string>[];
}

type Row = Record<string, string | number>;

/** Asks the exported file itself, as the server will. */
export async function evaluate(
  inputs: Inputs,
): Promise<{ metrics: ReturnType<typeof score>; predictions: Row[]; reference: Row[] }> {
  const test = await answers(inputs.model, toExamples(inputs.test, "test"));
  const validation = await answers(inputs.model, toExamples(inputs.validation, "validation"));
  const metrics = score(test.map(({ example, ...answer }) => ({ label: example.label, ...answer })));
  console.log(`${test.length} test examples: ${JSON.stringify(metrics)}`);
  return {
    metrics,
    predictions: test.map(({ example, prediction, probabilities }) => ({
      id: example.id,
      label: example.label,
      prediction,
      source: example.source,
      ink: inkBand(example.pixels),
      ...Object.fromEntries(CLASSES.map((name, at) => [`probability.${name}`, probabilities[at]!])),
    })),
    // What the model sees and says when all is well: production's log is compared with it. Not the training images,
    // which the model answers more surely than any others.
    reference: [...validation, ...test].map(({ example, prediction, probabilities }) => ({
      ...Object.fromEntries(Array.from({ length: PIXELS }, (_, at) => [`image.${at}`, example.pixels[at]!])),
      ...Object.fromEntries(CLASSES.map((name, at) => [`probabilities.${name}`, probabilities[at]!])),
      prediction,
    })),
  };
}

async function answers(model: Uint8Array, examples: readonly Example[]): Promise<Answer[]> {
  const all = await probabilitiesOf(model, flatten(examples));
  return examples.map((example, at) => ({
    example,
    prediction: predictedClass(all, at),
    // Single precision has about seven digits; more would be noise.
    probabilities: Array.from(all.subarray(at * CLASSES.length, (at + 1) * CLASSES.length), (value) =>
      Number(value.toPrecision(7)),
    ),
  }));
}
