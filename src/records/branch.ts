import { ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { CatFile, fetchBranch, git, swapBranch } from "../git/index.ts";
import type { Source, SwapChange, SwapOutcome } from "../git/index.ts";
import type { RecordsOptions } from "./records.ts";

/** What to write, given the files of the branch as it stands (undefined: there is no branch). */
export type Change = (current: Pick<Source, "read"> | undefined) => Promise<Result<SwapChange | undefined>>;

/** One way to read and to move the records branch. */
export interface Branch {
  /** Undefined: there is no such file. */
  read(path: string): Promise<Result<Buffer | undefined>>;
  /**
   * Moves the branch by one commit, from the head that the change was computed from or not at all. `meanwhile` may be
   * called, and again, while the commit is on its way.
   */
  swap(change: Change, meanwhile?: () => void): Promise<Result<SwapOutcome>>;
}

const AUTHOR = { name: "lockstep", email: "lockstep@users.noreply.github.com" };

export function authorOf({ author }: RecordsOptions): { readonly name: string; readonly email: string } {
  return author ?? AUTHOR;
}

/** By git: read as it was last fetched, moved by push. */
export class GitBranch implements Branch {
  /** Where the fetched branch is: where a person's `git fetch` puts it too, when the remote has a name. */
  readonly ref: string;
  readonly #context: Context;
  readonly #options: RecordsOptions;
  readonly #objects: CatFile;
  /** The branch's head as last fetched or pushed; the empty string: there was none. */
  #head: string | undefined;

  constructor(context: Context, options: RecordsOptions) {
    this.#context = context;
    this.#options = options;
    this.#objects = new CatFile(context);
    const { branch, remote } = options;
    if (remote === null) this.ref = `refs/heads/${branch}`;
    else if (/^[\w.-]+$/.test(remote)) this.ref = `refs/remotes/${remote}/${branch}`;
    else this.ref = `refs/lockstep/records/${branch}`;
  }

  async read(path: string): Promise<Result<Buffer | undefined>> {
    const object = await this.#objects.read(`${this.ref}:${path}`);
    return object.ok ? ok(object.value?.type === "blob" ? object.value.bytes : undefined) : object;
  }

  /** Paths of the files below a folder that hold a text. */
  async holding(text: string, folder: string): Promise<Result<string[]>> {
    const there = await git(this.#context, ["rev-parse", "--verify", "--quiet", this.ref]);
    if (!there.ok) return ok([]);
    const args = ["grep", "-l", "-z", "-F", "--full-name", "-e", text, this.ref, "--", folder];
    const found = await git(this.#context, args);
    if (found.ok) return ok(found.value.split("\0").flatMap((path) => path.slice(this.ref.length + 1) || []));
    const [failure] = found.failures;
    return failure.code === "git" && failure.exitCode === 1 ? ok([]) : found; // 1: no file holds it
  }

  async swap(change: Change, meanwhile?: () => void): Promise<Result<SwapOutcome>> {
    const { branch, remote } = this.#options;
    const author = authorOf(this.#options);
    const swapped = await swapBranch(this.#context, {
      remote: remote ?? ".",
      branch,
      orphan: true,
      author,
      change,
      meanwhile,
      ...(this.#head === undefined ? {} : { known: this.#head }),
    });
    this.#head = swapped.ok ? swapped.value.commit : undefined;
    if (!swapped.ok || remote === null || swapped.value.commit === "") return swapped;
    // What was just pushed is known here too, without another fetch.
    const noted = await git(this.#context, ["update-ref", this.ref, swapped.value.commit]);
    return noted.ok ? swapped : noted;
  }

  async fetch(): Promise<Result<void>> {
    const { branch, remote } = this.#options;
    if (remote === null) return ok();
    const fetched = await fetchBranch(this.#context, remote, branch, this.ref);
    this.#head = fetched.ok ? (fetched.value ?? "") : undefined;
    return fetched.ok ? ok() : fetched;
  }
}
