import type { RunRecord, StageRecord } from "../config/index.ts";

/** Where a run of a tree that is no commit is kept; only on this machine. */
export const NO_COMMIT = "working-tree";

/** The `event` of what a person's machine made, as its provenance says once it is sent. */
export const LOCAL = "local";

/** Where a stage's record is: on the branch, and below `.lockstep/records`. */
export function stagePath(key: string): string {
  return `stages/${key.slice(0, 2)}/${key}.json`;
}

export function runPath(commit: string | null, pipeline: string): string {
  return `runs/${commit ?? NO_COMMIT}/${pipeline}.json`;
}

/** Records nobody vouches for lie apart, so that no path of theirs can be that of a trusted one. */
export function untrusted(path: string): string {
  return `untrusted/${path}`;
}

export function isTrusted(record: StageRecord | RunRecord): boolean {
  return record.provenance?.trusted === true;
}
