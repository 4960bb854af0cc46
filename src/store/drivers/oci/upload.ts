import { fail, ok } from "../../../core/index.ts";
import type { Result } from "../../../core/index.ts";
import type { Body } from "../../driver.ts";
import { troubled } from "../retry.ts";
import type { Outcome } from "../retry.ts";
import { refused } from "./client.ts";
import type { Call, Client, Upload } from "./client.ts";

export interface UploadOptions {
  /** Ask first whether the registry has it. False: it is sent whatever the registry says it has. */
  readonly look: boolean;
  /** Bytes up to which a blob goes in one request; 8 MiB unless told. */
  readonly wholeBytes?: number;
  /** Bytes of a chunk; 4 MiB unless told: ghcr.io takes no more in a PATCH. */
  readonly chunkBytes?: number;
}

/** An upload that the registry has begun. */
interface Session {
  readonly at: URL;
  /** Bytes that the registry has. */
  readonly offset: number;
  /** The least that a chunk but the last may have. */
  readonly least: number;
}

/** Puts a blob into the repository; the registry holds its digest against the bytes. Nothing names it yet. */
export async function uploadBlob(
  client: Client,
  what: string,
  body: Body,
  options: UploadOptions,
): Promise<Result<void>> {
  const sending = new Sending(client, what, body, options);
  return client.retry(what, async () => sending.go());
}

class Sending {
  readonly #client: Client;
  readonly #what: string;
  readonly #body: Body;
  readonly #chunkBytes: number;
  #look: boolean;
  #whole: boolean;
  #session: Session | undefined;
  /** The most bytes of one session so far. Beginning anew again and again is no progress. */
  #best = 0;

  constructor(client: Client, what: string, body: Body, options: UploadOptions) {
    const { look, wholeBytes = 8 * 1024 * 1024, chunkBytes = 4 * 1024 * 1024 } = options;
    this.#client = client;
    this.#what = what;
    this.#body = body;
    this.#chunkBytes = chunkBytes;
    this.#look = look;
    this.#whole = body.size <= wholeBytes;
  }

  /** One try, from what the tries before have reached. */
  async go(): Promise<Outcome<void>> {
    if (this.#look) {
      const there = await this.#isThere();
      if (!there.ok || there.value) return there.ok ? ok() : there;
    }
    this.#look = true; // an answer that was lost may have been "created"
    const outcome = this.#whole ? await this.#sendWhole() : await this.#sendChunks();
    if (!("trouble" in outcome)) return outcome;
    const reached = this.#session?.offset ?? 0;
    const progress = reached > this.#best;
    this.#best = Math.max(this.#best, reached);
    return troubled({ ...outcome.trouble, progress });
  }

  async #isThere(): Promise<Outcome<boolean>> {
    const call = this.#call("HEAD", `blobs/${this.#body.digest}`, "pull");
    return this.#client.once(call, (response, watch) => {
      if (response.status === 404) return ok(false);
      return response.ok ? ok(true) : refused(this.#client, call, response, watch);
    });
  }

  async #sendWhole(): Promise<Outcome<void>> {
    const opened = await this.#open();
    if (!opened.ok || opened.value === undefined) return opened.ok ? ok() : opened;
    return this.#finish(opened.value, this.#bytes(0, this.#body.size));
  }

  async #sendChunks(): Promise<Outcome<void>> {
    if (this.#session !== undefined) {
      const resumed = await this.#resume(this.#session);
      if (!resumed.ok) return resumed;
      this.#session = resumed.value;
    }
    if (this.#session === undefined) {
      const opened = await this.#open();
      if (!opened.ok || opened.value === undefined) return opened.ok ? ok() : opened;
      this.#session = opened.value;
    }
    while (this.#session.offset < this.#body.size) {
      // oxlint-disable-next-line no-await-in-loop -- a registry takes chunks in order
      const sent: Outcome<Session> = await this.#sendChunk(this.#session);
      if (!sent.ok) return sent;
      this.#session = sent.value;
    }
    return this.#finish(this.#session, this.#bytes(0, 0));
  }

  /** Begins an upload, or mounts the blob from the other repository: then there is nothing left to send. */
  async #open(): Promise<Outcome<Session | undefined>> {
    const { mount, origin } = this.#client.address;
    const from =
      mount === undefined ? "" : `?${String(new URLSearchParams({ mount: this.#body.digest, from: mount }))}`;
    const call = this.#call("POST", `blobs/uploads/${from}`, "push", this.#bytes(0, 0));
    return this.#client.once(call, (response, watch) => {
      if (response.status === 201) return ok(undefined);
      const at = locationOf(response, origin);
      if (response.status !== 202) return refused(this.#client, call, response, watch);
      if (at === undefined)
        return fail({ code: "external", what: this.#what, problem: "the registry names no place to send to" });
      const least = Number(response.headers.get("oci-chunk-min-length") ?? 0) || 0;
      return ok({ at, offset: 0, least });
    });
  }

  /** How far an upload has come. Undefined: the registry has dropped it, as some do after a chunk that was cut. */
  async #resume(session: Session): Promise<Outcome<Session | undefined>> {
    return this.#client.once(this.#call("GET", session.at, "push"), (response) => {
      const offset = received(response);
      // "0-0" says one byte or none; beginning anew costs nothing then.
      if (!response.ok || offset === undefined || offset <= 1 || offset > this.#body.size) return ok(undefined);
      return ok({ ...session, at: locationOf(response, session.at) ?? session.at, offset });
    });
  }

  async #sendChunk(session: Session): Promise<Outcome<Session>> {
    const { offset, at } = session;
    const end = Math.min(this.#body.size, offset + Math.max(this.#chunkBytes, session.least));
    const headers = { "content-type": "application/octet-stream", "content-range": `${offset}-${end - 1}` };
    const call = { ...this.#call("PATCH", at, "push", this.#bytes(offset, end - offset)), headers };
    return this.#client.once(call, async (response, watch) => {
      if (response.status !== 202)
        return this.#withoutChunks(call, response, await refused(this.#client, call, response, watch));
      const taken = received(response) ?? 0;
      // It may take less than was sent. Some repeat an old number for chunks they did take; the digest is the judge.
      const next = taken > Math.max(1, offset) && taken < end ? taken : end;
      return ok({ ...session, at: locationOf(response, at) ?? at, offset: next });
    });
  }

  async #finish(session: Session, upload: Upload): Promise<Outcome<void>> {
    const at = new URL(session.at);
    at.searchParams.set("digest", this.#body.digest);
    const headers = { "content-type": "application/octet-stream" };
    const call = { ...this.#call("PUT", at, "push", upload), headers };
    return this.#client.once(call, async (response, watch) => {
      if (response.ok) return ok();
      const refusal = await refused(this.#client, call, response, watch);
      return this.#whole ? refusal : this.#withoutChunks(call, response, refusal);
    });
  }

  /** Registries differ most in chunks: one that refuses them, or makes something else of them, gets one request. */
  #withoutChunks({ method }: Call, { status }: Response, refusal: Outcome<never>): Outcome<never> {
    if (status === 401 || status === 403) return refusal;
    this.#session = undefined;
    this.#whole = true;
    return troubled({ problem: `a ${method} of an upload in chunks was answered with ${status}` });
  }

  #bytes(offset: number, size: number): Upload {
    return { size, open: () => this.#body.read(offset, size) };
  }

  #call(method: Call["method"], at: Call["at"], access: Call["access"], upload?: Upload): Call {
    return { what: this.#what, method, at, access, ...(upload === undefined ? {} : { upload }) };
  }
}

/** Bytes that the registry says it has. */
function received({ headers }: Response): number | undefined {
  const last = /^(?:bytes[ =])?0-(\d+)$/.exec(headers.get("range")?.trim() ?? "")?.[1];
  return last === undefined ? undefined : Number(last) + 1;
}

function locationOf({ headers }: Response, base: URL | string): URL | undefined {
  const url = URL.parse(headers.get("location") ?? "", String(base));
  return headers.has("location") && url !== null && /^https?:$/.test(url.protocol) ? url : undefined;
}
