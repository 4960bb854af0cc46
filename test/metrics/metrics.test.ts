import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { mcnemar } from "../../src/evaluate/index.ts";
import { directionOf, findMetric, metricOf, metricsOf } from "../../src/metrics/index.ts";
import { BINARY, binary, MULTICLASS, predictions, REGRESSION } from "./helpers.ts";
import { disagreements, predictionsOf } from "./judged.ts";
import type { Case as Judged } from "./judged.ts";

interface Case {
  readonly name: string;
  readonly task: "binary" | "multiclass" | "regression";
  readonly label: readonly (string | number)[];
  readonly prediction: readonly (string | number)[];
  readonly score?: readonly number[];
  readonly scores?: readonly (readonly number[])[];
  readonly classes?: readonly string[];
  readonly weights?: readonly number[];
  readonly plain: Readonly<Record<string, number | null>>;
  readonly weighted?: Readonly<Record<string, number | null>>;
}
interface Golden {
  readonly cases: readonly Case[];
  readonly mcnemar: readonly (readonly [number, number, number])[];
}

/** Values of scikit-learn, scipy and numpy; `golden/make.py` makes them. */
const golden = JSON.parse(readFileSync(new URL("golden/golden.json", import.meta.url), "utf8")) as Golden;

function csv(one: Case): string {
  const head = ["id", "label", "prediction"];
  if (one.score !== undefined) head.push("score");
  head.push(...(one.classes ?? []).map((name) => `p_${name}`));
  const rows = one.label.map((label, row) => [
    row,
    label,
    one.prediction[row],
    ...(one.score === undefined ? [] : [one.score[row]]),
    ...(one.scores?.[row] ?? []),
  ]);
  return [head, ...rows].map((cells) => cells.join(",")).join("\n");
}

const EVALUATION = { binary: BINARY, multiclass: MULTICLASS, regression: REGRESSION };

test.each(golden.cases)("$task: $name has scikit-learn's values", async (one) => {
  const read = await predictions(csv(one), EVALUATION[one.task]);
  for (const [name, value] of Object.entries(one.plain)) {
    if (value === null) expect(metricOf(read, name), name).toBeNull();
    else expect(metricOf(read, name), name).toBeCloseTo(value, 9);
  }
  for (const [name, value] of Object.entries(one.weighted ?? {})) {
    const weighted = findMetric(one, name)?.prepare(read)(one.weights ?? []);
    if (value === null) expect(weighted, name).toBeNull();
    else expect(weighted, name).toBeCloseTo(value, 9);
  }
});

/** `judge.py few` makes it. */
const judged = JSON.parse(readFileSync(new URL("golden/judged.json", import.meta.url), "utf8")) as {
  readonly cases: readonly Judged[];
};

test.each(judged.cases)("$name: every metric has the judge's value", (one) => {
  expect(disagreements(predictionsOf(one), one.values, one.name)).toEqual([]);
});

test("exact McNemar has scipy's p-values", () => {
  for (const [fixed, broken, p] of golden.mcnemar) {
    expect(mcnemar(fixed, broken) / (p === 0 ? 1 : p), `${fixed} ${broken}`).toBeCloseTo(p === 0 ? 0 : 1, 8);
    expect(mcnemar(broken, fixed)).toBe(mcnemar(fixed, broken));
  }
});

test("a weight counts as repeating the example", () => {
  const example = fc.record({ label: fc.nat(1), score: fc.nat(10), weight: fc.nat(3) });
  fc.assert(
    fc.property(fc.array(example, { minLength: 1, maxLength: 25 }), (examples) => {
      const of = (list: typeof examples): ReturnType<typeof binary> =>
        binary(
          list.map(({ label }) => label),
          (row) => (list[row]?.score ?? 0) / 10,
        );
      const repeated = of(examples.flatMap((one) => Array.from({ length: one.weight }, () => one)));
      for (const name of ["accuracy", "f1", "precision", "recall", "roc_auc", "brier", "log_loss"]) {
        const weighted = findMetric(BINARY, name)?.prepare(of(examples))(examples.map(({ weight }) => weight));
        const plain = metricOf(repeated, name);
        if (plain === null) expect(weighted).toBeNull();
        else expect(weighted).toBeCloseTo(plain, 9);
      }
    }),
    { seed: 7, numRuns: 200 },
  );
});

test("what cannot be computed is left out, not made up", async () => {
  const { score: _, ...columns } = BINARY.columns;
  const read = await predictions("id,label,prediction\n1,1,1\n2,0,1\n", { ...BINARY, columns });
  expect(metricsOf(read, ["accuracy", "roc_auc", "log_loss", "mae", "latency"])).toEqual({ accuracy: 0.5 });
});

test("the direction of a number is told from its name, or not at all", () => {
  const names = [
    "accuracy",
    "test.log_loss",
    "val/macro_f1",
    "inference_ms",
    "rmse",
    "top-5_accuracy",
    "epochs",
    "loss_weight",
  ];
  expect(names.map(directionOf)).toEqual(["higher", "lower", "higher", "lower", "lower", "higher", null, null]);
});
