import * as ort from "onnxruntime-node";
import { FEATURES } from "./customers.ts";
import type { Example } from "./prepare.ts";
import { valueOf } from "./value.ts";
import type { Offer, Value } from "./value.ts";

type Cells = Readonly<Record<keyof Example, string>>;
type Row = Record<string, string | number>;

interface Evaluated {
  readonly metrics: { readonly test: Value; readonly later: Value };
  readonly predictions: Row[];
  readonly reference: Row[];
}

/** Asks the exported file itself, as the server will, and counts what its answers are worth. */
export async function evaluate(
  {
    model,
    test,
    later,
  }: { readonly model: Uint8Array; readonly test: readonly Cells[]; readonly later: readonly Cells[] },
  { offer }: { readonly offer: Offer },
): Promise<Evaluated> {
  const [probabilities, after] = [await probabilitiesOf(model, test), await probabilitiesOf(model, later)];
  const judged = (rows: readonly Cells[], found: readonly number[]): Value =>
    valueOf(
      rows.map(({ monthly_fee, churned }, at) => ({
        fee: Number(monthly_fee),
        probability: found[at]!,
        churned: churned === "1",
      })),
      offer,
    );
  return {
    metrics: { test: judged(test, probabilities), later: judged(later, after) },
    predictions: test.map(({ id, region, plan, tenure_band, monthly_fee, churned }, at) => ({
      id,
      churned,
      predicted: classOf(probabilities[at]!),
      probability: probabilities[at]!,
      region,
      plan,
      tenure_band,
      monthly_fee,
    })),
    // What the model sees and says when all is well, under the names that the server's log has.
    reference: test.map((cells, at) => ({
      ...Object.fromEntries(FEATURES.map((_, index) => [`features.${index}`, cells[`features.${index}`]])),
      "probability.0": probabilities[at]!,
      prediction: classOf(probabilities[at]!),
    })),
  };
}

/** As the server decides between two classes. */
function classOf(probability: number): string {
  return probability >= 0.5 ? "1" : "0";
}

async function probabilitiesOf(model: Uint8Array, rows: readonly Cells[]): Promise<number[]> {
  const values = Float32Array.from(rows.flatMap((cells) => FEATURES.map((_, at) => Number(cells[`features.${at}`]))));
  const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  try {
    const features = new ort.Tensor("float32", values, [rows.length, FEATURES.length]);
    const { probability } = await session.run({ features });
    // Single precision has about seven digits; more would be noise.
    return Array.from(probability!.data as Float32Array, (value) => Number(value.toPrecision(7)));
  } finally {
    await session.release();
  }
}
