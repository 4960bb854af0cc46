import { expect, test } from "vitest";
import { temporary } from "../../git/repository.ts";
import { killSeeds } from "./kill.ts";
import { prepare, SCENES } from "./scenes.ts";

test(
  "a kill at a random moment leaves everything whole, and the same command finishes",
  { timeout: 240_000 },
  async () => {
    using folder = temporary();
    const prepared = await prepare(folder.path, { large: false });
    const seeds = Array.from({ length: SCENES.length }, (_, seed) => seed);
    expect(await killSeeds(prepared, folder.path, seeds, 2)).toBeGreaterThan(SCENES.length / 4);
  },
);
