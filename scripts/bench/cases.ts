import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { factAtMost, memoryUnder, timesFasterThan, timesLimit, underSeconds } from "./aim.ts";
import type { Aim } from "./aim.ts";
import type { Entrant, Facts, Role } from "./compete.ts";
import { editMiddle } from "./generate.ts";
import type { Lockstep } from "./lockstep.ts";
import type { Command } from "./measure.ts";
import type { Place } from "./place.ts";
import type { Side, Variant } from "./side.ts";

/** One row of the table of figures. */
export interface Case {
  readonly name: string;
  readonly title: string;
  readonly entrants: readonly Entrant[];
  readonly aims: readonly Aim[];
  readonly inTurn?: boolean;
}

/** The sides of one dataset. */
export interface Sides {
  readonly ours: Lockstep;
  readonly peers: readonly Side[];
}

const EDIT = 1_000_000;
const SHA = "read + SHA-256 (openssl)";
const TAR = "tar | tee | SHA-256 (openssl)";
const FIND = "find -printf '%T@ %s'";
const START = "start-up (lockstep help)";

export function smallCases(place: Place, sides: Sides): Case[] {
  const { ours, peers } = sides;
  const { dataset } = ours;
  const all = [ours, ...peers];
  const hash = `find ${dataset.target} -type f -print0 | xargs -0 openssl dgst -sha256 -r > /dev/null`;
  const sha = limit(ours, SHA, place.shell(ours.repository, hash));
  const files = `${dataset.files.toLocaleString("en")} files of 3 KB`;
  return [
    {
      name: "add-small",
      title: `add ${files}`,
      entrants: [...all.flatMap((side) => adding(side)), tarLimit(place, ours), sha],
      aims: [
        timesFasterThan(5, /^dvc add/, "dvc add"),
        timesLimit(2, TAR, "under twice reading + hashing + writing one tar"),
      ],
    },
    {
      name: "status-small",
      title: `status, nothing changed, ${files}`,
      entrants: [...all.flatMap((side) => looking(side)), findLimit(place, ours), startLimit(ours)],
      aims: [
        timesFasterThan(10, /^dvc/, "dvc status / data status"),
        timesLimit(2, FIND, "under 2 times find plus start-up", START),
      ],
    },
    {
      name: "push-small",
      title: `push ${files} to an empty S3 bucket`,
      entrants: [...all.flatMap((side) => pushing(side)), sha],
      aims: [timesFasterThan(10, /^dvc/, "dvc push"), factAtMost("objects", 50, "objects", "at most 50 objects")],
    },
    {
      name: "pull-small",
      title: `pull ${files} from S3 into an empty clone`,
      entrants: [...all.flatMap((side) => pulling(side)), sha],
      aims: [timesFasterThan(5, /^dvc/, "dvc pull")],
    },
    {
      name: "pull-one",
      title: `pull 1 of ${dataset.files.toLocaleString("en")} files by path into an empty clone`,
      entrants: [...all.flatMap((side) => pullingOne(place, side)), startLimit(ours)],
      aims: [underSeconds(1), factAtMost("requests", 4, "requests", "under 5 requests")],
    },
  ];
}

export function largeCases(place: Place, sides: Sides): Case[] {
  const { ours, peers } = sides;
  const { dataset } = ours;
  const size = `${dataset.bytes / 1e9} GB`;
  const sha = limit(ours, SHA, place.shell(ours.repository, `openssl dgst -sha256 ${dataset.target} > /dev/null`));
  return [
    {
      name: "add-large",
      title: `add one file of ${size}`,
      entrants: [...[ours, ...peers].flatMap((side) => adding(side)), sha],
      aims: [timesLimit(1.5, SHA, "within 1.5 times SHA-256 of the file")],
    },
    {
      name: "edit-large",
      title: `add and push after an edit of 1 MB in the middle of ${size}`,
      inTurn: true,
      entrants: [...[ours, ...peers].map((side) => editing(place, side)), sha],
      aims: [
        factAtMost("sent", 32, "MB", "at most 32 MB sent"),
        factAtMost("stored", 32, "MB", "at most 32 MB stored at the remote"),
        factAtMost("cached", 32, "MB", "at most 32 MB stored locally"),
      ],
    },
  ];
}

export function tinyCases(place: Place, sides: Sides): Case[] {
  const { ours, peers } = sides;
  const { dataset } = ours;
  const files = `${dataset.files.toLocaleString("en")} files of 100 bytes`;
  return [
    {
      name: "add-tiny",
      title: `add ${files}`,
      inTurn: true,
      entrants: [tarLimit(place, ours), ...adding(ours), ...peers.flatMap((side) => adding(side))],
      aims: [memoryUnder(700)],
    },
    {
      name: "status-tiny",
      title: `status, nothing changed, ${files}`,
      entrants: [...looking(ours), findLimit(place, ours), startLimit(ours)],
      aims: [memoryUnder(700), underSeconds(12)],
    },
  ];
}

function adding(side: Side): Entrant[] {
  return each(side, side.add(), {
    prepare() {
      side.forget();
      side.warm();
    },
    facts() {
      const { bytes } = side.cached();
      side.clear(); // four copies of a large file would drive it out of memory
      return { cached: bytes };
    },
    finish() {
      side.clear();
      // Whoever was killed in the middle may have moved files away already.
      side.dataset.discard(side.repository);
    },
  });
}

function looking(side: Side): Entrant[] {
  return each(side, side.status(), { setup: () => side.ensureAdded() });
}

function pushing(side: Side): Entrant[] {
  return each(side, side.push(), {
    setup: () => side.ensureAdded(),
    prepare: () => side.emptyRemote(),
    facts() {
      side.pushed();
      const { files, bytes } = side.remote();
      return { objects: files, bytes };
    },
  });
}

function pulling(side: Side): Entrant[] {
  const { target } = side.dataset;
  return each(side, side.pull(), {
    setup: () => side.ensurePushed(),
    prepare: () => side.emptyClone(),
    check: () => side.holdsSame(target),
  });
}

function pullingOne(place: Place, side: Side): Entrant[] {
  const { sample } = side.dataset;
  let before = place.proxy.traffic();
  return each(side, side.pullOne(sample), {
    setup: () => side.ensurePushed(),
    prepare() {
      side.emptyClone();
      mkdirSync(dirname(join(side.clone, sample)), { recursive: true });
      before = place.proxy.traffic();
    },
    facts() {
      if (!side.speaksS3) return {};
      const { requests, received } = place.proxy.traffic();
      return { requests: requests - before.requests, received: received - before.received };
    },
    check: () => side.holdsSame(sample),
  });
}

function editing(place: Place, side: Side): Entrant {
  const { dataset, repository } = side;
  const counts = (): Facts => ({
    ...(side.speaksS3 ? { sent: place.proxy.traffic().sent } : {}),
    stored: side.remote().bytes,
    cached: side.cached().bytes,
  });
  let before: Facts = {};
  return {
    name: `${side.tool}, add and push`,
    role: roleOf(side),
    setup: () => side.ensurePushed(),
    prepare(run) {
      editMiddle(join(repository, dataset.target), dataset.bytes, EDIT, `${side.tool} ${run}`);
      before = counts();
    },
    commands: () => side.publish(),
    facts: () => Object.fromEntries(Object.entries(counts()).map(([name, value]) => [name, value - before[name]!])),
    finish: () => side.clear(),
    ...(roleOf(side) === "peer" ? { only: { runs: 1, because: "each run stores the whole file once more" } } : {}),
  };
}

function each(side: Side, variants: readonly Variant[], steps: Omit<Entrant, "name" | "role" | "commands">): Entrant[] {
  return variants.map(({ name, commands }) => ({ ...steps, name, role: roleOf(side), commands: () => commands }));
}

function limit(side: Side, name: string, command: Command): Entrant {
  return { name, role: "limit", prepare: () => side.warm(), commands: () => [command] };
}

function tarLimit(place: Place, side: Side): Entrant {
  const file = join(place.folder, "limit.tar");
  const command = place.shell(side.repository, `tar -cf - ${side.dataset.target} | tee ${file} | openssl dgst -sha256`);
  return {
    ...limit(side, TAR, command),
    prepare() {
      side.warm();
      place.remove(file);
    },
    finish: () => place.remove(file),
  };
}

function findLimit(place: Place, side: Side): Entrant {
  return limit(
    side,
    FIND,
    place.shell(side.repository, `find ${side.dataset.target} -type f -printf '%T@ %s\\n' > /dev/null`),
  );
}

function startLimit(side: Lockstep): Entrant {
  return { name: START, role: "limit", commands: () => [side.start()] };
}

function roleOf(side: Side): Role {
  return side.tool === "lockstep" ? "ours" : "peer";
}
