import { join } from "node:path";
import { memoryUnder, timesFasterThan, underSeconds } from "./aim.ts";
import type { Case } from "./cases.ts";
import type { Place } from "./place.ts";
import { METRICS, SLICES, writeSides } from "./verdict/data.ts";

const ROWS = 1_000_000;
const RESAMPLES = 1_000;

/** What is asked of the report. */
export function reportCases(bench: {
  readonly place: Place;
  readonly sklearn: boolean;
  readonly scale: number;
}): Case[] {
  const { place, sklearn, scale } = bench;
  const rows = Math.ceil(ROWS * scale);
  const folder = join(place.folder, "verdict");
  const program = (name: string): string => join(import.meta.dirname, "verdict", name);
  const args = [folder, `${RESAMPLES}`];
  const setup = (): void => writeSides(folder, rows);
  const peer = {
    name: "scikit-learn and numpy",
    role: "peer",
    setup,
    commands: () => [place.command(place.folder, ["python3", program("peer.py"), ...args])],
  } as const;
  return [
    {
      name: "verdict",
      title:
        `verdict on ${rows.toLocaleString("en")} predictions of 2 sides, ${METRICS.length} metrics, ` +
        `${SLICES} slices, ${RESAMPLES.toLocaleString("en")} bootstrap samples`,
      entrants: [
        {
          name: "lockstep",
          role: "ours",
          setup,
          commands: () => [place.command(place.folder, [process.execPath, program("ours.ts"), ...args])],
        },
        ...(sklearn ? [peer] : []),
      ],
      aims: [underSeconds(15), memoryUnder(1_000), timesFasterThan(5, /^scikit-learn/, "scikit-learn and numpy")],
    },
  ];
}
