import { fail, ok } from "../../../core/index.ts";
import type { Result } from "../../../core/index.ts";
import type { Key } from "../../driver.ts";
import type { RetryOptions } from "../retry.ts";
import type { ReleaseApi } from "./api.ts";
import { isWhole, readAsset } from "./asset.ts";
import type { Asset, RawAsset } from "./asset.ts";

/** One published release of the store. */
export interface Release {
  readonly id: number;
  /** As in its tag, from 1. */
  readonly number: number;
  readonly tag: string;
  /** Address for uploads, with `{?name,label}` at its end. */
  readonly uploadUrl: string;
  /** It takes nothing any more: the repository had release immutability on when it was published. */
  readonly immutable: boolean;
  /** Assets it holds, those that are not the store's and those on the way included. */
  used: number;
}

interface RawRelease {
  readonly id: number;
  readonly upload_url: string;
  readonly immutable?: boolean;
}

/** A list of GitHub's may be this old: for so long, what was written here counts although it is not listed. */
const LAG_MS = 5_000;

/**
 * Which objects lie where: the lists of all assets, read once, then kept up to date with what this driver does.
 * Reading them again is cheap: GitHub says of each page that it did not change, and does not count that.
 */
export class Catalogue {
  readonly releases = new Map<number, Release>();
  /** The highest number a tag of the store has, with or without a release. */
  highest = 0;
  readonly #api: ReleaseApi;
  readonly #prefix: string;
  #assets = new Map<Key, Asset[]>();
  readonly #own = new Map<number, { readonly asset: Asset; readonly at: number }>();
  readonly #gone = new Set<number>();
  #readAt: number | undefined;
  #reading: Promise<Result<void>> | undefined;

  constructor(api: ReleaseApi, prefix: string) {
    this.#api = api;
    this.#prefix = prefix;
  }

  tag(number: number): string {
    return `${this.#prefix}-${String(number).padStart(4, "0")}`;
  }

  /** Reads the lists unless they were read. */
  async ready(what: string): Promise<Result<void>> {
    return this.#readAt === undefined ? this.refresh(what) : ok();
  }

  /** Reads what changed. Whoever asks while it goes on gets the same reading. */
  async refresh(what: string, options?: RetryOptions): Promise<Result<void>> {
    this.#reading ??= this.#read(what, options).finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  /** The object's newest whole asset; one that is not known is looked for again, unless that was done just now. */
  async find(key: Key, what: string, why: "get" | "stat"): Promise<Result<Asset | undefined>> {
    const ready = await this.ready(what);
    if (!ready.ok) return ready;
    const known = this.newest(key);
    const age = this.#now() - (this.#readAt ?? 0);
    if (known !== undefined || age < this.#api.options.recheckMs[why]) return ok(known);
    const read = await this.refresh(what);
    return read.ok ? ok(this.newest(key)) : read;
  }

  newest(key: Key): Asset | undefined {
    return this.of(key).findLast(isWhole);
  }

  /** All assets of an object, half ones included, in the order in which they were made. */
  of(key: Key): readonly Asset[] {
    return this.#assets.get(key) ?? [];
  }

  *all(): Iterable<Asset> {
    for (const assets of this.#assets.values()) yield* assets;
  }

  add(asset: Asset): void {
    this.#own.set(asset.id, { asset, at: this.#now() });
    insert(this.#assets, asset);
  }

  remove({ id, key, release: of }: Asset): void {
    this.#gone.add(id);
    this.#own.delete(id);
    const left = this.of(key).filter((asset) => asset.id !== id);
    if (left.length === this.of(key).length) return;
    if (left.length === 0) this.#assets.delete(key);
    else this.#assets.set(key, left);
    const release = this.releases.get(of);
    if (release !== undefined) release.used -= 1;
  }

  /** A release by its tag; undefined when there is none (any more, or yet). */
  async release(number: number, what: string, options?: RetryOptions): Promise<Result<Release | undefined>> {
    const route = "GET /repos/{owner}/{repo}/releases/tags/{tag}";
    const parameters = { tag: this.tag(number) };
    const found = await this.#api.ask({ what, route, parameters, expect: [404] }, options);
    if (!found.ok || found.value.status === 404) return found.ok ? ok(undefined) : found;
    return ok(this.know(found.value.data, number));
  }

  /** Takes a release from GitHub's answer. */
  know(data: unknown, number: number): Release {
    const { id, upload_url: uploadUrl, immutable } = data as RawRelease;
    const tag = this.tag(number);
    const release: Release = { id, number, tag, uploadUrl, immutable: immutable === true, used: 0 };
    this.releases.set(id, release);
    this.highest = Math.max(this.highest, number);
    return release;
  }

  async #read(what: string, options?: RetryOptions): Promise<Result<void>> {
    const start = this.#now();
    const numbers = await this.#numbers(what, options);
    if (!numbers.ok) return numbers;
    const known = new Set([...this.releases.values()].map(({ number }) => number));
    const missing = numbers.value.filter((number) => !known.has(number));
    this.highest = Math.max(this.highest, ...numbers.value);
    const found = await Promise.all(missing.map(async (number) => this.release(number, what, options)));
    for (const release of found) if (!release.ok) return release;
    const releases = [...this.releases.values()];
    const lists = await Promise.all(releases.map(async (release) => this.#list(release, what, options)));
    const fresh = new Map<Key, Asset[]>();
    for (const [at, list] of lists.entries()) {
      if (!list.ok) return list;
      if (list.value === undefined) this.releases.delete(releases[at]!.id);
      for (const asset of list.value ?? []) if (!this.#gone.has(asset.id)) insert(fresh, asset);
    }
    for (const [id, { asset, at }] of this.#own) {
      if (at < start - LAG_MS) this.#own.delete(id);
      else if (this.releases.has(asset.release)) insert(fresh, asset);
    }
    this.#assets = fresh;
    this.#readAt = start;
    return ok();
  }

  async #numbers(what: string, options?: RetryOptions): Promise<Result<number[]>> {
    const route = "GET /repos/{owner}/{repo}/git/matching-refs/{ref}";
    const parameters = { ref: `tags/${this.#prefix}-` };
    // 409: a repository without a commit.
    const answer = await this.#api.ask({ what, route, parameters, expect: [409] }, options);
    if (!answer.ok || answer.value.status === 409) return answer.ok ? ok([]) : answer;
    const { data } = answer.value;
    if (!Array.isArray(data)) return fail({ code: "external", what, problem: "GitHub's answer is no list of tags" });
    const start = `refs/tags/${this.#prefix}-`;
    const rests = (data as readonly { ref: string }[]).map(({ ref }) => ref.slice(start.length));
    return ok(rests.filter((rest) => /^\d{4,6}$/.test(rest)).map(Number));
  }

  /** The store's assets in a release; undefined when the release is not there any more. */
  async #list(release: Release, what: string, options?: RetryOptions): Promise<Result<Asset[] | undefined>> {
    const route = "GET /repos/{owner}/{repo}/releases/{release_id}/assets";
    const parameters = { release_id: release.id };
    const answer = await this.#api.list({ what, route, parameters, expect: [404] }, options);
    if (!answer.ok || answer.value === undefined) return answer.ok ? ok(undefined) : answer;
    release.used = answer.value.length;
    return ok(answer.value.flatMap((raw) => readAsset(raw as RawAsset, release.id) ?? []));
  }

  #now(): number {
    return this.#api.context.now().getTime();
  }
}

/** In the order of ids, which GitHub gives in the order of time; what is known already is replaced. */
function insert(assets: Map<Key, Asset[]>, asset: Asset): void {
  const others = (assets.get(asset.key) ?? []).filter(({ id }) => id !== asset.id);
  assets.set(
    asset.key,
    [...others, asset].sort((a, b) => a.id - b.id),
  );
}
