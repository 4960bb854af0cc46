import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { random, shuffle } from "../lib/random.ts";
import { CLASSES, PIXELS, flatten } from "./examples.ts";
import type { Example } from "./examples.ts";
import { jitter } from "./augment.ts";
import { digitsNetwork } from "./network.ts";
import type { Network } from "./network.ts";

export const trainParams = z.strictObject({
  seed: z.number().int(),
  filters: z.number().int().min(1).max(256),
  units: z.number().int().min(1).max(1024),
  epochs: z.number().int().min(1).max(1000),
  batch_size: z.number().int().min(1),
  learning_rate: z.number().gt(0),
  augment: z.number().min(0).max(2),
});
export type TrainParams = z.infer<typeof trainParams>;

/** One line of the history. Losses are mean cross-entropies in nats. */
export interface Epoch {
  readonly epoch: number;
  readonly trainLoss: number;
  readonly validationLoss: number;
  readonly validationAccuracy: number;
}

/**
 * Trains with Adam and a learning rate that falls along a cosine to zero. Everything random comes from `params.seed`, so
 * that a backend gives the same weights each time.
 */
export function trainDigits(
  data: { readonly train: readonly Example[]; readonly validation: readonly Example[] },
  params: TrainParams,
  onEpoch: (epoch: Epoch) => void,
): Network {
  const network = digitsNetwork(params);
  const source = random(params.seed);
  const images = flatten(data.train);
  const labels = data.train.map((example) => example.label);
  const order = Int32Array.from(labels.keys());
  const optimizer = tf.train.adam(params.learning_rate);
  const steps = params.epochs * Math.ceil(order.length / params.batch_size);
  let step = 0;
  for (let epoch = 1; epoch <= params.epochs; epoch++) {
    shuffle(order, source);
    const losses: tf.Scalar[] = [];
    for (let start = 0; start < order.length; start += params.batch_size) {
      const chosen = order.subarray(start, start + params.batch_size);
      const batch = new Float32Array(chosen.length * PIXELS);
      for (const [at, example] of chosen.entries()) {
        const from = example * PIXELS;
        if (params.augment > 0) jitter(images, from, batch, at * PIXELS, params.augment, source);
        else batch.set(images.subarray(from, from + PIXELS), at * PIXELS);
      }
      // The rate has a setter, but its declaration hides it.
      Object.assign(optimizer, {
        learningRate: (params.learning_rate * (1 + Math.cos((Math.PI * step++) / steps))) / 2,
      });
      const truth = Array.from(chosen, (example) => labels[example] as number);
      losses.push(learn(network, optimizer, batch, truth));
    }
    const trainLoss = tf.tidy(() => tf.mean(tf.stack(losses)).dataSync()[0] as number);
    tf.dispose(losses);
    onEpoch({ epoch, trainLoss, ...judge(network, data.validation) });
  }
  optimizer.dispose();
  return network;
}

function learn(network: Network, optimizer: tf.Optimizer, batch: Float32Array, truth: number[]): tf.Scalar {
  return tf.tidy(() => {
    const x = tf.tensor2d(batch, [truth.length, PIXELS]);
    const y = oneHot(truth);
    const loss = (): tf.Scalar =>
      tf.losses.softmaxCrossEntropy(y, network.logits.apply(x, { training: true }) as tf.Tensor2D);
    return optimizer.minimize(loss, true) as tf.Scalar;
  });
}

function judge(network: Network, examples: readonly Example[]): Pick<Epoch, "validationLoss" | "validationAccuracy"> {
  return tf.tidy(() => {
    const logits = network.logits.predict(tf.tensor2d(flatten(examples), [examples.length, PIXELS])) as tf.Tensor2D;
    const truth = examples.map((example) => example.label);
    const guesses = tf.argMax(logits, 1).dataSync();
    const right = truth.filter((label, at) => guesses[at] === label).length;
    const loss = tf.losses.softmaxCrossEntropy(oneHot(truth), logits);
    return { validationLoss: loss.dataSync()[0] as number, validationAccuracy: right / truth.length };
  });
}

function oneHot(labels: readonly number[]): tf.Tensor2D {
  return tf.oneHot(tf.tensor1d([...labels], "int32"), CLASSES.length) as tf.Tensor2D;
}
