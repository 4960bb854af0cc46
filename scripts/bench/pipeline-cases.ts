import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { memoryUnder, timesFasterThan, underSeconds } from "./aim.ts";
import type { Case } from "./cases.ts";
import type { Entrant } from "./compete.ts";
import { dvcState } from "./dvc-lock.ts";
import { items, many, rows, seconds, writeFiles } from "./graph.ts";
import type { Graph } from "./graph.ts";
import { CommandFailed } from "./measure.ts";
import type { Command } from "./measure.ts";
import type { Place } from "./place.ts";
import { runsCase } from "./runs.ts";

interface PipelineBench {
  readonly place: Place;
  /** The file to start. */
  readonly program: string;
  readonly dvc: boolean;
  /** Share of the stages. */
  readonly scale: number;
}

/** Ours beside `dvc`, each in a repository of its own with the same `dvc.yaml`. */
export function pipelineCases(bench: PipelineBench): Case[] {
  const [ten, each, slow, chains] = [rows(bench.scale), items(bench.scale), seconds(), many(bench.scale)];
  const stages = ({ stages: list }: Graph): string => list.length.toLocaleString("en");
  const inThem = new Sides(bench);
  const nothingToDo = (graph: Graph, what: string, aims: Case["aims"], args = ["run"], theirs = ["repro"]): Case => ({
    name: `${args[0]}-${graph.name}`,
    title: `${args[0]}, nothing changed, ${what}`,
    entrants: [inThem.ours(graph, args), ...inThem.theirs(graph, theirs)],
    aims,
  });
  const faster = (peer: string): Case["aims"] => [timesFasterThan(5, /^dvc/, peer), underSeconds(0.4)];
  const wide = `${stages(ten)} stages of 10 deps`;
  const foreach = `${stages(each)} items of a foreach`;
  const deep = `${stages(chains)} stages in chains of ten`;
  return [
    nothingToDo(ten, wide, faster("dvc repro")),
    nothingToDo(ten, wide, faster("dvc status"), ["plan"], ["status"]),
    nothingToDo(ten, wide, faster("dvc status"), ["status"], ["status"]),
    { ...nothingToDo(each, foreach, [underSeconds(2)], ["dag"], ["stage", "list"]), title: `parse ${foreach}` },
    nothingToDo(each, foreach, [underSeconds(2)], ["plan"], ["status"]),
    nothingToDo(each, foreach, [underSeconds(2)]),
    {
      name: "jobs",
      title: `run ${stages(slow)} stages of a second that do not need each other`,
      entrants: [inThem.ours(slow, ["run", "--force", "--jobs", "8"]), ...inThem.theirs(slow, ["repro", "--force"])],
      aims: [underSeconds(1.5)],
    },
    nothingToDo(chains, deep, [memoryUnder(400)]),
    {
      name: "force-many",
      title: `run ${deep}, all of them`,
      entrants: [
        { ...inThem.ours(chains, ["run", "--force"]), only: { runs: 1, because: "it is measured for its memory" } },
      ],
      aims: [memoryUnder(400)],
    },
    runsCase(bench.place, bench.program, bench.scale),
  ];
}

class Sides {
  readonly #bench: PipelineBench;
  readonly #ready = new Set<string>();

  constructor(bench: PipelineBench) {
    this.#bench = bench;
  }

  ours(graph: Graph, args: readonly string[]): Entrant {
    const { place, program } = this.#bench;
    const folder = join(place.folder, `lockstep-${graph.name}`);
    const lockstep = (words: readonly string[]): Command =>
      place.command(folder, [process.execPath, program, "--quiet", ...words]);
    return {
      name: `lockstep ${args.join(" ")}`,
      role: "ours",
      setup: () => this.#once(folder, lockstep(["help"]), graph.files, lockstep(["run"])),
      commands: () => [lockstep(args)],
      check: () => upToDate(place.run(lockstep(["status"])), "nothing changed"),
    };
  }

  /** Nobody, where there is no dvc. */
  theirs(graph: Graph, args: readonly string[]): Entrant[] {
    const { place } = this.#bench;
    if (!this.#bench.dvc) return [];
    const folder = join(place.folder, `dvc-${graph.name}`);
    const dvc = (words: readonly string[]): Command =>
      place.command(folder, ["dvc", ...words], { DVC_SITE_CACHE_DIR: `${folder}-site` });
    const entrant: Entrant = {
      name: `dvc ${args.join(" ")}`,
      role: "peer",
      // Its first look at the files makes its index of them.
      setup: () =>
        this.#once(
          folder,
          dvc(["init", "--quiet"]),
          { ...graph.files, ...dvcState(graph) },
          dvc(["status", "--quiet"]),
        ),
      commands: () => [dvc(args)],
      check: () => upToDate(place.run(dvc(["status"])), "Data and pipelines are up to date."),
    };
    return [entrant];
  }

  #once(folder: string, init: Command, files: Readonly<Record<string, string>>, first: Command): void {
    if (this.#ready.has(folder)) return;
    const { place } = this.#bench;
    mkdirSync(join(folder, "out"), { recursive: true });
    for (const command of [place.command(folder, ["git", "init", "--quiet"]), init]) place.run(command);
    writeFiles(folder, files);
    place.run(first);
    place.run(place.shell(folder, "git add --all . && git commit --quiet --message graph"));
    this.#ready.add(folder);
  }
}

/** @throws CommandFailed when the program does not say so: what was measured was then no "nothing to do". */
function upToDate(said: string, words: string): void {
  if (!said.includes(words)) throw new CommandFailed(`it is not up to date: ${said.slice(0, 500)}`);
}
