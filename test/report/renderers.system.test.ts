import fc from "fast-check";
import { expect, test } from "vitest";
import { SECTIONS } from "../../src/config/index.ts";
import { BINARY } from "../metrics/helpers.ts";
import { report } from "./fixture.ts";
import { expectHarmless, shapesOf } from "./harmless.ts";
import { HOSTILE_TEXTS, SPARKS } from "./hostile-texts.ts";
import { poison } from "./poison.ts";

const compared = report({
  evaluation: { ...BINARY, metrics: ["accuracy", "no_such_metric"] },
  sections: [...SECTIONS],
});
const benign = await shapesOf(poison(compared, ["word"]));

test.each(HOSTILE_TEXTS)("%s, in every place at once", { timeout: 60_000 }, async (_, text) => {
  await expectHarmless(poison(compared, [text]), benign);
});

test("there are at least 40 of them, all different", () => {
  expect(new Set(HOSTILE_TEXTS.map(([, text]) => text)).size).toBeGreaterThanOrEqual(40);
});

test("two thousand texts put together of their parts", { timeout: 600_000 }, async () => {
  const text = fc.string({
    unit: fc.oneof(fc.constantFrom(...SPARKS), fc.string({ unit: "binary", maxLength: 2 })),
    maxLength: 30,
  });
  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: 20, maxLength: 20 }), async (some) =>
      expectHarmless(poison(compared, some), benign),
    ),
    { seed: 7, numRuns: 100 },
  );
});
