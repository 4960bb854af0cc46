import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import type { CompletedPart } from "@aws-sdk/client-s3";
import { hash } from "node:crypto";
import { fail, failedIfAny, ok } from "../../../core/index.ts";
import type { Failure, Result } from "../../../core/index.ts";
import type { Body, Key } from "../../driver.ts";
import { s3Error } from "./failure.ts";
import type { Remote } from "./remote.ts";
import { request } from "./request.ts";
import { askFor, base64Of, proveWritten, refusal, signed, sourceFailure, stream } from "./send.ts";
import type { Written } from "./send.ts";
import { checkedBytes, pieces, slices, SourceError } from "./source.ts";

const MOST_PARTS = 10_000;
const MIB = 1024 * 1024;
/** S3 puts the parts together before it answers, which takes minutes for a very large object. */
const COMPLETION = 20;

/** An upload in parts: what it is of, what S3 calls it, and whether its parts carry checksums. */
interface Upload {
  readonly what: string;
  readonly object: { readonly Bucket: string; readonly Key: string; readonly UploadId: string };
  readonly checksum: boolean;
}

/** Writes an object in parts, a few at a time, each of which is tried again by itself. What fails is taken back. */
export async function putInParts(
  remote: Remote,
  key: Key,
  body: Body,
  onlyIfAbsent: boolean,
): Promise<Result<Written>> {
  const begun = await begin(remote, key);
  if (!begun.ok) return begun;
  const upload = begun.value;
  let finished = false;
  try {
    const parts = await sendParts(remote, upload, body);
    if (!parts.ok) return parts;
    const written = await complete(remote, upload, parts.value, onlyIfAbsent);
    if (!written.ok) return written;
    if (written.value === "taken") return ok("taken");
    finished = true;
    return await proveWritten(remote, key, body, written.value.checksum);
  } finally {
    if (!finished) await takeBack(remote, upload);
  }
}

async function begin(remote: Remote, key: Key): Promise<Result<Upload>> {
  const what = remote.whatOf(key);
  const object = { Bucket: remote.bucket, Key: remote.nameOf(key) };
  let asked = askFor(remote, false);
  const begun = await request<Upload | "taken">(
    remote,
    what,
    async ({ signal: abortSignal }) => {
      asked = askFor(remote, false);
      const command = new CreateMultipartUploadCommand({
        ...object,
        ContentType: "application/octet-stream",
        ...(asked.checksum ? { ChecksumAlgorithm: "SHA256" } : {}),
      });
      const { UploadId } = await remote.client.send(command, { abortSignal });
      if (UploadId !== undefined) return ok({ what, object: { ...object, UploadId }, checksum: asked.checksum });
      return fail({ code: "external", what, problem: "the server began an upload without a name" });
    },
    (error) => refusal(remote, what, error, asked),
  );
  return begun as Result<Upload>; // nothing is taken without a condition
}

/** Reads the body once, part by part, as fast as parts are sent. The first failure ends it. */
async function sendParts(remote: Remote, upload: Upload, body: Body): Promise<Result<CompletedPart[]>> {
  const size = Math.max(remote.options.partSize, Math.ceil(body.size / MOST_PARTS / MIB) * MIB);
  const sending: Promise<void>[] = [];
  const parts: CompletedPart[] = [];
  const failures: Failure[] = [];
  const send = async (number: number, piece: Buffer, done: () => void): Promise<void> => {
    try {
      const part = await sendPart(remote, upload, number, piece);
      if (part.ok) parts[number - 1] = part.value;
      else failures.push(...part.failures);
    } finally {
      done();
    }
  };
  let release = await remote.parts.take();
  try {
    for await (const piece of pieces(checkedBytes(body), size, body.size)) {
      sending.push(send(sending.length + 1, piece, release));
      release = await remote.parts.take(); // before the next part is read into memory
      if (failures.length > 0) break;
    }
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    failures.push(sourceFailure(upload.what, error));
  } finally {
    release();
    await Promise.allSettled(sending);
  }
  await Promise.all(sending);
  return failedIfAny(failures.slice(0, 1)) ?? ok(parts);
}

async function sendPart(remote: Remote, upload: Upload, number: number, piece: Buffer): Promise<Result<CompletedPart>> {
  const hex = hash("sha256", piece, "hex");
  return request<CompletedPart>(remote, upload.what, async (watch) => {
    const { ETag, ChecksumSHA256 } = await stream(watch, slices(piece), async (Body, options) => {
      const command = new UploadPartCommand({
        ...upload.object,
        PartNumber: number,
        Body,
        ContentLength: piece.length,
        ...(upload.checksum ? { ChecksumSHA256: base64Of(hex) } : {}),
      });
      return remote.client.send(signed(command, hex), options);
    });
    return ok({
      PartNumber: number,
      ...(ETag === undefined ? {} : { ETag }),
      ...(ChecksumSHA256 === undefined ? {} : { ChecksumSHA256 }),
    });
  });
}

async function complete(
  remote: Remote,
  { what, object }: Upload,
  parts: readonly CompletedPart[],
  onlyIfAbsent: boolean,
): Promise<Result<{ readonly checksum: string | undefined } | "taken">> {
  let asked = askFor(remote, onlyIfAbsent);
  return request<{ checksum: string | undefined } | "taken">(
    remote,
    what,
    async ({ signal: abortSignal }) => {
      asked = askFor(remote, onlyIfAbsent);
      const command = new CompleteMultipartUploadCommand({
        ...object,
        MultipartUpload: { Parts: [...parts] },
        ...(asked.condition ? { IfNoneMatch: "*" } : {}),
      });
      return ok({ checksum: (await remote.client.send(command, { abortSignal })).ChecksumSHA256 });
    },
    (error) =>
      // The answer to an earlier try was lost, and the upload is over: the object tells how.
      s3Error(error)?.name === "NoSuchUpload" ? ok({ checksum: undefined }) : refusal(remote, what, error, asked),
    { stallMs: remote.options.stallMs * COMPLETION },
  );
}

/** Parts of an upload that never ends are kept, and paid for, unseen. That this failed is not worth a failure. */
async function takeBack(remote: Remote, { what, object }: Upload): Promise<void> {
  await request(
    remote,
    what,
    async ({ signal: abortSignal }) =>
      ok(await remote.client.send(new AbortMultipartUploadCommand(object), { abortSignal })),
    undefined,
    { signal: undefined, attempts: 2 }, // also after an interruption
  );
}
