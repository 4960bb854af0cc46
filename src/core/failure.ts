/**
 * Everything that can go wrong in a way a user can meet, as one closed union. A variant holds exactly the data
 * needed to print it; the wording is in `describe.ts`. Anything else that goes wrong is a bug and is thrown.
 */

/** A place in a user's file; line and column count from 1. */
export interface Location {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Characters to underline, where known. */
  readonly length?: number;
  /** The text of that line, for the squiggle. */
  readonly source?: string;
}

interface Caused {
  readonly hint?: string;
  readonly cause?: unknown;
}

export type Failure = Caused &
  (
    | { readonly code: "usage"; readonly message: string }
    | { readonly code: "file-missing"; readonly path: string; readonly neededBy?: string }
    | { readonly code: "file-invalid"; readonly at: Location; readonly problem: string }
    | { readonly code: "merge-conflict"; readonly at: Location }
    | { readonly code: "cycle"; readonly at: Location; readonly stages: readonly string[] }
    | { readonly code: "dep-missing"; readonly at: Location; readonly stage: string; readonly path: string }
    | {
        readonly code: "output-twice";
        readonly at: Location;
        readonly path: string;
        readonly stages: readonly [string, string];
      }
    | { readonly code: "param-missing"; readonly at: Location; readonly file: string; readonly key: string }
    | { readonly code: "unknown-name"; readonly what: string; readonly name: string; readonly known: readonly string[] }
    | {
        readonly code: "stage-failed";
        /** Where the stage is written, or the fault in the team's own code or data. */
        readonly at?: Location;
        readonly stage: string;
        readonly reason: string;
        readonly tail: string;
      }
    | {
        readonly code: "hook-failed";
        readonly at: Location;
        /** As the file calls it. */
        readonly hook: string;
        /** Whose it is: `stage "train"`. */
        readonly of: string;
        readonly reason: string;
        readonly tail: string;
      }
    | {
        readonly code: "reads-undeclared";
        readonly at: Location;
        readonly stage: string;
        /** From the root; the first few. */
        readonly paths: readonly string[];
        readonly more: number;
      }
    | { readonly code: "output-missing"; readonly at?: Location; readonly stage: string; readonly path: string }
    | { readonly code: "metrics-invalid"; readonly at: Location; readonly problem: string }
    | { readonly code: "predictions-invalid"; readonly at: Location; readonly problem: string }
    | {
        readonly code: "data-changed";
        readonly dataset: string;
        readonly path: string;
        /** What it should be, where that is not said by data.lock.json: "what a.dvc tracks". */
        readonly by?: string;
        /** Files (from the root of the repository) that hold what no store has; the first few. */
        readonly files?: readonly string[];
      }
    | { readonly code: "file-changed"; readonly path: string }
    | { readonly code: "data-conflict"; readonly dataset: string; readonly path: string; readonly problem: string }
    | { readonly code: "blob-missing"; readonly digest: string; readonly neededBy: string; readonly store: string }
    | { readonly code: "blob-corrupt"; readonly digest: string; readonly actual: string; readonly where: string }
    | { readonly code: "tree-invalid"; readonly tree: string; readonly problem: string }
    | { readonly code: "workspace-busy"; readonly holder: string; readonly lock: string }
    | { readonly code: "result-refused"; readonly reason: string }
    | { readonly code: "swap-lost"; readonly ref: string; readonly attempts: number }
    | { readonly code: "git"; readonly command: string; readonly exitCode: number | null; readonly stderr: string }
    | {
        readonly code: "github";
        readonly method: string;
        readonly url: string;
        readonly status: number;
        readonly message: string;
      }
    | { readonly code: "gate-failed"; readonly model: string; readonly gates: readonly string[] }
    | { readonly code: "unsupported"; readonly what: string; readonly at?: Location }
    | { readonly code: "external"; readonly what: string; readonly problem: string }
    | { readonly code: "interrupted" }
  );

export type FailureCode = Failure["code"];
