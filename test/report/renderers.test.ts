import fc from "fast-check";
import { expect, test } from "vitest";
import { SECTIONS } from "../../src/config/index.ts";
import { BINARY } from "../metrics/helpers.ts";
import { report, runRecord } from "./fixture.ts";
import { expectHarmless, shapesOf } from "./harmless.ts";
import { HOSTILE_TEXTS, SPARKS } from "./hostile-texts.ts";
import { poison } from "./poison.ts";

const texts = HOSTILE_TEXTS.map(([, text]) => text);
const compared = report({
  evaluation: { ...BINARY, metrics: ["accuracy", "no_such_metric"] },
  sections: [...SECTIONS],
});
const [first, ...stages] = runRecord().stages;
const failed = report({
  models: [],
  failures: ["boom"],
  pipelines: [
    { head: runRecord({ ok: false, stages: [{ ...first!, status: "failed" }, ...stages] }), base: null, notes: [] },
  ],
});
const benign = {
  compared: await shapesOf(poison(compared, ["word"])),
  failed: await shapesOf(poison(failed, ["word"])),
};

test("poison reaches every text, also of lists that are empty", () => {
  const poisoned = JSON.stringify(poison(compared, ["☠"]));
  for (const text of ["accuracy", "evaluate", "train.epochs", "more-epochs"]) expect(poisoned).not.toContain(text);
  expect(poison(compared, ["☠"])).toMatchObject({ failures: ["☠"], notes: ["☠"], state: "compared" });
});

// Each text in other places each time; the system test has each in every place.
test.each([0, 1, 2, 3].map((part) => (part * texts.length) >> 2))(
  "hostile texts from %i on only stand there",
  async (from) => {
    await expectHarmless(poison(compared, texts, from), benign.compared);
  },
);

test("so they do in a failure", async () => {
  await expectHarmless(poison(failed, texts), benign.failed);
});

test("and whatever is put together of their parts", async () => {
  const text = fc.string({ unit: fc.constantFrom(...SPARKS), maxLength: 24 });
  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: 8, maxLength: 8 }), async (some) =>
      expectHarmless(poison(compared, some), benign.compared),
    ),
    { seed: 5, numRuns: 3 },
  );
});
