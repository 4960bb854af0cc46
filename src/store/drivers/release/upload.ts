import { hash } from "node:crypto";
import { fail, isSystemError, message, ok } from "../../../core/index.ts";
import type { Failed, Result } from "../../../core/index.ts";
import type { Body, Key } from "../../driver.ts";
import { troubled } from "../retry.ts";
import type { Outcome } from "../retry.ts";
import type { ReleaseApi } from "./api.ts";
import { isWhole, readAsset } from "./asset.ts";
import type { Asset, RawAsset } from "./asset.ts";
import type { Catalogue, Release } from "./catalogue.ts";
import { assetName } from "./names.ts";
import { frozen, refusal, Rooms } from "./room.ts";
import { BodyMismatch, verified } from "./verified.ts";
import { Watch } from "./watch.ts";

/** A `starter` older than this belongs to a writer that is gone: the largest asset takes less. */
const ABANDONED_MS = 15 * 60_000;
/** Bytes that GitHub may still be taking in, in a ms, when the last was handed over. */
const TAKES_PER_MS = 10_000;
/** How GitHub answers a writer who is only a reader, where it does not say 403. */
const MAY_NOT_WRITE = {
  problem: "GitHub answered 404: it is there to be read, not to be changed",
  hint: "the token must write to the repository: a job needs `permissions:` `contents: write`",
};
/** Stands for an empty object: GitHub takes no asset without a byte. */
const NOTHING = Uint8Array.of(0);

interface Job {
  readonly what: string;
  readonly key: Key;
  readonly body: Body;
  /** Of the bytes that are sent. */
  readonly digest: string;
  readonly size: number;
  /** Assets the object had before: none of them is what is being written. */
  readonly before: ReadonlySet<number>;
  /** Names under which this job may have left something, half or whole. */
  readonly tried: Set<string>;
  /** Names that GitHub says are taken. */
  readonly taken: Set<string>;
}

/** Writes objects as assets. */
export class Uploads {
  readonly #api: ReleaseApi;
  readonly #catalogue: Catalogue;
  readonly #rooms: Rooms;
  #swept: Promise<void> | undefined;

  constructor(api: ReleaseApi, catalogue: Catalogue) {
    this.#api = api;
    this.#catalogue = catalogue;
    this.#rooms = new Rooms(api, catalogue);
  }

  /**
   * Uploads under a name that no asset of the object has, then deletes the others: a reader finds the old bytes or the
   * new ones at any moment. The catalogue must have been read.
   */
  async put(key: Key, body: Body, what: string): Promise<Result<void>> {
    await (this.#swept ??= this.#sweep(what));
    const before = new Set(this.#catalogue.of(key).map(({ id }) => id));
    const empty = body.size === 0;
    const digest = empty ? `sha256:${hash("sha256", NOTHING)}` : body.digest;
    const job: Job = {
      what,
      key,
      body,
      digest,
      size: empty ? 1 : body.size,
      before,
      tried: new Set(),
      taken: new Set(),
    };
    const written = await this.#api.retry(what, async () => this.#attempt(job));
    if (!written.ok) {
      if (job.tried.size > 0 && this.#api.context.signal?.aborted !== true) await this.#clean(job);
      return written;
    }
    const older = this.#catalogue.of(key).filter(({ id, starter }) => id < written.value.id && !starter);
    const deleted = await Promise.all(older.map(async (asset) => this.delete(asset, what)));
    if (deleted.some(({ ok: done }) => !done)) {
      const text = `${what} was written; its former version could not be deleted and stays until it is written again`;
      this.#api.context.emit({ type: "warning", message: text });
    }
    return ok();
  }

  async delete(asset: Asset, what: string): Promise<Result<void>> {
    const route = "DELETE /repos/{owner}/{repo}/releases/assets/{asset_id}";
    const answer = await this.#api.ask({ what, route, parameters: { asset_id: asset.id }, expect: [404] });
    if (!answer.ok) return answer;
    if (answer.value.status === 404 && !(await this.#isGone(asset, what))) {
      return fail({ code: "external", what, ...MAY_NOT_WRITE });
    }
    this.#catalogue.remove(asset);
    return ok();
  }

  /** Half uploads of writers that are gone take places: they are deleted, once, before the first upload. */
  async #sweep(what: string): Promise<void> {
    const dead = [...this.#catalogue.all()].filter((asset) => this.#isAbandoned(asset));
    await Promise.all(dead.map(async (asset) => this.delete(asset, what)));
  }

  #isAbandoned({ starter, modified }: Asset): boolean {
    return starter && modified < this.#api.context.now().getTime() - ABANDONED_MS;
  }

  /** GitHub hides from a token that may not write that this is why: what is there for a reader was not deleted. */
  async #isGone({ id }: Asset, what: string): Promise<boolean> {
    const route = "GET /repos/{owner}/{repo}/releases/assets/{asset_id}";
    const answer = await this.#api.ask({ what, route, parameters: { asset_id: id }, expect: [404] });
    return answer.ok && answer.value.status === 404;
  }

  async #attempt(job: Job): Promise<Outcome<Asset>> {
    if (job.tried.size + job.taken.size > 0) {
      const looked = await this.#look(job);
      if (looked !== undefined) return looked;
    }
    const room = await this.#rooms.take(job.what);
    if (!room.ok) return room;
    const name = this.#freeName(job);
    const outcome = await this.#send(job, room.value, name);
    const kept = outcome.ok;
    if (!kept) room.value.used -= 1;
    return outcome;
  }

  /**
   * What became of the tries so far: the answer to one that took effect may have been lost, and one that was cut left
   * a `starter`. One that another writer is at work on stays; this job then takes another name.
   */
  async #look(job: Job): Promise<Outcome<Asset> | undefined> {
    const read = await this.#catalogue.refresh(job.what, { attempts: 1 });
    if (!read.ok) return troubled({ problem: `what became of the upload is not known: ${message(read.failures[0])}` });
    const assets = this.#catalogue.of(job.key).filter(({ id }) => !job.before.has(id));
    const done = assets.findLast((asset) => isWhole(asset) && asset.size === job.body.size);
    if (done !== undefined && (done.digest ?? job.digest) === job.digest) return ok(done);
    for (const asset of this.#catalogue.of(job.key)) {
      const ours = job.tried.has(asset.name) && !job.before.has(asset.id);
      if (!asset.starter || !(ours || this.#isAbandoned(asset))) continue;
      // oxlint-disable-next-line no-await-in-loop -- there is one, hardly ever two
      const deleted = await this.delete(asset, job.what);
      if (!deleted.ok) return deleted;
      job.taken.delete(asset.name);
    }
    return undefined;
  }

  async #clean(job: Job): Promise<void> {
    const read = await this.#catalogue.refresh(job.what, { attempts: 1 });
    if (!read.ok) return; // it is swept some day
    const left = this.#catalogue.of(job.key).filter(({ starter, name }) => starter && job.tried.has(name));
    await Promise.all(left.map(async (asset) => this.delete(asset, job.what)));
  }

  #freeName({ key, body, taken }: Job): string {
    const known = new Set(this.#catalogue.of(key).map(({ name }) => name));
    for (let generation = 1; ; generation++) {
      const name = assetName({ key, generation, empty: body.size === 0 });
      if (!known.has(name) && !taken.has(name)) return name;
    }
  }

  async #send(job: Job, release: Release, name: string): Promise<Outcome<Asset>> {
    const { what, body, size, key } = job;
    using watch = new Watch(this.#api.options.stallMs, this.#api.context.signal);
    const source: { problem?: unknown } = {};
    async function* bytes(): AsyncGenerator<Uint8Array> {
      try {
        for await (const chunk of verified(body)) {
          watch.moved();
          yield chunk;
        }
        if (body.size === 0) yield NOTHING;
        watch.moved(size / TAKES_PER_MS);
      } catch (error) {
        source.problem = error;
        throw error;
      }
    }
    const again = job.tried.has(name);
    job.tried.add(name);
    const outcome = await this.#api.once({
      what,
      // octokit's own method goes to github.com whatever server is in use
      route: `POST ${release.uploadUrl}`,
      parameters: { name, data: ReadableStream.from(bytes()) },
      // GitHub takes no upload without a length, which a stream has not
      headers: { "content-type": "application/octet-stream", "content-length": String(size) },
      expect: [404, 422],
      watch,
    });
    if (this.#api.context.signal?.aborted === true) return fail({ code: "interrupted" });
    if (source.problem !== undefined) return sourceFailure(what, source.problem);
    if (!outcome.ok) return outcome;
    const answer = outcome.value;
    if (answer.status >= 400 && !again) job.tried.delete(name);
    if (answer.status === 422) return this.#refused(job, release, name, refusal(answer));
    if (answer.status === 404) return this.#lost(job, release);
    const asset = readAsset(answer.data as RawAsset, release.id);
    if (asset?.name !== name || asset.key !== key) {
      return fail({ code: "external", what, problem: `GitHub changed the asset's name from ${name}` });
    }
    this.#catalogue.add(asset);
    if (asset.size === body.size && (asset.digest ?? job.digest) === job.digest) return ok(asset);
    const problem = `${asset.digest ?? `${asset.size} bytes`} arrived, not ${job.digest}`;
    const deleted = await this.delete(asset, what);
    release.used += 1; // deleting gave the place back, and so will the caller
    return deleted.ok ? troubled({ problem }) : deleted;
  }

  #refused({ what, taken }: Job, release: Release, name: string, problem: string): Outcome<Asset> {
    if (/already_exists/.test(problem)) {
      taken.add(name);
      return troubled({ problem, progress: taken.size < 20 });
    }
    if (/immutable/i.test(problem)) return frozen(what, release.tag);
    // Others filled it, unless it holds nothing else: then GitHub means another limit, and a new release is no help.
    const full = release.used > 1 && /at most|limit|maximum|too many/i.test(problem);
    if (!full) return fail({ code: "external", what, problem });
    release.used = Infinity; // the next reading of its list knows better
    return troubled({ problem });
  }

  /** The release was deleted, or the token sees it and may not write to it. */
  async #lost({ what }: Job, release: Release): Promise<Outcome<Asset>> {
    const found = await this.#catalogue.release(release.number, what);
    if (!found.ok) return found;
    if (found.value?.id === release.id) return fail({ code: "external", what, ...MAY_NOT_WRITE });
    this.#catalogue.releases.delete(release.id);
    return troubled({ problem: `release ${release.tag} is gone` });
  }
}

function sourceFailure(what: string, error: unknown): Failed {
  if (!(error instanceof BodyMismatch) && !isSystemError(error)) throw error;
  return fail({ code: "external", what, problem: error.message, cause: error });
}
