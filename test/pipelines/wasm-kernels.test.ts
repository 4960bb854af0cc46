import { beforeAll, describe, expect, it } from "vitest";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers"; // brings the gradients
import { chooseBackend } from "../../pipelines/lib/backend.ts";
import { random } from "../../pipelines/lib/random.ts";

beforeAll(async () => {
  await chooseBackend("cpu");
  await chooseBackend("wasm");
});

function noise(shape: number[], seed: number): tf.Tensor {
  const source = random(seed);
  const size = shape.reduce((product, length) => product * length, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, () => source.signed()),
    shape,
  );
}

/** The values that `compute` gives on a backend. */
async function on(backend: "cpu" | "wasm", compute: () => tf.Tensor[]): Promise<number[][]> {
  await tf.setBackend(backend);
  return tf.tidy(() => compute().map((tensor) => Array.from(tensor.dataSync())));
}

async function expectAgreement(compute: () => tf.Tensor[]): Promise<void> {
  const [expected, actual] = [await on("cpu", compute), await on("wasm", compute)];
  expect(actual.map((values) => values.length)).toEqual(expected.map((values) => values.length));
  for (const [at, values] of expected.entries()) {
    for (const [place, value] of values.entries()) expect(actual[at]?.[place]).toBeCloseTo(value, 4);
  }
}

type Size4 = [number, number, number, number];

describe("gradients of a convolution are those of the CPU backend", () => {
  const cases: [image: Size4, filter: Size4, stride: number | [number, number], pad: "same" | "valid"][] = [
    [[3, 8, 8, 1], [3, 3, 1, 4], 1, "same"],
    [[2, 5, 7, 3], [3, 3, 3, 2], 1, "same"],
    [[2, 5, 7, 3], [3, 3, 3, 2], 1, "valid"],
    [[2, 6, 5, 2], [2, 4, 2, 3], 1, "same"],
    [[1, 1, 1, 2], [3, 3, 2, 2], 1, "same"],
    [[2, 3, 3, 2], [1, 1, 2, 2], 1, "valid"],
    [[2, 8, 6, 2], [3, 3, 2, 3], 2, "same"],
    [[2, 9, 7, 2], [3, 3, 2, 3], [2, 3], "same"],
    [[2, 8, 8, 2], [3, 3, 2, 3], 3, "valid"],
    [[2, 9, 9, 2], [2, 2, 2, 3], 4, "valid"],
  ];
  it.each(cases)("image %j, filter %j, stride %j, %s", async (image, filter, stride, pad) => {
    await expectAgreement(() => {
      const forward = (x: tf.Tensor, w: tf.Tensor): tf.Tensor => {
        const y = tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, stride, pad);
        return tf.sum(tf.mul(y, noise(y.shape, 3)));
      };
      return tf.grads(forward)([noise(image, 1), noise(filter, 2)]);
    });
  });
});

describe("gradients of pooling are those of the CPU backend", () => {
  const cases: [image: Size4, size: number | [number, number], stride: number, pad: "same" | "valid"][] = [
    [[2, 8, 8, 3], 2, 2, "valid"],
    [[2, 7, 5, 3], 2, 2, "same"],
    [[2, 7, 5, 3], 2, 2, "valid"],
    [[2, 7, 8, 2], 3, 1, "same"],
    [[2, 6, 7, 2], [3, 2], 2, "same"],
  ];
  it.each(cases)("image %j, window %j, stride %j, %s", async (image, size, stride, pad) => {
    await expectAgreement(() => {
      const forward = (x: tf.Tensor): tf.Tensor => {
        const y = tf.maxPool(x as tf.Tensor4D, size, stride, pad);
        return tf.sum(tf.mul(y, noise(y.shape, 3)));
      };
      return [tf.grad(forward)(noise(image, 1))];
    });
  });

  it("gives the whole gradient to one of equal values", async () => {
    const [gradient] = await on("wasm", () => [
      tf.grad((x) => tf.sum(tf.maxPool(x as tf.Tensor4D, 2, 2, "valid")))(tf.ones([1, 2, 4, 1])),
    ]);
    expect(gradient?.filter((value) => value === 1)).toHaveLength(2);
    expect(gradient?.filter((value) => value === 0)).toHaveLength(6);
  });
});

describe("matrix products are those of the CPU backend", () => {
  it.each([
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])("transposed: %s, %s", async (left, right) => {
    await expectAgreement(() => [
      tf.matMul(noise(left ? [5, 3] : [3, 5], 1), noise(right ? [4, 5] : [5, 4], 2), left, right),
      tf.matMul(noise(left ? [2, 5, 3] : [2, 3, 5], 1), noise(right ? [2, 4, 5] : [2, 5, 4], 2), left, right),
    ]);
  });
});
