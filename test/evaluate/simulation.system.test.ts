/**
 * The verdict's promises, held against simulated pull requests. Seeds are fixed, so that a failure is a change of the
 * method and not of the dice; `scripts/simulate.ts` does the same with more of them and prints docs/verdict.md's tables.
 */
import { expect, test } from "vitest";
import { normalQuantile, normalTail } from "../../src/statistics/index.ts";
import { powers, searched, slicesCalled } from "./powers.ts";
import { FAMILIES } from "./scenarios.ts";
import { sharesOf } from "./shares.ts";
import type { Shares } from "./shares.ts";
import { meanChange } from "./simulated.ts";

const timeout = 600_000;
const CHANGES = 150;

/** What a share of `changes` may be by chance, 999 times of 1,000, when it is `share` in truth. */
function above(share: number, changes: number): number {
  return share - normalQuantile(0.001) * Math.sqrt((share * (1 - share)) / changes);
}

/** The same, 9,999 times of 10,000: where a hundred of them are looked at. */
function farAbove(share: number, changes: number): number {
  return share - normalQuantile(0.0001) * Math.sqrt((share * (1 - share)) / changes);
}

let [called, simulated] = [0, 0];

test.each(FAMILIES)("no effect, $title: at most 5 % are called, intervals cover 95 %", { timeout }, (family) => {
  const changes = family.costly ? 50 : CHANGES;
  for (const scenario of family.scenarios) {
    const shares: Shares = sharesOf(scenario, changes);
    console.log(`${scenario.name}, ${changes} changes: ${JSON.stringify(shares)}`);
    expect(shares.called, scenario.name).toBeLessThanOrEqual(above(0.05, changes));
    called += shares.called * changes;
    simulated += changes;
    // 1.5 points, and what chance adds to them.
    const most = farAbove(0.065, changes);
    for (const [metric, share] of Object.entries(shares.covered))
      if (scenario.covers) expect(1 - share, `${scenario.name}, ${metric}`).toBeLessThanOrEqual(most);
  }
});

test("of all of these, at most 5 % are called better or worse", () => {
  console.log(`called: ${called} of ${simulated}`);
  expect(simulated).toBeGreaterThanOrEqual(2_000);
  expect(called / simulated).toBeLessThanOrEqual(0.05);
});

test("intervals cover 95 % within 1.5 points", { timeout }, () => {
  const scenarios = FAMILIES[0]!.scenarios.filter(({ name }) => name.endsWith(", 200 examples"));
  expect(scenarios).toHaveLength(3);
  for (const scenario of scenarios) {
    const { covered } = sharesOf(scenario, 1_000);
    console.log(scenario.name, covered);
    // Half a point is one standard deviation of what chance adds, and ten intervals are looked at.
    for (const [metric, share] of Object.entries(covered))
      expect(Math.abs(share - 0.95), `${scenario.name}, ${metric}`).toBeLessThanOrEqual(0.015 + 0.01);
  }
});

test.each(powers())("$name is found as often as theory says", { timeout }, ({ name, theory, found }) => {
  const changes = 800;
  const share = found(changes);
  console.log(`${name}: ${share}, theory ${theory}`);
  expect(Math.abs(share - theory)).toBeLessThanOrEqual(0.02 + 2.5 * Math.sqrt((theory * (1 - theory)) / changes));
});

test("a difference as large as the margin is called equivalent at most 5 % of the time", { timeout }, () => {
  const margins = { mae: 0.25 };
  const equivalent = (mean: number, changes: number): number =>
    sharesOf(
      {
        name: `mean ${mean}, margin 0.25`,
        metrics: ["mae"],
        make: (change, random) => meanChange(200, change, random, mean),
      },
      changes,
      mean,
      margins,
    ).equivalent;
  expect(equivalent(0.25, 1_000)).toBeLessThanOrEqual(above(0.05, 1_000));
  // Two one-sided tests at 5 %, of z with mean 0.25 * sqrt(200) = 3.54; less the 5 % that are called.
  const theory = 1 - 2 * normalTail(0.25 * Math.sqrt(200) - 1.653);
  expect(equivalent(0, 500)).toBeGreaterThan(theory - 0.05 - 0.02);
});

test("many slices, one family: Holm's errors and Benjamini and Hochberg's", { timeout }, () => {
  const holm = slicesCalled(200);
  const nothing = searched(1_000, 0);
  const something = searched(1_000, 0.5);
  console.log({ holm, nothing, something });
  expect(holm).toBeLessThanOrEqual(above(0.05, 200));
  expect(nothing.false).toBeLessThanOrEqual(above(0.05, 1_000));
  expect(something.false).toBeLessThanOrEqual(above(0.05, 1_000));
  expect(something.found).toBeGreaterThan(0.2);
});
