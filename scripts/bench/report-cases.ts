import { readFileSync } from "node:fs";
import { join } from "node:path";
import { factAtMost, memoryUnder, timesFasterThan, underSeconds } from "./aim.ts";
import type { Case } from "./cases.ts";
import type { Entrant } from "./compete.ts";
import { CommandFailed } from "./measure.ts";
import type { Command } from "./measure.ts";
import { LARGE } from "./page/large.ts";
import type { Place } from "./place.ts";
import { postCase } from "./post-case.ts";
import { METRICS, SLICES, writeSides } from "./verdict/data.ts";

const ROWS = 1_000_000;
const RESAMPLES = 1_000;
/** Samples of the peer that are timed: all of them would take it hours. */
const TIMED = 4;
/** Rows of a file of predictions that is only read. */
const READ = 10_000_000;

export interface ReportBench {
  readonly place: Place;
  /** The file to start. */
  readonly program: string;
  readonly sklearn: boolean;
  readonly scale: number;
  readonly runs: number;
}

/** What is asked of the report. */
export function reportCases(bench: ReportBench): Case[] {
  return [
    verdictCase(bench),
    postCase(bench),
    pageCase(bench, "digits", "the page of a report with one model and 4 plots"),
    pageCase(
      bench,
      "large",
      `the page of a report with ${LARGE.metrics} metrics, ${LARGE.slices} slices and ${LARGE.plots} plots`,
    ),
    ...["csv", "jsonl", "parquet"].map((format) => readCase(bench, format)),
  ];
}

function verdictCase({ place, sklearn, scale }: ReportBench): Case {
  const rows = Math.ceil(ROWS * scale);
  const folder = join(place.folder, "verdict");
  const setup = (): void => writeSides(folder, rows);
  const share = Math.min(TIMED, RESAMPLES);
  const peer: Entrant = {
    name: `scikit-learn and numpy (${share} of ${RESAMPLES.toLocaleString("en")} samples timed, scaled)`,
    role: "peer",
    setup,
    commands: () => {
      const args = [folder, `${RESAMPLES}`, `${share}`];
      return [place.command(place.folder, ["python3", join(import.meta.dirname, "verdict", "peer.py"), ...args])];
    },
    whole: (seconds) => {
      const { timed, of, seconds: drawing } = factsIn(join(folder, "peer.json"));
      return seconds - drawing! + (drawing! * of!) / timed!;
    },
  };
  return {
    name: "verdict",
    title:
      `verdict on ${rows.toLocaleString("en")} predictions of 2 sides, ${METRICS.length} metrics, ` +
      `${SLICES} slices, ${RESAMPLES.toLocaleString("en")} bootstrap samples`,
    entrants: [
      {
        name: "lockstep",
        role: "ours",
        setup,
        commands: () => [ours(place, "verdict", [folder, `${RESAMPLES}`])],
      },
      ...(sklearn ? [peer] : []),
    ],
    aims: [underSeconds(15), memoryUnder(1_000), timesFasterThan(5, /^scikit-learn/, "scikit-learn and numpy")],
  };
}

function pageCase({ place }: ReportBench, which: "digits" | "large", title: string): Case {
  const file = join(place.folder, `${which}.html`);
  return {
    name: `html-${which}`,
    title: `draw ${title}`,
    entrants: [
      {
        name: "lockstep",
        role: "ours",
        commands: () => [ours(place, "page", [file, which])],
        facts: () => factsIn(`${file}.json`),
      },
    ],
    aims: [factAtMost("bytes", 1, "MB", "a page of at most 1 MB")],
  };
}

function readCase({ place, scale }: ReportBench, format: string): Case {
  const rows = Math.ceil(READ * scale);
  const folder = join(place.folder, `read-${format}`);
  const make = join(import.meta.dirname, "read", "make.ts");
  return {
    name: `read-${format}`,
    title: `read ${rows.toLocaleString("en")} predictions from the store, ${format}`,
    entrants: [
      {
        name: "lockstep",
        role: "ours",
        setup: () => void place.run(place.command(place.folder, [process.execPath, make, folder, format, `${rows}`])),
        commands: () => [ours(place, "read", [folder, format])],
        check: () => {
          const read = JSON.parse(readFileSync(join(folder, "read.json"), "utf8")) as { rows: number; last: string };
          if (read.rows !== rows || read.last !== `user-${rows - 1}`)
            throw new CommandFailed(`it read ${read.rows} rows up to ${read.last}`);
        },
        facts: () => ({ "processor seconds": factsIn(join(folder, "read.json"))["processor"]! }),
        finish: () => place.remove(folder),
        only: { runs: 1, because: "it is measured for its memory" },
      },
    ],
    aims: [memoryUnder(1_000)],
  };
}

function ours(place: Place, folder: string, args: readonly string[]): Command {
  const program = join(import.meta.dirname, folder, "ours.ts");
  return place.command(place.folder, [process.execPath, program, ...args]);
}

function factsIn(file: string): Record<string, number> {
  return JSON.parse(readFileSync(file, "utf8")) as Record<string, number>;
}
