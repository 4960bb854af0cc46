import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import type { GetObjectCommandOutput } from "@aws-sdk/client-s3";
import type { Readable } from "node:stream";
import { describe, fail, ok } from "../../../core/index.ts";
import type { Result } from "../../../core/index.ts";
import type { Key, KeyKind, ObjectInfo, Range } from "../../driver.ts";
import { isTransientStatus, troubled } from "../retry.ts";
import type { Outcome } from "../retry.ts";
import { s3Error } from "./failure.ts";
import type { Remote } from "./remote.ts";
import { request } from "./request.ts";

/** Size and time of an object. A HEAD has no body to say what is wrong, so a GET is asked for the reason. */
export async function statObject(remote: Remote, key: Key): Promise<Result<ObjectInfo | undefined>> {
  const what = remote.whatOf(key);
  const input = { Bucket: remote.bucket, Key: remote.nameOf(key) };
  return request<ObjectInfo | undefined>(
    remote,
    what,
    async ({ signal }) => {
      const head = await remote.client.send(new HeadObjectCommand(input), { abortSignal: signal });
      remote.bucketSeen = true;
      return infoOf(what, head.ContentLength, head.LastModified);
    },
    async (error) => {
      const known = s3Error(error);
      if (known === undefined || known.status < 300 || isTransientStatus(known.status)) return undefined;
      if (known.status === 404 && remote.bucketSeen) return ok(undefined);
      return whyNot(remote, what, input);
    },
  );
}

/** The reason for a HEAD's refusal. */
async function whyNot(
  remote: Remote,
  what: string,
  input: { Bucket: string; Key: string },
): Promise<Outcome<ObjectInfo | undefined>> {
  const answer = await request<ObjectInfo | undefined>(
    remote,
    what,
    async ({ signal }) => {
      const got = await remote.client.send(new GetObjectCommand(input), { abortSignal: signal });
      (got.Body as Readable).destroy(); // it came to be between the two requests
      return infoOf(what, got.ContentLength, got.LastModified);
    },
    (error) => (isAbsent(remote, error) ? ok(undefined) : undefined),
  );
  return answer;
}

/** True for the answer that there is no such object. Servers say 404 for a missing bucket or key pair too. */
function isAbsent(remote: Remote, error: unknown): boolean {
  if (s3Error(error)?.name !== "NoSuchKey") return false;
  remote.bucketSeen = true;
  return true;
}

function infoOf(what: string, size: number | undefined, modified: Date | undefined): Result<ObjectInfo> {
  if (size !== undefined && modified !== undefined) return ok({ size, modified: modified.getTime() });
  return fail({ code: "external", what, problem: "the server says neither its size nor when it was written" });
}

/** Hands an object's bytes to `sink`. A transfer that is cut goes on at the byte it has reached. */
export async function getObject(
  remote: Remote,
  key: Key,
  sink: (chunk: Uint8Array) => void | Promise<void>,
  range?: Range,
): Promise<Result<boolean>> {
  const what = remote.whatOf(key);
  const start = range?.offset ?? 0;
  let at = start;
  let end = range === undefined ? undefined : range.offset + range.length;
  let version: string | undefined;
  const permanent = (problem: string): Outcome<boolean> => fail({ code: "external", what, problem });
  return request<boolean>(
    remote,
    what,
    async (watch) => {
      const ranged = end !== undefined;
      const input = {
        Bucket: remote.bucket,
        Key: remote.nameOf(key),
        ...(ranged ? { Range: `bytes=${at}-${end! - 1}` } : {}),
        // A layout may be replaced: what follows has to belong to what came before.
        ...(at > start && version !== undefined ? { IfMatch: version } : {}),
      };
      const got = await remote.client.send(new GetObjectCommand(input), { abortSignal: watch.signal });
      remote.bucketSeen = true;
      const body = got.Body as Readable;
      try {
        const wrong = ranged ? wrongRange(got, at, end!) : undefined;
        if (wrong !== undefined) return wrong.permanent ? permanent(wrong.problem) : troubled(wrong);
        end ??= got.ContentLength;
        version = got.ETag;
        for await (const chunk of body as AsyncIterable<Uint8Array>) {
          const part = end === undefined ? chunk : chunk.subarray(0, end - at);
          watch.moved(true);
          await watch.outside(() => sink(part));
          at += part.length;
          watch.signal.throwIfAborted();
        }
      } finally {
        body.destroy();
      }
      if (end === undefined || at === end) return ok(true);
      return troubled({ problem: `the answer ended after ${at - start} bytes`, progress: true });
    },
    (error) => {
      const known = s3Error(error);
      if (known?.status === 416) return permanent(`it ends before byte ${(end ?? at + 1) - 1}`);
      if (known?.status === 412) return permanent("it was replaced while it was read");
      if (!isAbsent(remote, error)) return undefined;
      return at === start ? ok(false) : permanent("it was deleted while it was read");
    },
  );
}

/** What is wrong with the answer to a request for the bytes from `at` up to `end`. */
function wrongRange(
  { ContentRange, ContentLength }: GetObjectCommandOutput,
  at: number,
  end: number,
): { permanent: boolean; problem: string } | undefined {
  const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(ContentRange ?? "") ?? [];
  if (Number(first) === at && Number(last) === end - 1 && ContentLength === end - at) return undefined;
  if (Number(total) < end) return { permanent: true, problem: `it ends after ${Number(total)} bytes` };
  return { permanent: false, problem: `asked for bytes ${at} to ${end - 1}, got ${ContentRange ?? "everything"}` };
}

const NAMES: Record<KeyKind, RegExp> = {
  blobs: /^[0-9a-f]{64}$/,
  layouts: /^[0-9a-f]{64}$/,
  checkpoints: /^[0-9a-f]{64}$/,
  gc: /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
};

/** Every object of a kind, page by page; what others have put beside them is passed over. @throws a refused page. */
export async function* listObjects(remote: Remote, kind: KeyKind): AsyncIterable<ObjectInfo & { readonly key: Key }> {
  const what = `the list of ${kind} in ${remote.url}`;
  const folder = remote.folderOf(kind);
  let token: string | undefined;
  do {
    const input = {
      Bucket: remote.bucket,
      Prefix: folder,
      ...(token === undefined ? {} : { ContinuationToken: token }),
    };
    const page = await request(remote, what, async ({ signal }) =>
      ok(await remote.client.send(new ListObjectsV2Command(input), { abortSignal: signal })),
    );
    if (!page.ok) throw new Error(page.failures.map(describe).join("\n"), { cause: page.failures });
    for (const { Key: name = "", Size, LastModified } of page.value.Contents ?? []) {
      const word = name.startsWith(folder) ? name.slice(folder.length) : "";
      if (!NAMES[kind].test(word)) continue;
      const info = infoOf(`${kind}/${word} in ${remote.url}`, Size, LastModified);
      if (!info.ok) throw new Error(info.failures.map(describe).join("\n"), { cause: info.failures });
      yield { key: `${kind}/${word}`, ...info.value };
    }
    const { IsTruncated: more, NextContinuationToken: next } = page.value;
    if (more === undefined) throw new Error(`${what}: the answer is no list`); // an empty 200, for one
    if (more && (next === undefined || next === token)) {
      throw new Error(`${what}: the server says that there is more, but not where`);
    }
    token = more ? next : undefined;
  } while (token !== undefined);
}
