import type { Context, ProgressEvent } from "../../../src/core/index.ts";
import { openRelease } from "../../../src/store/drivers/release/index.ts";
import type { ReleaseOptions } from "../../../src/store/drivers/release/index.ts";
import type { Driver } from "../../../src/store/driver.ts";
import type { Release } from "../../../src/sandbox/world.ts";
import { expect } from "vitest";
import { value } from "../../helpers/value.ts";
import { Rig } from "../../sandbox/rig.ts";
import type { FaultySubject } from "./contract.ts";
import { Faulty } from "./faulty.ts";

/** No pauses: neither between tries nor for the limits of an hour. */
export const HASTY: ReleaseOptions = {
  retry: { baseMs: 5 },
  writeLimits: [],
  recheckMs: { get: 0, stat: 0 },
  sleep: async () => {},
};

export interface RigOptions extends ReleaseOptions {
  /** "" for none; that of the repository's owner unless told. */
  readonly token?: string;
  readonly url?: string;
  /** Replaces parts of the context. */
  readonly world?: Partial<Context>;
}

/** A repository with a commit on a sandbox, with as many stores as tests, and drivers that reach it through a proxy. */
export class ReleaseRig implements AsyncDisposable {
  readonly rig: Rig;
  readonly proxy: Faulty;
  readonly events: ProgressEvent[] = [];
  #stores = 0;

  private constructor(rig: Rig, proxy: Faulty) {
    this.rig = rig;
    this.proxy = proxy;
  }

  static async start(options: { readonly private?: boolean; readonly commit?: boolean } = {}): Promise<ReleaseRig> {
    const rig = await Rig.start(options);
    if (options.commit !== false) await rig.push("main", { "a.txt": "a" });
    const proxy = await Faulty.start(rig.sandbox.url);
    rig.sandbox.world.origin = proxy.url; // the addresses it gives lead through the proxy too
    return new ReleaseRig(rig, proxy);
  }

  /** The next test: an empty store, nothing seen, nothing planned, no request counted. */
  next(): this {
    this.#stores += 1;
    this.proxy.reset();
    this.events.length = 0;
    this.rig.sandbox.world.rates.clear();
    return this;
  }

  /** A store of its own for the contracts. Whatever was asked of it must be what GitHub's description takes. */
  subject(stallMs: number): FaultySubject {
    const { url } = this.next();
    const open = (signal?: AbortSignal): Driver =>
      this.driver({ url, stallMs, world: signal === undefined ? {} : { signal } });
    return {
      driver: open(),
      again: open,
      proxy: this.proxy,
      reads: { method: "GET", path: /^\/_results\/blobs\// },
      writes: { method: "POST", path: /\/assets\?name=/ },
      [Symbol.asyncDispose]: async () => expect(this.rig.openapi.violations()).toEqual([]),
    };
  }

  /** Before the dash in its releases' tags. */
  get prefix(): string {
    return `store${this.#stores}`;
  }

  get url(): string {
    return `release://ada/digits?tag=${this.prefix}`;
  }

  driver({ token = this.rig.sandbox.token("ada"), url = this.url, world = {}, ...options }: RigOptions = {}): Driver {
    const context: Context = {
      cwd: this.rig.folder,
      env: token === "" ? {} : { GITHUB_TOKEN: token, GITHUB_API_URL: `${this.proxy.url}/api/v3` },
      now: () => new Date(),
      fetch,
      emit: (event) => this.events.push(event),
      ...world,
    };
    return value(openRelease(context, url, { ...HASTY, ...options }));
  }

  /** The store's releases, as GitHub knows them. */
  get releases(): readonly Release[] {
    const all = this.rig.sandbox.world.repositories.get("ada/digits")?.releases ?? [];
    return all.filter(({ tagName }) => tagName.startsWith(`${this.prefix}-`));
  }

  /** Names of all assets, of all releases. */
  get names(): readonly string[] {
    return this.releases.flatMap(({ assets }) => assets.map(({ name }) => name));
  }

  warnings(): readonly string[] {
    return this.events.flatMap((event) => (event.type === "warning" ? [event.message] : []));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy[Symbol.asyncDispose]();
    await this.rig[Symbol.asyncDispose]();
  }
}
