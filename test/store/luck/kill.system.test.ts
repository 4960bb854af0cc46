import { expect, test } from "vitest";
import { temporary } from "../../git/repository.ts";
import { killSeeds } from "./kill.ts";
import { prepare } from "./scenes.ts";

/** Every scene twenty times; `kill.test.ts` plays the first seeds. */
const SEEDS = 220;

test("two hundred kills at random moments lose nothing", { timeout: 600_000 }, async () => {
  using folder = temporary();
  const prepared = await prepare(folder.path);
  const seeds = Array.from({ length: SEEDS }, (_, seed) => seed);
  expect(await killSeeds(prepared, folder.path, seeds, 2)).toBeGreaterThan(SEEDS / 2);
});
