import * as tf from "@tensorflow/tfjs-core";
import type { KernelFunc, NamedAttrMap, NamedTensorInfoMap } from "@tensorflow/tfjs-core";

type Pad = "same" | "valid" | number;
type Size = number | [number, number];

let registered = false;

/**
 * Gives the WASM backend what it needs to train a convolutional network: the gradient of a convolution's filter, which
 * it does not have, and faster forms of three kernels that it runs as plain loops. Calling it again does nothing.
 */
export function registerWasmKernels(): void {
  if (registered) return;
  registered = true;
  register("Conv2DBackpropFilter", filterGradient);
  const plainInputGradient = kernelOf("Conv2DBackpropInput");
  register("Conv2DBackpropInput", (call) => inputGradient(call) ?? plainInputGradient(call));
  const plainMatMul = kernelOf("BatchMatMul");
  register("BatchMatMul", (call) => plainMatMul(transposedFirst(call)));
  register("MaxPoolGrad", maxPoolGradient);
}

type Call = Parameters<KernelFunc>[0];

function register(kernelName: string, kernelFunc: KernelFunc): void {
  if (tf.getKernel(kernelName, "wasm")) tf.unregisterKernel(kernelName, "wasm");
  tf.registerKernel({ kernelName, backendName: "wasm", kernelFunc });
}

function kernelOf(name: string): KernelFunc {
  const kernel = tf.getKernel(name, "wasm");
  if (!kernel) throw new Error(`this version of the WASM backend has no kernel ${name}`);
  return kernel.kernelFunc;
}

/** The engine hands kernels the tensors themselves; their declared type is the part that every kernel needs. */
function tensor<T extends tf.Tensor>(inputs: NamedTensorInfoMap, name: string): T {
  return inputs[name] as unknown as T;
}

function attributes<T>(attrs: NamedAttrMap | undefined): T {
  return attrs as unknown as T;
}

/**
 * The filter's gradient is itself a convolution: of the input, with channels as the batch, by the output's gradient,
 * with the batch as channels. Strides of the forward pass become dilations.
 */
function filterGradient({ inputs, attrs }: Call): tf.Tensor {
  const { strides, pad, filterShape } = attributes<{
    strides: Size;
    pad: Pad;
    filterShape: [number, number, number, number];
  }>(attrs);
  const x = tensor<tf.Tensor4D>(inputs, "x");
  const dy = tensor<tf.Tensor4D>(inputs, "dy");
  const at = tf.backend_util.computeConv2DInfo(x.shape, filterShape, strides, 1, pad);
  const rows = (at.outHeight - 1) * at.strideHeight + at.filterHeight;
  const columns = (at.outWidth - 1) * at.strideWidth + at.filterWidth;
  const padded = window(x, -at.padInfo.top, -at.padInfo.left, rows, columns);
  const strided: [number, number] = [at.strideHeight, at.strideWidth];
  const product = tf.conv2d(
    tf.transpose(padded, [3, 1, 2, 0]),
    tf.transpose(dy, [1, 2, 0, 3]),
    1,
    "valid",
    "NHWC",
    strided,
  );
  return tf.transpose(product, [1, 2, 0, 3]);
}

/** For stride 1: a convolution of the output's gradient by the turned filter. Undefined for other strides. */
function inputGradient({ inputs, attrs }: Call): tf.Tensor | undefined {
  const { strides, pad, inputShape } = attributes<{
    strides: Size;
    pad: Pad;
    inputShape: [number, number, number, number];
  }>(attrs);
  const dy = tensor<tf.Tensor4D>(inputs, "dy");
  const filter = tensor<tf.Tensor4D>(inputs, "filter");
  const at = tf.backend_util.computeConv2DInfo(inputShape, filter.shape, strides, 1, pad);
  if (at.strideHeight !== 1 || at.strideWidth !== 1) return undefined;
  const top = at.padInfo.top - (at.filterHeight - 1);
  const left = at.padInfo.left - (at.filterWidth - 1);
  const rows = at.inHeight + at.filterHeight - 1;
  const columns = at.inWidth + at.filterWidth - 1;
  const turned = tf.transpose(tf.reverse(filter, [0, 1]), [0, 1, 3, 2]) as tf.Tensor4D;
  return tf.conv2d(window(dy, top, left, rows, columns), turned, 1, "valid");
}

/** Rows and columns of an image from (top, left), zero outside of it. */
function window(x: tf.Tensor4D, top: number, left: number, rows: number, columns: number): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape;
  const before = [Math.max(0, -top), Math.max(0, -left)] as const;
  const after = [Math.max(0, top + rows - height), Math.max(0, left + columns - width)] as const;
  const wide = tf.pad(x, [
    [0, 0],
    [before[0], after[0]],
    [before[1], after[1]],
    [0, 0],
  ]) as tf.Tensor4D;
  return tf.slice(wide, [0, Math.max(0, top), Math.max(0, left), 0], [batch, rows, columns, channels]);
}

/** The fast matrix product takes no transposed operand: transposes are done before it. */
function transposedFirst(call: Call): Call {
  const { transposeA, transposeB } = attributes<{ transposeA: boolean; transposeB: boolean }>(call.attrs);
  const a = tensor<tf.Tensor>(call.inputs, "a");
  const b = tensor<tf.Tensor>(call.inputs, "b");
  if (a.rank !== b.rank || (!transposeA && !transposeB)) return call;
  const order = [...a.shape.keys()];
  order.push(...order.splice(-2).toReversed());
  return {
    ...call,
    inputs: { a: transposeA ? tf.transpose(a, order) : a, b: transposeB ? tf.transpose(b, order) : b },
    attrs: { transposeA: false, transposeB: false },
  };
}

/** Each value of the output's gradient goes to the first largest value of its window. */
function maxPoolGradient({ inputs, attrs }: Call): tf.Tensor {
  const { filterSize, strides, pad } = attributes<{ filterSize: Size; strides: Size; pad: Pad }>(attrs);
  const input = tensor<tf.Tensor4D>(inputs, "input");
  const at = tf.backend_util.computePool2DInfo(input.shape, filterSize, strides, 1, pad);
  const values = input.dataSync();
  const gradient = tensor<tf.Tensor4D>(inputs, "dy").dataSync();
  const result = new Float32Array(values.length);
  let out = 0;
  for (let image = 0; image < at.batchSize; image++) {
    for (let row = 0; row < at.outHeight; row++) {
      const top = row * at.strideHeight - at.padInfo.top;
      const [firstRow, endRow] = [Math.max(0, top), Math.min(at.inHeight, top + at.filterHeight)];
      for (let column = 0; column < at.outWidth; column++) {
        const left = column * at.strideWidth - at.padInfo.left;
        const [firstColumn, endColumn] = [Math.max(0, left), Math.min(at.inWidth, left + at.filterWidth)];
        for (let channel = 0; channel < at.outChannels; channel++, out++) {
          let largest = -1;
          for (let y = firstRow; y < endRow; y++) {
            for (let x = firstColumn; x < endColumn; x++) {
              const here = ((image * at.inHeight + y) * at.inWidth + x) * at.inChannels + channel;
              if (largest < 0 || (values[here] as number) > (values[largest] as number)) largest = here;
            }
          }
          result[largest] = (result[largest] as number) + (gradient[out] as number);
        }
      }
    }
  }
  return tf.tensor(result, input.shape);
}
