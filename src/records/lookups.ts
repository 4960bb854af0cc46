import { describe, ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { ApiBranch } from "./api.ts";
import { GitBranch } from "./branch.ts";
import type { Branch, Change } from "./branch.ts";
import type { RecordsApi, RecordsOptions } from "./records.ts";
import type { SwapOutcome } from "../git/index.ts";

/**
 * Files that are asked for one by one before the branch is fetched instead. All jobs of a repository share 1,000
 * requests an hour, which so are enough for fifty jobs; a fetch is none of them, but brings all records there are.
 */
export const LOOKUPS = 20;

/** The records branch: asked for at GitHub, file by file, while that is cheaper; else as git has fetched it. */
export class RecordsBranch implements Branch {
  readonly fetched: GitBranch;
  readonly #context: Context;
  readonly #hasClone: boolean;
  readonly #api: ApiBranch | undefined;
  readonly #known = new Map<string, Promise<Result<Buffer | undefined>>>();
  /** Set once lookups are git's. */
  #fetching: Promise<Result<void>> | undefined;

  constructor(context: Context, options: RecordsOptions) {
    const { api, remote } = options;
    this.#context = context;
    this.fetched = new GitBranch(context, options);
    this.#hasClone = api === undefined || remote !== null;
    this.#api = api === undefined ? undefined : new ApiBranch(context, options as typeof options & { api: RecordsApi });
  }

  async read(path: string): Promise<Result<Buffer | undefined>> {
    const api = this.#api;
    if (api === undefined || this.#fetching !== undefined) {
      await this.#fetching;
      return this.fetched.read(path);
    }
    const known = this.#known.get(path);
    if (known === undefined && this.#hasClone && this.#known.size >= LOOKUPS) {
      await this.#fetchInstead();
      return this.fetched.read(path);
    }
    const asked = known ?? api.read(path);
    this.#known.set(path, asked);
    const answer = await asked;
    if (answer.ok || !this.#hasClone) return answer;
    if (this.#fetching === undefined) this.#warn("GitHub could not be asked for a record", answer.failures[0]);
    await this.#fetchInstead();
    return this.fetched.read(path);
  }

  /** Runs on the branch whose records hold a text, by path. Without a clone, which alone can be searched: none. */
  async runsHolding(text: string): Promise<Result<string[]>> {
    if (!this.#hasClone) return ok([]);
    if (this.#api !== undefined) await this.#fetchInstead();
    return this.fetched.holding(text, "runs");
  }

  /** By push; by the API where there is no clone, or git has no way to the branch. */
  async swap(change: Change, meanwhile?: () => void): Promise<Result<SwapOutcome>> {
    this.#known.clear();
    if (this.#api === undefined) return this.fetched.swap(change, meanwhile);
    if (!this.#hasClone) return this.#api.swap(change);
    const pushed = await this.fetched.swap(change, meanwhile);
    if (pushed.ok || pushed.failures[0].code !== "git") return pushed;
    this.#warn("the records could not be pushed, GitHub's API is used instead", pushed.failures[0]);
    return this.#api.swap(change);
  }

  async refresh(lookups = Infinity): Promise<Result<void>> {
    this.#known.clear();
    if (!this.#hasClone || (this.#api !== undefined && lookups <= LOOKUPS)) return ok();
    return (this.#fetching = this.fetched.fetch());
  }

  async #fetchInstead(): Promise<void> {
    const began = this.#fetching === undefined;
    const fetched = await (this.#fetching ??= this.fetched.fetch());
    if (began && !fetched.ok) this.#warn("the records could not be fetched", fetched.failures[0]);
  }

  #warn(what: string, failure: Parameters<typeof describe>[0]): void {
    this.#context.emit({ type: "warning", message: `${what}: ${describe(failure)}` });
  }
}
