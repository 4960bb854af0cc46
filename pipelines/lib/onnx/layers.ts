import * as tf from "@tensorflow/tfjs-core";
import type * as tl from "@tensorflow/tfjs-layers";
import { z } from "zod";
import type { Graph, Value } from "./graph.ts";

type Layer = tl.layers.Layer;
type Converter = (graph: Graph, layer: Layer, input: Value) => Value;

const pair = z
  .union([z.number().transform((one) => [one, one]), z.array(z.number())])
  .pipe(z.tuple([z.number(), z.number()]));
const padding = z.enum(["valid", "same"]);
const channelsLast = z.literal("channelsLast");

/** One converter per class of layer. A layer that is not here cannot be exported, and is said so. */
export const converters: Readonly<Record<string, Converter>> = {
  Rescaling(graph, layer, input) {
    const { scale, offset } = z.object({ scale: z.number(), offset: z.number() }).parse(layer.getConfig());
    const scaled = graph.node("Mul", [input.name, graph.constant(Float32Array.of(scale))]);
    return {
      ...input,
      name: offset === 0 ? scaled : graph.node("Add", [scaled, graph.constant(Float32Array.of(offset))]),
    };
  },

  Reshape(graph, layer, input) {
    return reshaped(graph, channelsToLast(graph, input), shapeOf(layer));
  },

  Flatten(graph, layer, input) {
    return reshaped(graph, channelsToLast(graph, input), shapeOf(layer));
  },

  Conv2D(graph, layer, input) {
    const config = z
      .object({ strides: pair, padding, dataFormat: channelsLast, dilationRate: pair, activation })
      .parse(layer.getConfig());
    const [kernel, bias] = layer.getWeights();
    if (kernel === undefined) throw new Error(`layer ${layer.name} has no weights`);
    const size = kernel.shape.slice(0, 2) as [number, number];
    const weights = tf.tidy(() => tf.transpose(kernel, [3, 2, 0, 1]));
    const first = channelsToFirst(graph, input);
    const operands = [first.name, floats(graph, weights), ...(bias === undefined ? [] : [floats(graph, bias)])];
    weights.dispose();
    const name = graph.node("Conv", operands, {
      kernel_shape: size,
      strides: config.strides,
      dilations: config.dilationRate,
      pads: pads(input.shape, size, config.strides, config.dilationRate, config.padding),
    });
    return activated(graph, { name, shape: shapeOf(layer), channels: "first" }, config.activation);
  },

  MaxPooling2D(graph, layer, input) {
    const config = z
      .object({ poolSize: pair, strides: pair, padding, dataFormat: channelsLast })
      .parse(layer.getConfig());
    const name = graph.node("MaxPool", [channelsToFirst(graph, input).name], {
      kernel_shape: config.poolSize,
      strides: config.strides,
      pads: pads(input.shape, config.poolSize, config.strides, [1, 1], config.padding),
    });
    return { name, shape: shapeOf(layer), channels: "first" };
  },

  Dense(graph, layer, input) {
    const config = z.object({ activation }).parse(layer.getConfig());
    const [kernel, bias] = layer.getWeights();
    if (kernel === undefined) throw new Error(`layer ${layer.name} has no weights`);
    const product = graph.node("MatMul", [channelsToLast(graph, input).name, floats(graph, kernel)]);
    const name = bias === undefined ? product : graph.node("Add", [product, floats(graph, bias)]);
    return activated(graph, { name, shape: shapeOf(layer), channels: "last" }, config.activation);
  },

  Activation(graph, layer, input) {
    return activated(graph, input, z.object({ activation }).parse(layer.getConfig()).activation);
  },

  /** Does something in training only. */
  Dropout(_graph, _layer, input) {
    return input;
  },
};

const activation = z.enum(["linear", "relu", "sigmoid", "tanh", "softmax"]);
const OPERATOR = { relu: "Relu", sigmoid: "Sigmoid", tanh: "Tanh" } as const;

function activated(graph: Graph, value: Value, kind: z.infer<typeof activation>): Value {
  if (kind === "linear") return value;
  if (kind !== "softmax") return { ...value, name: graph.node(OPERATOR[kind], [value.name]) };
  const last = channelsToLast(graph, value);
  return { ...last, name: graph.node("Softmax", [last.name], { axis: -1 }) };
}

/** Zeros around an image, as TensorFlow counts them: of an odd number the larger part comes after. */
function pads(
  shape: readonly number[],
  kernel: readonly [number, number],
  strides: readonly [number, number],
  dilations: readonly [number, number],
  kind: "valid" | "same",
): number[] {
  const total = [0, 1].map((axis) => {
    if (kind === "valid") return 0;
    const size = shape[axis] as number;
    const stride = strides[axis] as number;
    const reach = ((kernel[axis] as number) - 1) * (dilations[axis] as number) + 1;
    return Math.max(0, (Math.ceil(size / stride) - 1) * stride + reach - size);
  });
  return [...total.map((all) => Math.floor(all / 2)), ...total.map((all) => Math.ceil(all / 2))];
}

function shapeOf(layer: Layer): number[] {
  const shape = layer.outputShape;
  if (shape.some((size) => Array.isArray(size))) throw new Error(`layer ${layer.name} has several outputs`);
  return (shape as (number | null)[]).slice(1).map((size) => {
    if (size === null) throw new Error(`layer ${layer.name} has an output of unknown size`);
    return size;
  });
}

function floats(graph: Graph, tensor: tf.Tensor): string {
  return graph.constant(tensor.dataSync<"float32">(), tensor.shape);
}

function reshaped(graph: Graph, value: Value, shape: number[]): Value {
  return { name: graph.node("Reshape", [value.name, graph.constant([-1, ...shape])]), shape, channels: "last" };
}

/** `shape` stays as TensorFlow has it; only the order in memory changes. */
function channelsToFirst(graph: Graph, value: Value): Value {
  if (value.channels === "first") return value;
  if (value.shape.length !== 3) throw new Error("an image has rows, columns and channels");
  return { ...value, name: graph.node("Transpose", [value.name], { perm: [0, 3, 1, 2] }), channels: "first" };
}

function channelsToLast(graph: Graph, value: Value): Value {
  if (value.channels === "last") return value;
  return { ...value, name: graph.node("Transpose", [value.name], { perm: [0, 2, 3, 1] }), channels: "last" };
}
