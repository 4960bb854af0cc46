import * as ort from "onnxruntime-node";
import { CLASSES, PIXELS } from "./examples.ts";

/** Runs the exported model: images one after the other in, ten probabilities for each out. */
export async function probabilitiesOf(onnx: Uint8Array, images: Float32Array): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(onnx, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  try {
    const image = new ort.Tensor("float32", images, [images.length / PIXELS, PIXELS]);
    const { probabilities } = await session.run({ image });
    if (!(probabilities?.data instanceof Float32Array)) throw new Error("the model has no output of probabilities");
    return probabilities.data;
  } finally {
    await session.release();
  }
}

/** Position of the largest of an example's probabilities; the first of equal ones. */
export function predictedClass(probabilities: Float32Array, example: number): number {
  const row = probabilities.subarray(example * CLASSES.length, (example + 1) * CLASSES.length);
  return row.indexOf(row.reduce((most, value) => Math.max(most, value)));
}
