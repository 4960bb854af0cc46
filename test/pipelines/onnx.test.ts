import { beforeAll, describe, expect, it } from "vitest";
import * as tf from "@tensorflow/tfjs-core";
import * as tl from "@tensorflow/tfjs-layers";
import * as ort from "onnxruntime-node";
import { chooseBackend } from "../../pipelines/lib/backend.ts";
import { exportOnnx } from "../../pipelines/lib/onnx/export.ts";
import { random } from "../../pipelines/lib/random.ts";

type Layer = tl.layers.Layer;

beforeAll(async () => {
  await chooseBackend("cpu");
});

/** Largest difference between the two runtimes on random input, for a batch of the size given. */
async function difference(shape: number[], layers: Layer[], batch: number): Promise<number> {
  const model = tl.sequential({ layers: [tl.layers.inputLayer({ inputShape: shape }), ...layers] });
  randomize(model);
  const onnx = exportOnnx(model, { input: "in", output: "out" });
  const source = random(3);
  const size = shape.reduce((product, length) => product * length, batch);
  const data = Float32Array.from({ length: size }, () => 4 * source.signed());
  const expected = model.predict(tf.tensor(data, [batch, ...shape])) as tf.Tensor;
  const session = await ort.InferenceSession.create(onnx, { logSeverityLevel: 3 });
  const { out } = await session.run({ in: new ort.Tensor("float32", data, [batch, ...shape]) });
  await session.release();
  expect(out?.dims).toEqual(expected.shape);
  const actual = out?.data as Float32Array;
  const wanted = Array.from(expected.dataSync());
  return Math.max(...wanted.map((value, at) => Math.abs(value - (actual[at] ?? Infinity))));
}

/** Every weight gets a random value, biases too, so that none can be lost unseen. */
function randomize(model: tl.LayersModel): void {
  const source = random(7);
  model.setWeights(
    model.getWeights().map((weight) =>
      tf.tensor(
        Float32Array.from({ length: weight.size }, () => 0.5 * source.signed()),
        weight.shape,
      ),
    ),
  );
}

const conv = (options: object): Layer => tl.layers.conv2d({ filters: 5, kernelSize: 3, ...options });
const pool = (options: object): Layer => tl.layers.maxPooling2d({ poolSize: 2, ...options });

const cases: [name: string, shape: number[], layers: () => Layer[]][] = [
  ["dense", [7], () => [tl.layers.dense({ units: 3 })]],
  ["dense without bias", [7], () => [tl.layers.dense({ units: 3, useBias: false })]],
  ["dense on rows", [4, 7], () => [tl.layers.dense({ units: 3, activation: "relu" })]],
  ...(["relu", "sigmoid", "tanh", "softmax", "linear"] as const).map((activation): (typeof cases)[number] => [
    `dense with ${activation}`,
    [6],
    () => [tl.layers.dense({ units: 4, activation })],
  ]),
  ["activation alone", [6], () => [tl.layers.activation({ activation: "softmax" })]],
  ["rescaling", [5], () => [tl.layers.rescaling({ scale: 0.25, offset: 0 })]],
  ["rescaling with offset", [3, 5, 2], () => [tl.layers.rescaling({ scale: 2, offset: -1.5 })]],
  ["reshape", [12], () => [tl.layers.reshape({ targetShape: [2, 3, 2] })]],
  ["flatten", [3, 2, 4], () => [tl.layers.flatten()]],
  ["dropout", [6], () => [tl.layers.dropout({ rate: 0.5 }), tl.layers.dense({ units: 2 })]],
  ["convolution, valid, odd", [5, 8, 3], () => [conv({})]],
  ["convolution, same, odd", [5, 8, 3], () => [conv({ padding: "same" })]],
  ["convolution, even kernel", [6, 7, 2], () => [conv({ padding: "same", kernelSize: [2, 4] })]],
  ["convolution, stride 2, even", [8, 6, 2], () => [conv({ padding: "same", strides: 2 })]],
  ["convolution, stride 2 and 3, odd", [9, 7, 2], () => [conv({ padding: "same", strides: [2, 3] })]],
  ["convolution, stride 3, valid", [9, 8, 1], () => [conv({ strides: 3 })]],
  ["convolution, dilated", [9, 10, 2], () => [conv({ padding: "same", dilationRate: 2 })]],
  ["convolution without bias", [4, 4, 2], () => [conv({ useBias: false, activation: "relu" })]],
  ["convolution, one pixel", [1, 1, 2], () => [conv({ padding: "same" })]],
  ["softmax over channels", [4, 3, 2], () => [conv({ padding: "same", activation: "softmax" })]],
  ["pooling", [6, 4, 3], () => [pool({})]],
  ["pooling, valid, odd", [7, 5, 3], () => [pool({})]],
  ["pooling, same, odd", [7, 5, 3], () => [pool({ padding: "same" })]],
  ["pooling, overlapping", [7, 8, 2], () => [pool({ poolSize: 3, strides: 2, padding: "same" })]],
  [
    "image to classes",
    [30],
    () => [
      tl.layers.reshape({ targetShape: [5, 6, 1] }),
      conv({ padding: "same", activation: "relu" }),
      conv({ strides: 2, padding: "same" }),
      pool({ padding: "same" }),
      tl.layers.flatten(),
      tl.layers.dense({ units: 3, activation: "softmax" }),
    ],
  ],
  ["reshape of an image", [4, 6, 2], () => [conv({ padding: "same" }), tl.layers.reshape({ targetShape: [12, 10] })]],
  ["rescaling of an image", [4, 5, 2], () => [conv({}), tl.layers.rescaling({ scale: 3, offset: 1 })]],
];

describe("an exported model answers as TensorFlow.js does", () => {
  it.each(cases)("%s", async (_name, shape, layers) => {
    expect(await difference(shape, layers(), 1)).toBeLessThan(1e-5);
    expect(await difference(shape, layers(), 3)).toBeLessThan(1e-5);
  });
});

describe("what cannot be exported is said", () => {
  it("names a layer of an unknown class", () => {
    const model = tl.sequential({
      layers: [tl.layers.embedding({ inputDim: 4, outputDim: 2, inputShape: [3], name: "words" })],
    });
    expect(() => exportOnnx(model, { input: "in", output: "out" })).toThrow(/words is a Embedding/);
  });

  it("names the layer where a model branches", () => {
    const input = tl.input({ shape: [4] });
    const left = tl.layers.dense({ units: 4, name: "left" }).apply(input) as tl.SymbolicTensor;
    const right = tl.layers.dense({ units: 4, name: "right" }).apply(input) as tl.SymbolicTensor;
    const outputs = tl.layers.add({ name: "both" }).apply([left, right]) as tl.SymbolicTensor;
    const model = tl.model({ inputs: input, outputs });
    expect(() => exportOnnx(model, { input: "in", output: "out" })).toThrow(/only a chain of layers/);
  });

  it("refuses an activation that it does not know", () => {
    const model = tl.sequential({ layers: [tl.layers.dense({ units: 2, inputShape: [2], activation: "elu" })] });
    expect(() => exportOnnx(model, { input: "in", output: "out" })).toThrow(/activation/);
  });

  it("refuses an image of unknown size", () => {
    const model = tl.sequential({ layers: [conv({ inputShape: [null, null, 1] })] });
    expect(() => exportOnnx(model, { input: "in", output: "out" })).toThrow(/only the batch/);
  });
});

it("gives the same bytes for the same weights", () => {
  const make = (): Buffer => {
    const model = tl.sequential({ layers: [tl.layers.dense({ units: 3, inputShape: [2] })] });
    randomize(model);
    return exportOnnx(model, { input: "in", output: "out" });
  };
  expect(make().equals(make())).toBe(true);
});
