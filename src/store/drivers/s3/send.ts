import type { PutObjectCommand, UploadPartCommand } from "@aws-sdk/client-s3";
import { Readable } from "node:stream";
import { fail, ok } from "../../../core/index.ts";
import type { Result } from "../../../core/index.ts";
import type { Body, Key } from "../../driver.ts";
import { troubled } from "../retry.ts";
import type { Outcome } from "../retry.ts";
import { s3Error } from "./failure.ts";
import { statObject } from "./read.ts";
import type { Remote } from "./remote.ts";
import type { Watch } from "./request.ts";
import { SourceError } from "./source.ts";

/** `taken`: the condition did not hold, and nothing was written. */
export type Written = "written" | "taken";

/** What a request asked of its server beyond storing bytes. */
export interface Asked {
  readonly condition: boolean;
  readonly checksum: boolean;
}

/** What a write may ask of this server, as far as it is known. */
export function askFor(remote: Remote, onlyIfAbsent: boolean): Asked {
  return { condition: onlyIfAbsent && remote.conditional, checksum: remote.checksums };
}

/** What the refusal of a write means; undefined for one that is like any other request's. */
export function refusal(remote: Remote, what: string, error: unknown, asked: Asked): Outcome<"taken"> | undefined {
  if (error instanceof SourceError) return fail(sourceFailure(what, error));
  const known = s3Error(error);
  if (known?.status === 412 && asked.condition) return ok("taken");
  if (known?.status !== 501) return undefined;
  // Without the condition, the HEAD before is what there is: two writers of one blob write the same bytes.
  if (asked.condition) remote.conditional = false;
  else if (asked.checksum) remote.checksums = false;
  else return undefined;
  return troubled({ problem: "the server implements less than was asked for", progress: true });
}

export function sourceFailure(what: string, error: SourceError) {
  return { code: "external" as const, what, problem: error.message, cause: error.cause ?? error };
}

/** The checksum of an upload: SHA-256 as the header wants it. */
export function base64Of(hex: string): string {
  return Buffer.from(hex, "hex").toString("base64");
}

/**
 * Sends bytes as a request's body. A stream and the request that sends it can break apart: whichever fails first ends
 * the other.
 */
export async function stream<T>(
  watch: Watch,
  bytes: AsyncIterable<Uint8Array>,
  send: (body: Readable, options: { readonly abortSignal: AbortSignal }) => Promise<T>,
): Promise<T> {
  const broken = new AbortController();
  const body = Readable.from(watched(bytes, watch), { objectMode: false, highWaterMark: 1024 * 1024 });
  body.on("error", (error) => broken.abort(error));
  try {
    return await send(body, { abortSignal: AbortSignal.any([watch.signal, broken.signal]) });
  } catch (error) {
    if (broken.signal.aborted) throw broken.signal.reason;
    broken.abort(); // a refusal may come before the end of the body, whose rest nobody wants
    throw error;
  } finally {
    body.destroy();
  }
}

async function* watched(bytes: AsyncIterable<Uint8Array>, watch: Watch): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of bytes) {
    watch.moved();
    yield chunk;
  }
}

/**
 * Has the signature cover the digest of the bytes, so that every server holds what arrives against it: the SDK itself
 * signs a stream unseen.
 */
export function signed<C extends PutObjectCommand | UploadPartCommand>(command: C, hex: string): C {
  (command as PutObjectCommand).middlewareStack.add(
    (next) => async (args) => {
      (args.request as { headers: Record<string, string> }).headers["x-amz-content-sha256"] = hex;
      return next(args);
    },
    { step: "build", name: "signedPayload" },
  );
  return command;
}

/** A server that knows checksums has compared them, and says so. Of another, the size is asked for. */
export async function proveWritten(
  remote: Remote,
  key: Key,
  body: Body,
  checksum: string | undefined,
): Promise<Result<Written>> {
  if (checksum !== undefined) return ok("written");
  const present = await statObject(remote, key);
  if (!present.ok) return present;
  if (present.value?.size === body.size) return ok("written");
  const size = present.value === undefined ? "nothing" : `${present.value.size} bytes`;
  const problem = `${body.size} bytes were sent and accepted, but the server holds ${size}`;
  return fail({ code: "external", what: remote.whatOf(key), problem });
}
