import { expect, test } from "vitest";
import { temporary } from "../../git/repository.ts";
import { killSeeds } from "./kill.ts";
import { prepare, SCENES } from "./scenes.ts";

/** Together every scene twenty times. */
test.each([
  { large: false, rounds: 14 },
  { large: true, rounds: 6 },
])("kills at random moments lose nothing: %o", { timeout: 600_000 }, async ({ large, rounds }) => {
  using folder = temporary();
  const prepared = await prepare(folder.path, { large });
  const seeds = Array.from(
    { length: rounds * SCENES.length },
    (_, seed) => (large ? 1_000_000 * SCENES.length : 0) + seed,
  );
  // When a machine is slow in fits, many a kill comes before the work or after it.
  expect(await killSeeds(prepared, folder.path, seeds, 2)).toBeGreaterThan(seeds.length / 4);
});
