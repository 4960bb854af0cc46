import type { Provenance } from "../config/index.ts";
import { fail } from "../core/index.ts";
import type { Context, Digest, Result } from "../core/index.ts";
import type { Identity } from "../git/index.ts";
import type { GitHub } from "../github/index.ts";

export interface PromoteOptions {
  /** Git remote that is pushed to. */
  readonly remote: string;
  /** Default branch. */
  readonly branch: string;
  /** The commit that was pushed; the working tree has to be at it, for a pipeline that must run. */
  readonly commit: string;
  /** Head of the branch before the push: its gates judge. Absent (a run by hand): the gates of `commit`. */
  readonly before?: string;
  /** Only these; absent: every model. */
  readonly models?: readonly string[];
  /** Of this run, which is trusted: it goes into the records of what has to be run here. */
  readonly provenance: Provenance;
  readonly author: Identity;
  /** URL of this run, for the version's entry. */
  readonly runUrl: string;
}

export interface Promotion {
  readonly model: string;
  readonly outcome: "promoted" | "restored" | "current" | "held" | "superseded" | "refused";
  /** The version the candidate is; null when it is none. */
  readonly version: number | null;
  readonly digest: Digest;
  readonly release: string | null;
  readonly releaseUrl: string | null;
  /** Gates that failed, or why nothing was done, in words. */
  readonly reasons: readonly string[];
  /** False when a stage had to run here. */
  readonly cached: boolean;
}

/**
 * Makes what the default branch now describes the production version of each model: looks the stage keys up among the
 * trusted records (runs the pipeline only where one is missing), judges, appends to `models/<name>/lock.json`, and
 * publishes the release. Every step looks first whether it was done: killed anywhere, run again, it finishes.
 */
export async function promote(
  context: Context,
  github: GitHub,
  options: PromoteOptions,
): Promise<Result<readonly Promotion[]>> {
  void [context, github];
  return fail({ code: "unsupported", what: `promotion of ${options.commit}` });
}
