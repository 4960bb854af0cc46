import { fail, ok } from "../../../core/index.ts";
import type { Failed, Result } from "../../../core/index.ts";
import { troubled } from "../retry.ts";
import type { Outcome } from "../retry.ts";
import type { Answer, ReleaseApi } from "./api.ts";
import type { Catalogue, Release } from "./catalogue.ts";

const BODY =
  "Objects of this repository's Lockstep store: data and models, named by the SHA-256 of their bytes. " +
  "Lockstep adds and deletes assets here; the lockfiles in git say what they are.";

/** Finds a release that has room for one more asset, and opens the next one when all are full. */
export class Rooms {
  readonly #api: ReleaseApi;
  readonly #catalogue: Catalogue;
  #opening: Promise<Result<Release>> | undefined;

  constructor(api: ReleaseApi, catalogue: Catalogue) {
    this.#api = api;
    this.#catalogue = catalogue;
  }

  /** Takes a place; whoever does not use it gives it back by lowering `used`. */
  async take(what: string): Promise<Result<Release>> {
    for (;;) {
      const free = [...this.#catalogue.releases.values()]
        .filter(({ immutable, used }) => !immutable && used < this.#api.options.perRelease)
        .sort((a, b) => a.number - b.number)[0];
      if (free !== undefined) {
        free.used += 1;
        return ok(free);
      }
      this.#opening ??= this.#open(what).finally(() => (this.#opening = undefined));
      // oxlint-disable-next-line no-await-in-loop -- whoever waited for the same release may have filled it
      const opened = await this.#opening;
      if (!opened.ok) return opened;
    }
  }

  /**
   * Published, because drafts have no tag and only writers see them; a prerelease that is not the latest, so that it
   * never stands before the releases of models. Of two writers at once, one creates it and the other takes it over.
   */
  async #open(what: string): Promise<Result<Release>> {
    const shut = [...this.#catalogue.releases.values()].find(({ immutable, used }) => immutable && used === 0);
    if (shut !== undefined) return frozen(what, shut.tag);
    let number = this.#catalogue.highest + 1;
    return this.#api.retry<Release>(what, async () => {
      const tag = this.#catalogue.tag(number);
      const release = { tag_name: tag, name: tag, body: BODY, draft: false, prerelease: true, make_latest: "false" };
      const route = "POST /repos/{owner}/{repo}/releases";
      const made = await this.#api.once({ what, route, parameters: release, expect: [422] });
      if (!made.ok) return made;
      if (made.value.status !== 422) return this.#opened(what, made.value, number);
      const problem = refusal(made.value);
      if (/immutable/i.test(problem)) {
        number += 1; // the tag of an immutable release is never given again
        return troubled({ problem, progress: number < this.#catalogue.highest + 20 });
      }
      if (!/already_exists/.test(problem)) return this.#refused(what, problem);
      return this.#adopt(what, number, problem);
    });
  }

  async #adopt(what: string, number: number, problem: string): Promise<Outcome<Release>> {
    const found = await this.#catalogue.release(number, what);
    if (!found.ok) return found;
    // Not there: somebody is just opening it.
    if (found.value === undefined) return troubled({ problem });
    const read = await this.#catalogue.refresh(what);
    return read.ok ? ok(found.value) : read;
  }

  #opened(what: string, { data }: Answer, number: number): Result<Release> {
    const release = this.#catalogue.know(data, number);
    const message = `${this.#api.url}: opened release ${release.tag}`;
    this.#api.context.emit({ type: "note", message });
    return release.immutable ? frozen(what, release.tag) : ok(release);
  }

  #refused(what: string, problem: string): Failed {
    const hint = /is empty|target_commitish/.test(problem)
      ? "the repository needs a first commit, for the tag to point at"
      : undefined;
    return fail({ code: "external", what, problem, ...(hint === undefined ? {} : { hint }) });
  }
}

export function frozen(what: string, tag: string): Failed {
  const problem = `release ${tag} takes no assets: the repository has release immutability on`;
  const hint = `switch it off in the repository's settings (or use another repository), delete release ${tag}, and run again`;
  return fail({ code: "external", what, problem, hint });
}

/** GitHub's words about a 422, the codes of its errors included. */
export function refusal({ data }: Answer): string {
  const { message, errors } = (data ?? {}) as { message?: string; errors?: unknown };
  return `GitHub answered 422: ${message ?? ""}${errors === undefined ? "" : ` ${JSON.stringify(errors)}`}`;
}
