import fc from "fast-check";
import { test } from "vitest";
import { holds, scenarios } from "./property.ts";

/** Another graph each day; PROPERTY_SEED brings one back. fast-check prints the seed and the smallest example. */
const seed = Number(process.env["PROPERTY_SEED"] ?? Math.floor(Date.now() / 86_400_000));

test(`the run does what the plan said: 500 graphs and edits (seed ${seed})`, { timeout: 900_000 }, async () => {
  console.log(`PROPERTY_SEED=${seed}`);
  await fc.assert(fc.asyncProperty(scenarios, holds), { numRuns: 500, seed });
});
