import { foldersOf, ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { git } from "../git/index.ts";

/**
 * What git tracks, asked once for a run and only if it matters: a process for each stage would cost more than most stages.
 */
export class GitFiles {
  readonly #context: Context;
  #places: Promise<Result<ReadonlyMap<string, string>>> | undefined;

  constructor(context: Context) {
    this.#context = context;
  }

  /** The first tracked file that is the path or lies in it; "" when there is none. */
  async in(path: string): Promise<Result<string>> {
    const places = await (this.#places ??= this.#look());
    return places.ok ? ok(places.value.get(path) ?? "") : places;
  }

  async #look(): Promise<Result<ReadonlyMap<string, string>>> {
    const listed = await git(this.#context, ["ls-files", "-z"]);
    if (!listed.ok) return listed;
    const places = new Map<string, string>();
    for (const file of listed.value.split("\0")) {
      for (const place of [file, ...foldersOf(file)]) if (!places.has(place)) places.set(place, file);
    }
    return ok(places);
  }
}
