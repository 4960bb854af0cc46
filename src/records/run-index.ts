import { hash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Context, Result } from "../core/index.ts";
import { writeFileAtomically } from "../store/index.ts";
import type { RunEntry, Scalar, Standing } from "./run-entry.ts";

/** What was read of one record: undefined where it is none. `id` changes when its bytes do. */
export interface Indexed {
  readonly id: string;
  readonly entry: RunEntry | undefined;
}

/** All runs known, by place and path, and the trees of the branch that they were read from. */
export interface RunIndex {
  readonly trees: string;
  readonly runs: ReadonlyMap<string, Indexed>;
}

const FRAME = "lockstep-run-index/1";
const PLACES = ["here", "branch", "apart"] as const;
const STANDINGS: readonly Standing[] = ["here", "trusted", "untrusted"];

/** Names of params, metrics and stages are many times the same: a row has their numbers. */
type Row = readonly [
  key: string,
  id: string,
  place: number,
  standing: number,
  pipeline: number,
  commit: string | null,
  startedAt: string,
  ms: number,
  ok: 0 | 1,
  params: readonly Scalar[],
  metrics: readonly number[],
  stages: readonly number[],
];

interface Document {
  readonly trees: string;
  readonly names: readonly string[];
  readonly runs: readonly Row[];
  readonly damaged: readonly (readonly [key: string, id: string])[];
}

function fileOf(context: Context): string {
  return join(context.cwd, ".lockstep", "run-index.json");
}

/** The index as it was left; an empty one where there is none, or not a whole one of this version. */
export async function loadIndex(context: Context): Promise<RunIndex> {
  const text = await readFile(fileOf(context), "utf8").catch(() => "");
  const end = text.indexOf("\n");
  const body = text.slice(end + 1);
  if (end < 0 || text.slice(0, end) !== headOf(body)) return { trees: "", runs: new Map() };
  const { trees, names, runs, damaged } = JSON.parse(body) as Document;
  const known = new Map<string, Indexed>();
  for (const row of runs) known.set(row[0], { id: row[1], entry: entryOf(row, names) });
  for (const [key, id] of damaged) known.set(key, { id, entry: undefined });
  return { trees, runs: known };
}

/** It may be deleted at any time, and a power cut may empty it: it is read only when it is whole. */
export async function saveIndex(context: Context, { trees, runs }: RunIndex): Promise<Result<void>> {
  const numbers = new Map<string, number>();
  const number = (name: string): number => {
    const known = numbers.get(name) ?? numbers.size;
    numbers.set(name, known);
    return known;
  };
  const pairs = <T>(values: Readonly<Record<string, T>>): (T | number)[] =>
    Object.entries(values).flatMap(([name, value]) => [number(name), value]);
  const rows: Row[] = [];
  const damaged: [string, string][] = [];
  for (const [key, { id, entry }] of runs) {
    if (entry === undefined) damaged.push([key, id]);
    else {
      const { place, standing, pipeline, commit, startedAt, ms, ok, params, metrics, stages } = entry;
      const where = [PLACES.indexOf(place), STANDINGS.indexOf(standing), number(pipeline)] as const;
      rows.push([key, id, ...where, commit, startedAt, ms, ok ? 1 : 0, pairs(params), pairs(metrics), pairs(stages)]);
    }
  }
  const body = JSON.stringify({ trees, names: [...numbers.keys()], runs: rows, damaged } satisfies Document);
  return writeFileAtomically(context, fileOf(context), `${headOf(body)}\n${body}`, { durable: false });
}

function headOf(body: string): string {
  return `${FRAME} ${hash("sha256", body)}`;
}

/** Its groups are put together when they are asked for: a list of the newest asks for few of them. */
function entryOf(row: Row, names: readonly string[]): RunEntry {
  const [, , place, standing, pipeline, commit, startedAt, ms, ok, params, metrics, stages] = row;
  return {
    place: PLACES[place] as RunEntry["place"],
    standing: STANDINGS[standing] as Standing,
    pipeline: names[pipeline] as string,
    commit,
    startedAt,
    ms,
    ok: ok === 1,
    get params() {
      return group(params, names);
    },
    get metrics() {
      return group(metrics, names);
    },
    get stages() {
      return group(stages, names);
    },
  };
}

function group<T extends Scalar>(pairs: readonly T[], names: readonly string[]): Record<string, T> {
  const values: Record<string, T> = {};
  for (let at = 0; at < pairs.length; at += 2) values[names[pairs[at] as number] as string] = pairs[at + 1] as T;
  return values;
}
