import { writeFile } from "node:fs/promises";
import * as tf from "@tensorflow/tfjs-core";
import { chooseBackend } from "../lib/backend.ts";
import { loadModel } from "../lib/model-file.ts";
import { exportOnnx } from "../lib/onnx/export.ts";
import { PIXELS, flatten, readExamples } from "./examples.ts";
import { probabilitiesOf } from "./inference.ts";

/** Probabilities may differ by this much between the two runtimes: both count in single precision. */
const TOLERANCE = 1e-4;

const backend = await chooseBackend(process.env["TFJS_BACKEND"]);
const model = await loadModel("build/digits/model");
const onnx = exportOnnx(model, { input: "image", output: "probabilities" });

const images = flatten(await readExamples("build/digits/split/test.csv"));
const count = images.length / PIXELS;
const expected = tf.tidy(() => (model.predict(tf.tensor2d(images, [count, PIXELS])) as tf.Tensor).dataSync());
const actual = await probabilitiesOf(onnx, images);
let largest = 0;
for (const [at, value] of actual.entries()) largest = Math.max(largest, Math.abs(value - (expected[at] ?? Number.NaN)));

console.log(
  `${onnx.length} bytes; ONNX Runtime and TensorFlow.js (${backend}) differ by at most ${largest} on ${count} images`,
);
if (!(largest <= TOLERANCE)) throw new Error(`the exported model differs by ${largest}; ${TOLERANCE} is allowed`);
await writeFile("build/digits/model.onnx", onnx);
const report = { export_max_difference: largest, export_examples: count };
await writeFile("build/digits/export.json", `${JSON.stringify(report, null, 2)}\n`);
