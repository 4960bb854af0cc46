/**
 * Measures Lockstep beside its peers: `npm run bench -- data` (or pipeline, or report). Everything happens in a temporary folder that is gone
 * at the end; TMPDIR says where.
 */
import { readFileSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { largeCases, smallCases, tinyCases } from "./cases.ts";
import type { Case, Sides } from "./cases.ts";
import { compete } from "./compete.ts";
import { large, small, tiny } from "./dataset.ts";
import type { Dataset } from "./dataset.ts";
import { Lockstep, installLockstep } from "./lockstep.ts";
import { machineOf } from "./machine.ts";
import { PEERS, peerSides } from "./peers.ts";
import { Place } from "./place.ts";
import { alignedTable, entrantRows, facts, intoDocument, reportOf, summaryRows } from "./report.ts";
import { pipelineCases } from "./pipeline-cases.ts";
import { reportCases } from "./report-cases.ts";
import type { BenchReport, CaseReport, Suite } from "./report.ts";

const HELP = `Lockstep beside dvc, git-lfs, rclone and scikit-learn, and beside what the machine can do at all.

  npm run bench -- data|pipeline|report [--cases a,b] [--runs N] [--scale F] [--json FILE] [--markdown FILE] [--peers DIR]

  --cases a,b       data: add-small status-small push-small pull-small pull-one add-large edit-large add-tiny status-tiny
                    pipeline: run-rows plan-rows status-rows dag-items plan-items run-items jobs run-many force-many runs-list
                    report: verdict post html-digits html-large read-csv read-jsonl read-parquet
  --runs N          of each entrant (default 5)
  --scale F         share of the data, stages or predictions: 0.01 is a trial (default 1: of data, 40 GB of disk, and hours)
  --json FILE       every sample, and the facts of the machine; written again after each case
  --markdown FILE   a document whose part between <!-- figures of data --> and <!-- /figures of data --> is replaced
  --peers DIR       folder of programs that goes before PATH, such as the bin folder of a Python environment
  --lockstep DIR    another checkout to measure in place of this one
  --without a,b     peers to leave out
  --limit SECONDS   after which one run is ended and counts as "more than that" (default 900)
  --budget SECONDS  that all runs of one entrant in one case may take (default 1800)`;

/** Bytes at full size. Of data: the large file, what three tools keep of it, the S3 server's copies. */
const DISK: Readonly<Record<Suite, number>> = { data: 40e9, pipeline: 1e9, report: 4e9 };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    cases: { type: "string" },
    runs: { type: "string", default: "5" },
    scale: { type: "string", default: "1" },
    json: { type: "string" },
    markdown: { type: "string" },
    peers: { type: "string" },
    lockstep: { type: "string", default: resolve(import.meta.dirname, "..", "..") },
    without: { type: "string", default: "" },
    limit: { type: "string", default: "900" },
    budget: { type: "string", default: "1800" },
    help: { type: "boolean", short: "h" },
  },
});
const [runs, scale, limit, budget] = [values.runs, values.scale, values.limit, values.budget].map(Number) as [
  number,
  number,
  number,
  number,
];
const suite = positionals.join(" ") as Suite;
const say = (line: string): void => console.error(line);

if (values.help === true) console.log(HELP);
else process.exitCode = await main();

async function main(): Promise<number> {
  const { bavail, bsize } = statfsSync(tmpdir());
  if (!Object.hasOwn(DISK, suite) || ![runs, scale, limit, budget].every((value) => value > 0)) {
    say(HELP);
    return 2;
  }
  if (bavail * bsize < DISK[suite] * scale) {
    say(`${tmpdir()} has ${gigabytes(bavail * bsize)} free and needs ${gigabytes(DISK[suite] * scale)}: set TMPDIR`);
    return 2;
  }
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
  await using place = await Place.open({
    ...(values.peers === undefined ? {} : { peers: resolve(values.peers) }),
    limit: 2 * limit,
  });
  try {
    return finish(await bench(place, stop.signal));
  } catch (error) {
    if (stop.signal.aborted) return 130;
    throw error;
  }
}

async function bench(place: Place, signal: AbortSignal): Promise<BenchReport> {
  const program = installLockstep(place, resolve(values.lockstep));
  const wanted = PEERS.filter(
    ({ suites, tool }) => suites.includes(suite) && !values.without.split(",").includes(tool),
  );
  const peers = wanted.map((peer) => ({
    ...peer,
    says: place.version(peer.version) ?? null,
  }));
  for (const { tool, how, says } of peers) {
    if (says === null) say(`${tool} is not there and is left out. To install it: ${how}`);
  }
  const here = peers.filter(({ says }) => says !== null).map(({ tool }) => tool);
  const done: CaseReport[] = [];
  const report: BenchReport = {
    benchVersion: 1,
    suite,
    scale,
    runs,
    machine: machineOf(place),
    versions: {
      lockstep: place.version(["git", "-C", resolve(values.lockstep), "describe", "--always", "--dirty"]) ?? null,
      node: process.version,
      ...Object.fromEntries(peers.map(({ tool, says }) => [tool, says])),
      git: place.version(["git", "--version"]) ?? null,
      openssl: place.version(["openssl", "version"]) ?? null,
    },
    cases: done,
  };
  for (const line of facts(report)) say(line);

  const sides = async (dataset: Dataset, tools = here): Promise<Sides> => ({
    ours: new Lockstep(place, program, dataset, await place.s3.bucket()),
    peers: await peerSides(place, dataset, tools),
  });
  const data: readonly (() => Promise<Case[]>)[] = [
    async () => smallCases(place, await sides(small(scale))),
    async () => largeCases(place, await sides(large(scale))),
    // A million files take the others too long to have them all.
    async () => tinyCases(place, await sides(tiny(scale), here.includes("dvc") ? ["dvc"] : [])),
  ];
  const pipeline = [async () => pipelineCases({ place, program, dvc: here.includes("dvc"), scale })];
  const reporting = [async () => reportCases({ place, program, sklearn: here.includes("scikit-learn"), scale, runs })];
  const chosen = values.cases?.split(",");
  for (const family of { data, pipeline, report: reporting }[suite]) {
    for (const each of await family()) {
      if (chosen !== undefined && !chosen.includes(each.name)) continue;
      say(`${each.name}: ${each.title}`);
      const settle = (): void => place.settle();
      done.push(reportOf(each, await compete(each, { runs, limit, budget, settle, say, signal })));
      if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
    }
    place.removeRepositories();
  }
  return report;
}

/** Prints what came out. Not to reach an aim is no failure; not to do the job is one. */
function finish(report: BenchReport): number {
  for (const each of report.cases) console.log(`\n${each.name}: ${each.title}\n${alignedTable(entrantRows(each))}`);
  console.log(`\n${facts(report).join("\n")}\n\n${alignedTable(summaryRows(report.cases))}`);
  if (values.markdown !== undefined) {
    writeFileSync(values.markdown, intoDocument(readFileSync(values.markdown, "utf8"), report));
  }
  const ours = report.cases.flatMap(({ outcomes }) => outcomes.filter(({ role }) => role === "ours"));
  return ours.every(({ samples }) => samples.length > 0) ? 0 : 1;
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
