import type { RunRecord } from "../config/index.ts";
import type { Json } from "../core/index.ts";
import { NO_COMMIT, runPath, untrusted } from "./paths.ts";

/** A single value of a parameter file; a list is its JSON. */
export type Scalar = string | number | boolean | null;

/** Whose word it is: this machine's, or of the records branch, vouched for or not. */
export type Standing = "here" | "trusted" | "untrusted";

/** What is known of a run without reading its record: enough to find it, to list it and to compare it. */
export interface RunEntry {
  /** Folder of the records that it lies in: of this machine, or (`untrusted/` or not) of the branch. */
  readonly place: "here" | "branch" | "apart";
  readonly standing: Standing;
  readonly pipeline: string;
  /** Null: of a tree that is no commit. */
  readonly commit: string | null;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly ms: number;
  readonly ok: boolean;
  /** `file:a.b.c` -> value, groups taken apart. */
  readonly params: Readonly<Record<string, Scalar>>;
  /** `file:a.b.c` -> number. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Stage -> milliseconds, of the stages that ran and ended well. */
  readonly stages: Readonly<Record<string, number>>;
}

export function toEntry(record: RunRecord, place: RunEntry["place"]): RunEntry {
  const { pipeline, commit, startedAt, ms, ok } = record;
  const params: Record<string, Scalar> = {};
  for (const [file, values] of Object.entries(record.params)) flatten(values as Json, `${file}:`, params);
  const metrics = Object.entries(record.metrics).flatMap(([file, values]) =>
    Object.entries(values).map(([name, value]) => [`${file}:${name}`, value] as const),
  );
  const ran = record.stages.filter(({ status }) => status === "run");
  const onBranch = record.provenance?.trusted === true && place === "branch" ? "trusted" : "untrusted";
  return {
    place,
    standing: place === "here" ? "here" : onBranch,
    pipeline,
    commit,
    startedAt,
    ms,
    ok,
    params,
    metrics: Object.fromEntries(metrics),
    stages: Object.fromEntries(ran.map((stage) => [stage.stage, stage.ms])),
  };
}

/** The path of its record below its folder: that of this machine, or the branch. */
export function pathOf({ place, commit, pipeline }: Pick<RunEntry, "place" | "commit" | "pipeline">): string {
  const path = runPath(commit, pipeline);
  return place === "apart" ? untrusted(path) : path;
}

/** What a path says of the run that it is for; undefined: it is no place for one. */
export function runAt(path: string): { readonly commit: string | null; readonly pipeline: string } | undefined {
  const match = /^(?:untrusted\/)?runs\/([0-9a-f]{40}|working-tree)\/([A-Za-z0-9][\w.-]*)\.json$/.exec(path);
  const [, folder, pipeline] = match ?? [];
  if (folder === undefined || pipeline === undefined) return undefined;
  return { commit: folder === NO_COMMIT ? null : folder, pipeline };
}

function flatten(value: Json, name: string, into: Record<string, Scalar>): void {
  if (value === null || typeof value !== "object") into[name] = value;
  else if (Array.isArray(value)) into[name] = JSON.stringify(value);
  else {
    for (const [key, member] of Object.entries(value)) {
      flatten(member as Json, name.endsWith(":") ? name + key : `${name}.${key}`, into);
    }
  }
}
