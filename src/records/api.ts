import { setTimeout as wait } from "node:timers/promises";
import { fail, ok } from "../core/index.ts";
import type { Context, Failed, Result } from "../core/index.ts";
import type { SwapOutcome } from "../git/index.ts";
import type { GitHub } from "../github/client.ts";
import { authorOf } from "./branch.ts";
import type { Branch, Change } from "./branch.ts";
import type { RecordsApi, RecordsOptions } from "./records.ts";

type GitData = typeof import("../github/git-data.ts") & { readonly gh: GitHub };

const ATTEMPTS = 50;
/**
 * An attempt takes five requests and more, and all jobs of a repository share a thousand an hour. So the pause after a
 * lost race is random up to so many times what the attempt took (which is longer the more writers there are), twice as
 * many after each: writers spread out until few of them meet.
 */
const FIRST_PAUSE = 6;
const LONGEST_PAUSE = 50;

/** By GitHub's REST API: for a job that has a token and no clone, or whose git may not push. */
export class ApiBranch implements Branch {
  readonly #context: Context;
  readonly #options: RecordsOptions & { readonly api: RecordsApi };
  #data: Promise<GitData> | undefined;

  constructor(context: Context, options: RecordsOptions & { readonly api: RecordsApi }) {
    this.#context = context;
    this.#options = options;
  }

  async read(path: string): Promise<Result<Buffer | undefined>> {
    const { fileAt, gh } = await this.#open();
    return fileAt(gh, this.#options.branch, path);
  }

  async swap(change: Change): Promise<Result<SwapOutcome>> {
    const { branch, api } = this.#options;
    const { signal } = this.#context;
    let declined: { readonly head: string; readonly failed: Failed } | undefined;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (signal?.aborted) return fail({ code: "interrupted" });
      const from = performance.now();
      const tried = await this.#try(change, declined);
      if (!tried.ok || !("lostTo" in tried.value)) return tried as Result<SwapOutcome>;
      const { lostTo, failed } = tried.value;
      declined = { head: lostTo, failed };
      const longest = (performance.now() - from) * Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** attempt);
      await wait(Math.random() * longest, undefined, { ...(signal && { signal }) }).catch(() => {}); // looked at above
    }
    return fail({ code: "swap-lost", ref: `${api.repository} ${branch}`, attempts: ATTEMPTS });
  }

  async #try(
    change: Change,
    declined: { readonly head: string; readonly failed: Failed } | undefined,
  ): Promise<Result<SwapOutcome | { readonly lostTo: string; readonly failed: Failed }>> {
    const { headOf, fileAt, commitFiles, moveBranch, gh } = await this.#open();
    const { branch } = this.#options;
    const found = await headOf(gh, branch);
    if (!found.ok) return found;
    const parent = found.value;
    const head = parent?.commit ?? "";
    // Declined while nobody moved the branch: not a race but a rule (a protected branch, a missing right).
    if (declined?.head === head) return declined.failed;
    const current = parent && { read: (path: string) => fileAt(gh, parent.commit, path) };
    const wanted = await change(current);
    if (!wanted.ok) return wanted;
    if (wanted.value === undefined) return ok({ commit: head, changed: false });
    const { message } = wanted.value;
    const files = new Map([...wanted.value.files].map(([path, bytes]) => [path, Buffer.from(bytes ?? "").toString()]));
    const made = await commitFiles(gh, { parent, files, message, author: authorOf(this.#options) });
    if (!made.ok) return made;
    if (made.value === undefined) return ok({ commit: head, changed: false });
    const moved = await moveBranch(gh, branch, { commit: made.value, begins: parent === undefined });
    if (moved.ok) return ok({ commit: made.value, changed: true });
    const [failure] = moved.failures;
    if (failure.code !== "github" || ![409, 422].includes(failure.status)) return moved;
    return ok({ lostTo: head, failed: moved });
  }

  /** The toolkit takes a tenth of a second to load: only who asks GitHub pays for it. */
  #open(): Promise<GitData> {
    return (this.#data ??= (async () => {
      const { connect } = await import("../github/client.ts");
      const { fetch, emit } = this.#context;
      const gh = connect({ ...this.#options.api, fetch, emit, paced: false });
      return { ...(await import("../github/git-data.ts")), gh };
    })());
  }
}
