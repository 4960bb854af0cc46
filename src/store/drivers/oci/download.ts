import { fail, ok } from "../../../core/index.ts";
import type { Digest, Result } from "../../../core/index.ts";
import type { Driver, Range } from "../../driver.ts";
import { troubled } from "../retry.ts";
import type { Outcome } from "../retry.ts";
import { refused } from "./client.ts";
import type { Call, Client, Watch } from "./client.ts";

type Sink = Parameters<Driver["get"]>[1];

/** Hands a blob (or a range of it) to `sink`, in order, each byte once; a cut transfer goes on where it was. */
export async function download(
  client: Client,
  what: string,
  digest: Digest,
  sink: Sink,
  range?: Range,
): Promise<Result<boolean>> {
  const transfer = new Transfer(what, sink, range);
  return client.retry(what, async () => {
    const call: Call = { what, access: "pull", method: "GET", at: `blobs/${digest}`, headers: transfer.headers() };
    const before = transfer.at;
    const outcome = await client.once(call, async (response, watch) => {
      if (response.status === 404 && !transfer.started) return ok(false);
      const begun = transfer.begin(response);
      if (begun === undefined) return refused(client, call, response, watch);
      return begun.ok ? transfer.take(response, watch, begun.value) : begun;
    });
    if (transfer.thrown !== undefined) throw transfer.thrown.error;
    if (!("trouble" in outcome)) return outcome;
    return troubled({ ...outcome.trouble, progress: transfer.at > before });
  });
}

class Transfer {
  /** Bytes of the blob before this one were handed over, or not asked for. */
  at: number;
  started = false;
  thrown: { readonly error: unknown } | undefined;
  readonly #what: string;
  readonly #sink: Sink;
  /** Undefined until a registry has said how long the blob is. */
  #end: number | undefined;

  constructor(what: string, sink: Sink, range: Range | undefined) {
    this.#what = what;
    this.#sink = sink;
    this.at = range?.offset ?? 0;
    this.#end = range === undefined ? undefined : range.offset + range.length;
  }

  headers(): Record<string, string> {
    if (this.at === 0 && this.#end === undefined) return {};
    return { range: `bytes=${this.at}-${this.#end === undefined ? "" : this.#end - 1}` };
  }

  /** Bytes of the answer to leave out. Undefined: this is no answer with bytes of the blob. */
  begin(response: Response): Outcome<number> | undefined {
    const { status, headers } = response;
    if (status === 416) return this.#beyond(headers.get("content-range")?.split("/")[1] ?? "fewer");
    const length = headers.get("content-length");
    if (status === 200) {
      // A registry that knows no ranges sends everything.
      const total = length === null ? undefined : Number(length);
      if (total !== undefined && (this.#end ?? 0) > total) return this.#beyond(String(total));
      this.#end ??= total;
      return ok(this.at);
    }
    if (status !== 206) return undefined;
    const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(headers.get("content-range") ?? "") ?? [];
    if (Number(first) !== this.at) {
      return troubled({ problem: `the bytes from ${this.at} on were asked for, others came` });
    }
    if ((this.#end ?? 0) > Number(total)) return this.#beyond(String(total));
    this.#end ??= Number(total);
    if (Number(last) >= this.#end) return troubled({ problem: "more bytes came than were asked for" });
    return ok(0);
  }

  async take(response: Response, watch: Watch, leaveOut: number): Promise<Outcome<boolean>> {
    let skip = leaveOut;
    for await (const chunk of response.body ?? []) {
      watch.moved();
      const left = chunk.subarray(Math.min(skip, chunk.length));
      const wanted = left.subarray(0, (this.#end ?? Infinity) - this.at);
      skip -= chunk.length - left.length;
      watch.hold();
      if (wanted.length > 0) await this.#give(wanted);
      watch.moved();
      // Read to its own end, an answer leaves its connection to the next request.
      if (wanted.length < left.length) break;
    }
    if (this.#end === undefined || this.at === this.#end) return ok(true);
    return troubled({ problem: `the bytes ended at ${this.at} of ${this.#end}` });
  }

  async #give(bytes: Uint8Array): Promise<void> {
    this.started = true;
    try {
      await this.#sink(bytes);
    } catch (error) {
      this.thrown = { error };
      throw error;
    }
    this.at += bytes.length;
  }

  #beyond(total: string): Result<never> {
    const wanted = `the bytes up to ${this.#end ?? this.at} were asked for`;
    return fail({ code: "external", what: this.#what, problem: `it has ${total} bytes; ${wanted}` });
  }
}
