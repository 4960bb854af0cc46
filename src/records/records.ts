import type { Digest, Result, StageKey } from "../core/index.ts";
import type { Looks, RunRecord, StageRecord } from "../config/index.ts";
import type { Look } from "./looks.ts";
import type { RunEntry } from "./run-entry.ts";

export interface RecordsOptions {
  readonly branch: string;
  /** Name or URL; null where the branch lives in this repository alone, or (with `api`) where there is no clone. */
  readonly remote: string | null;
  /** The repository on GitHub, where a token for it is known: a job. */
  readonly api?: RecordsApi;
  /** Who the commits on the branch are by. */
  readonly author?: { readonly name: string; readonly email: string };
}

export interface RecordsApi {
  /** As in `GITHUB_API_URL`. */
  readonly apiUrl: string;
  /** `owner/name` */
  readonly repository: string;
  readonly token: string;
}

export interface Published {
  readonly stages: readonly StageRecord[];
  readonly runs: readonly RunRecord[];
  /** Looks at test sets to count on the branch, each once however often it is told. */
  readonly looks?: readonly Look[];
}

export interface PublishOptions {
  /** Trusted stage records were made again on purpose: they take the place of those that are there. */
  readonly replace?: boolean;
  /** Work that needs no answer: it may be called, and again, while the records are on their way. */
  readonly meanwhile?: () => void;
}

export interface PublishOutcome {
  /** Head of the records branch. */
  readonly commit: string;
  readonly changed: boolean;
  /** Keys that had a trusted record of other outputs already, which stays: the first result is the one reviewed. */
  readonly kept: readonly StageKey[];
  /** The counters of the looks, in order. */
  readonly looks: readonly Looks[];
}

/**
 * What each stage key produced and how each run went: on this machine (`.lockstep/records`) and on the records branch,
 * as it was last fetched or (with `api`) as GitHub has it. A record that cannot be read is a warning and counts as not
 * there. `test/records/contract.ts` holds what is promised here, by push and by the API.
 */
export interface Records {
  /** For work on this machine: its own record first, then a trusted one. Never an untrusted one. */
  stage(key: StageKey): Promise<Result<StageRecord | undefined>>;
  /** For what others will rely on: only from the branch, only with `provenance.trusted`. */
  trustedStage(key: StageKey): Promise<Result<StageRecord | undefined>>;
  /** To look at: this machine's, then a trusted, then an untrusted one. */
  anyStage(key: StageKey): Promise<Result<StageRecord | undefined>>;
  /** To look at: this machine's, then a trusted, then an untrusted one. */
  run(commit: string, pipeline: string): Promise<Result<RunRecord | undefined>>;
  /** As `trustedStage`: from the branch alone, vouched for. */
  trustedRun(commit: string, pipeline: string): Promise<Result<RunRecord | undefined>>;
  /** Every run known, newest first, untrusted ones included. Of the branch, those that were fetched. */
  list(): Promise<Result<RunEntry[]>>;
  /** The record of a run of the list; undefined where it is gone, or no record any more. */
  read(entry: RunEntry): Promise<Result<RunRecord | undefined>>;
  saveLocal(records: Published): Promise<Result<void>>;
  /**
   * Adds records to the branch of the remote by compare-and-swap, in one commit; concurrent publishers lose nothing.
   * Untrusted ones go under `untrusted/`. A trusted stage record is never replaced, unless `replace` says that it was
   * made again on purpose. Runs without a commit are not published. It is pushed; where git cannot push, or there is no
   * clone, the API does the same.
   */
  publish(records: Published, options?: PublishOptions): Promise<Result<PublishOutcome>>;
  /** How often a test set was looked at, as the branch has it; undefined: it never was. */
  looks(testSet: Digest): Promise<Result<Looks | undefined>>;
  /**
   * Fetches the branch. A remote without one is fine. Where `lookups` are all that is wanted, and so few that GitHub
   * can be asked for each, nothing is fetched.
   */
  refresh(lookups?: number): Promise<Result<void>>;
}
