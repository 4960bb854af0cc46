import type { Context, ProgressEvent } from "../../../src/core/index.ts";
import { openRelease } from "../../../src/store/drivers/release/index.ts";
import type { ReleaseOptions } from "../../../src/store/drivers/release/index.ts";
import type { Driver } from "../../../src/store/driver.ts";
import type { Release } from "../../../src/sandbox/world.ts";
import { value } from "../../helpers/value.ts";
import { Rig } from "../../sandbox/rig.ts";
import { Faulty } from "./faulty.ts";

export const STORE = "release://ada/digits";

/** No pauses: neither between tries nor for the limits of an hour. */
export const HASTY: ReleaseOptions = {
  retry: { baseMs: 5 },
  writeLimits: [],
  recheckMs: 0,
  sleep: async () => {},
};

/** A repository with a commit on a sandbox, and drivers that reach it through a proxy. */
export class ReleaseRig implements AsyncDisposable {
  readonly rig: Rig;
  readonly proxy: Faulty;
  readonly events: ProgressEvent[] = [];

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

  context(token: string, signal?: AbortSignal): Context {
    return {
      cwd: this.rig.folder,
      env: { GITHUB_TOKEN: token, GITHUB_API_URL: `${this.proxy.url}/api/v3` },
      now: () => new Date(),
      fetch,
      emit: (event) => this.events.push(event),
      ...(signal === undefined ? {} : { signal }),
    };
  }

  driver(
    options: ReleaseOptions & { readonly token?: string; readonly signal?: AbortSignal; url?: string } = {},
  ): Driver {
    const { token = this.rig.sandbox.token("ada"), signal, url = STORE, ...rest } = options;
    return value(openRelease(this.context(token, signal), url, { ...HASTY, ...rest }));
  }

  /** What the repository holds, as GitHub would know it. */
  get releases(): readonly Release[] {
    return this.rig.sandbox.world.repositories.get("ada/digits")?.releases ?? [];
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
