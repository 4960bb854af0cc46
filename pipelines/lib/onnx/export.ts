import type * as tl from "@tensorflow/tfjs-layers";
import { Graph } from "./graph.ts";
import type { Value } from "./graph.ts";
import { converters } from "./layers.ts";

/**
 * The model as an .onnx file with one float32 input and one output, in the same order of axes as in TensorFlow.js and
 * with a batch of any size.
 * @throws Error that names the layer when the model is not a chain of layers that the exporter knows.
 */
export function exportOnnx(model: tl.LayersModel, names: { input: string; output: string }): Buffer {
  const [first, ...rest] = model.layers;
  if (first === undefined || model.inputs.length !== 1 || model.outputs.length !== 1) {
    throw new Error("only a model with one input and one output can be exported");
  }
  const graph = new Graph();
  const shape = (model.inputs[0]?.shape ?? []).slice(1).map(sized);
  const input: Value = { name: names.input, shape, channels: "last" };
  let value = input;
  let before: unknown = first;
  for (const layer of first.getClassName() === "InputLayer" ? rest : model.layers) {
    const feeding = layer.inboundNodes.flatMap((node) => node.inboundLayers);
    if (feeding.length !== 1 || (value !== input && feeding[0] !== before)) {
      throw new Error(`layer ${layer.name} does not follow the one before it: only a chain of layers can be exported`);
    }
    const convert = converters[layer.getClassName()];
    if (convert === undefined)
      throw new Error(`layer ${layer.name} is a ${layer.getClassName()}, which has no ONNX form here`);
    value = convert(graph, layer, value);
    before = layer;
  }
  return graph.encode(input, channelsLast(graph, value), names.output);
}

function channelsLast(graph: Graph, value: Value): Value {
  if (value.channels === "last") return value;
  return { ...value, name: graph.node("Transpose", [value.name], { perm: [0, 2, 3, 1] }), channels: "last" };
}

function sized(size: number | null): number {
  if (size === null) throw new Error("only the batch may have any size");
  return size;
}
