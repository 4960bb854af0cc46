import { open } from "node:fs/promises";
import { attempt, fail, ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { retry, StalledError, troubled } from "../store/drivers/retry.ts";
import type { Outcome } from "../store/drivers/retry.ts";
import type { Origin, Pin, TransferOptions } from "./import-origin.ts";

/** Bytes that a server may send without having said how many there are. */
const UNANNOUNCED = 10 * 1024 ** 3;

export interface Receipt {
  readonly what: string;
  /** Of a folder's file; "" for a lone one. */
  readonly path: string;
  /** Absolute. What is there already are the first bytes of what `pin` says. */
  readonly into: string;
  readonly pin: Pin | undefined;
  /** Told when a transfer begins from the start, before its first byte is written. */
  readonly begun: (pin: Pin) => Promise<Result<void>>;
  /** Bytes that came; negative for those that have to come again. */
  readonly progress: (bytes: number, pin: Pin) => void;
}

/**
 * Brings the bytes of a file here, over as many requests as it takes: a transfer that was cut goes on where it was, if
 * the file is still the same, and begins again otherwise. Holds what came against the announced length.
 */
export async function receive(
  context: Context,
  origin: Origin,
  receipt: Receipt,
  { stallMs = 30_000, ...retrying }: TransferOptions = {},
): Promise<Result<Pin>> {
  const { what, into } = receipt;
  const opened = await attempt(into, async () => {
    const file = await open(into, "a+")
      .then(async (made) => made.close())
      .then(async () => open(into, "r+"));
    return { file, size: (await file.stat()).size };
  });
  if (!opened.ok) return opened;
  await using file = opened.value.file;
  let pin = receipt.pin;
  let at = pin === undefined ? 0 : opened.value.size;
  let told = 0;

  const once = async (signal: AbortSignal, moved: () => void): Promise<Outcome<Pin>> => {
    // The last byte is asked for even when all are here: the file may have changed since.
    const offset = Math.min(at, Math.max(0, (pin?.size ?? at) - 1));
    const answer = await origin.get(receipt.path, { offset, pin, signal });
    if (!answer.ok) return answer;
    const piece = answer.value;
    moved();
    at = piece.offset;
    pin = piece.pin;
    receipt.progress(at - told, pin);
    told = at;
    const ready = await attempt(into, async () => file.truncate(at));
    if (!ready.ok) return ready;
    const begun = at === 0 ? await receipt.begun(pin) : ok();
    if (!begun.ok) return begun;
    for await (const chunk of piece.bytes) {
      moved();
      if (at + chunk.length > (pin.size ?? UNANNOUNCED)) {
        return fail({ code: "external", what, problem: `it sends more than ${pin.size ?? UNANNOUNCED} bytes` });
      }
      const written = await attempt(into, async () => file.write(chunk, 0, chunk.length, at));
      if (!written.ok) return written;
      at += chunk.length;
      told = at;
      receipt.progress(chunk.length, pin);
    }
    if (pin.size === undefined || at === pin.size) return ok(pin);
    return troubled({ problem: `the bytes ended at ${at} of ${pin.size}` });
  };

  return await retry(
    what,
    async () => {
      const stalled = new AbortController();
      const timer = setTimeout(() => stalled.abort(new StalledError(stallMs)), stallMs);
      const signal = AbortSignal.any([stalled.signal, ...(context.signal === undefined ? [] : [context.signal])]);
      const before = at;
      try {
        const outcome = await once(signal, () => timer.refresh());
        return "trouble" in outcome ? troubled({ progress: at > before, ...outcome.trouble }) : outcome;
      } catch (error) {
        if (context.signal?.aborted === true) return fail({ code: "interrupted" });
        if (stalled.signal.aborted) return troubled({ problem: (stalled.signal.reason as Error).message });
        const judged = origin.judge(what, error);
        return "trouble" in judged ? troubled({ progress: at > before, ...judged.trouble }) : judged;
      } finally {
        clearTimeout(timer);
      }
    },
    { ...retrying, signal: context.signal },
  );
}
