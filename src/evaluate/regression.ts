import { weightedMean } from "./binary.ts";
import type { Metric, Weighted } from "./metric.ts";
import type { Predictions, RegressionPredictions } from "./predictions.ts";

export const REGRESSION: readonly Metric[] = [
  {
    name: "mae",
    direction: "lower",
    needsScore: false,
    prepare: (from) => weightedMean(errors(regression(from), Math.abs)),
  },
  {
    name: "rmse",
    direction: "lower",
    needsScore: false,
    prepare: (from) => {
      const squares = weightedMean(errors(regression(from), (error) => error ** 2));
      return (weights) => {
        const mean = squares(weights);
        return mean === null ? null : Math.sqrt(mean);
      };
    },
  },
  { name: "r2", direction: "higher", needsScore: false, prepare: (from) => r2(regression(from)) },
];

/** Undefined where all labels are equal: there is no variance to explain. */
function r2(from: RegressionPredictions): Weighted {
  const { label } = from;
  const meanLabel = weightedMean(label);
  const squares = weightedMean(errors(from, (error) => error ** 2));
  return (weights) => {
    const centre = meanLabel(weights);
    const residual = squares(weights);
    if (centre === null || residual === null) return null;
    let spread = 0;
    let total = 0;
    for (let row = 0; row < label.length; row++) {
      spread += (weights[row] as number) * ((label[row] as number) - centre) ** 2;
      total += weights[row] as number;
    }
    return spread === 0 ? null : 1 - (residual * total) / spread;
  };
}

function errors({ label, prediction }: RegressionPredictions, of: (error: number) => number): Float64Array {
  return Float64Array.from(label, (truth, row) => of((prediction[row] ?? 0) - truth));
}

function regression(from: Predictions): RegressionPredictions {
  if (from.task !== "regression") throw new TypeError(`predictions of a ${from.task} task`);
  return from;
}
