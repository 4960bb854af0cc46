import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { compareCodeUnits, fail, ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { troubled } from "../store/drivers/retry.ts";
import type { Outcome } from "../store/drivers/retry.ts";
import { judge, s3Error } from "../store/drivers/s3/failure.ts";
import { openRemote } from "../store/drivers/s3/remote.ts";
import type { Remote } from "../store/drivers/s3/remote.ts";
import { request } from "../store/drivers/s3/request.ts";
import { parseS3Url } from "../store/drivers/s3/url.ts";
import { TREE_LIMITS } from "../store/index.ts";
import { nameIn } from "./import-origin.ts";
import { pinOfList } from "./import-pin.ts";
import type { Ask, Look, Origin, OriginFile, Pin, Piece, TransferOptions } from "./import-origin.ts";

/**
 * An object of a bucket, or (URL ending in `/`) all objects below a prefix. The URL's parameters and the credentials
 * are those of the `s3:` store (docs/stores/s3.md).
 */
export function s3Origin(context: Context, url: string, options: TransferOptions): Result<Origin> {
  const place = parseS3Url(url);
  if (!place.ok) return place;
  const opened = openRemote(context, url, place.value, options);
  if (!opened.ok) return opened;
  const remote = opened.value;
  const { prefix: key, bucket } = place.value;
  const isFolder = key === "" || /^[^?]*\/(\?|$)/.test(url);
  const base = { url, name: nameIn(key === "" ? bucket : key), judge: judgeObject };
  const get: Origin["get"] = async (path, ask) => getObject(remote, [key, path].filter(Boolean).join("/"), ask);
  if (!isFolder) return ok({ ...base, get, look: async () => head(remote, key) });
  const list = async (): Promise<Result<OriginFile[]>> => listFolder(remote, key === "" ? "" : `${key}/`);
  return ok({
    ...base,
    get,
    list,
    look: async () => {
      const files = await list();
      return files.ok
        ? ok(files.value.length === 0 ? { gone: "no object is left" } : { pin: pinOfList(files.value) })
        : files;
    },
  });
}

async function head(remote: Remote, key: string): Promise<Result<Look>> {
  return request<Look>(
    remote,
    remote.url,
    async ({ signal }) => {
      const input = { Bucket: remote.bucket, Key: key };
      const found = await remote.client.send(new HeadObjectCommand(input), { abortSignal: signal });
      return ok({ pin: pinOf(found.ETag, found.LastModified, found.ContentLength) });
    },
    // A HEAD has no body to say what there is not, or to whom: a GET is asked.
    async (error) => (s3Error(error)?.status === 404 ? await whyNot(remote, key) : undefined),
  );
}

async function whyNot(remote: Remote, key: string): Promise<Outcome<Look>> {
  return request<Look>(
    remote,
    remote.url,
    async ({ signal }) => {
      const piece = await getObject(remote, key, { offset: 0, pin: undefined, signal });
      if (!piece.ok) return piece;
      for await (const _ of piece.value.bytes) break; // it came to be between the two requests; ends the transfer
      return ok({ pin: piece.value.pin });
    },
    (error) => (isAbsent(error) ? ok({ gone: "there is no such object" }) : undefined),
  );
}

function isAbsent(error: unknown): boolean {
  return ["NoSuchKey", "NotFound"].includes(s3Error(error)?.name ?? "");
}

async function getObject(remote: Remote, key: string, { offset, pin, signal }: Ask): Promise<Outcome<Piece>> {
  const from = pin?.etag === undefined ? 0 : offset;
  const range = from > 0 ? { Range: `bytes=${from}-`, IfMatch: pin!.etag } : {};
  try {
    const input = { Bucket: remote.bucket, Key: key, ...range };
    const got = await remote.client.send(new GetObjectCommand(input), { abortSignal: signal });
    const [, first, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(got.ContentRange ?? "") ?? [];
    const start = first === undefined ? 0 : Number(first);
    const now = pinOf(got.ETag, got.LastModified, total === undefined ? got.ContentLength : Number(total));
    if (start !== 0 && start !== from) return troubled({ problem: "it sent other bytes than were asked for" });
    return ok({ pin: now, offset: start, bytes: got.Body as AsyncIterable<Uint8Array> });
  } catch (error) {
    const status = s3Error(error)?.status;
    // It was replaced: from the start, then.
    if ((status === 412 || status === 416) && from > 0)
      return getObject(remote, key, { offset: 0, pin: undefined, signal });
    throw error;
  }
}

function judgeObject(what: string, error: unknown): Outcome<never> {
  if (!isAbsent(error)) return judge(what, error);
  return fail({ code: "external", what, problem: "there is no such object", hint: GONE });
}

const GONE = "it is gone, or the URL is mistyped; one that ends in / means all objects below it";

/** The objects below a prefix, by path. Marks that consoles leave for empty folders are passed over. */
async function listFolder(remote: Remote, prefix: string): Promise<Result<OriginFile[]>> {
  const files: OriginFile[] = [];
  let token: string | undefined;
  do {
    const input = {
      Bucket: remote.bucket,
      Prefix: prefix,
      ...(token === undefined ? {} : { ContinuationToken: token }),
    };
    const page = await request(remote, `the list of ${remote.url}`, async ({ signal }) =>
      ok(await remote.client.send(new ListObjectsV2Command(input), { abortSignal: signal })),
    );
    if (!page.ok) return page;
    for (const { Key = "", Size = 0, ETag } of page.value.Contents ?? []) {
      if (!Key.startsWith(prefix) || Key.endsWith("/")) continue;
      files.push({ path: Key.slice(prefix.length), size: Size, ...(ETag === undefined ? {} : { etag: ETag }) });
    }
    const next = page.value.IsTruncated === true ? page.value.NextContinuationToken : undefined;
    if (files.length > TREE_LIMITS.entries || (next !== undefined && next === token)) {
      const problem = `its list has no end, or more than ${TREE_LIMITS.entries} objects`;
      return fail({ code: "external", what: remote.url, problem });
    }
    token = next;
  } while (token !== undefined);
  return ok(files.sort((a, b) => compareCodeUnits(a.path, b.path)));
}

function pinOf(etag: string | undefined, modified: Date | undefined, size: number | undefined): Pin {
  return {
    ...(etag === undefined ? {} : { etag }),
    ...(modified === undefined ? {} : { lastModified: modified.toUTCString() }),
    ...(size === undefined ? {} : { size }),
  };
}
