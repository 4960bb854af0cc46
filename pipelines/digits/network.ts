import * as tl from "@tensorflow/tfjs-layers";
import { CLASSES, INK, PIXELS, SIDE } from "./examples.ts";

/** The network in two views that share their weights: probabilities are for use, logits for training. */
export interface Network {
  readonly model: tl.LayersModel;
  readonly logits: tl.LayersModel;
}

/** Two convolutions, a pooling and two dense layers. Takes raw pixel values [batch, 64]; scaling is part of the model. */
export function digitsNetwork(options: { filters: number; units: number; seed: number }): Network {
  const { filters, units, seed } = options;
  const initial = (layer: number): ReturnType<typeof tl.initializers.heNormal> =>
    tl.initializers.heNormal({ seed: seed * 100 + layer });
  const convolution = { kernelSize: 3, padding: "same", activation: "relu" } as const;
  const chain = [
    tl.layers.rescaling({ scale: 1 / INK, offset: 0, name: "scale" }),
    tl.layers.reshape({ targetShape: [SIDE, SIDE, 1], name: "picture" }),
    tl.layers.conv2d({ ...convolution, filters, kernelInitializer: initial(1), name: "edges" }),
    tl.layers.conv2d({ ...convolution, filters: 2 * filters, kernelInitializer: initial(2), name: "strokes" }),
    tl.layers.maxPooling2d({ poolSize: 2, name: "pool" }),
    tl.layers.flatten({ name: "flat" }),
    tl.layers.dense({ units, activation: "relu", kernelInitializer: initial(3), name: "shapes" }),
    tl.layers.dense({ units: CLASSES.length, kernelInitializer: initial(4), name: "logits" }),
  ];
  const inputs = tl.input({ shape: [PIXELS], name: "image" });
  let value = inputs;
  for (const layer of chain) value = layer.apply(value) as typeof inputs;
  const probabilities = tl.layers
    .activation({ activation: "softmax", name: "probabilities" })
    .apply(value) as typeof inputs;
  return {
    model: tl.model({ inputs, outputs: probabilities, name: "digits" }),
    logits: tl.model({ inputs, outputs: value, name: "digits_logits" }),
  };
}
