import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import { ok } from "../../../core/index.ts";
import type { Context, Result } from "../../../core/index.ts";
import type { Driver } from "../../driver.ts";
import { s3Error } from "./failure.ts";
import { getObject, listObjects, statObject } from "./read.ts";
import { openRemote } from "./remote.ts";
import type { S3Options } from "./remote.ts";
import { request } from "./request.ts";
import { parseS3Url } from "./url.ts";
import { putObject } from "./write.ts";

export type { S3Options } from "./remote.ts";

/**
 * The driver of S3 and of servers that speak its protocol (docs/stores/s3.md). A URL that cannot be read is a `usage`
 * failure; nothing is sent before the first request.
 */
export function openS3(context: Context, url: string, options: S3Options = {}): Result<Driver> {
  const place = parseS3Url(url);
  if (!place.ok) return place;
  const opened = openRemote(context, url, place.value, options);
  if (!opened.ok) return opened;
  const remote = opened.value;
  return ok({
    url,
    width: 16,
    stat: async (key) => statObject(remote, key),
    get: async (key, sink, range) => getObject(remote, key, sink, range),
    put: async (key, body, { replace = false } = {}) => putObject(remote, key, body, replace),
    list: (kind) => listObjects(remote, kind),
    delete: async (key) =>
      request<void>(
        remote,
        remote.whatOf(key),
        async ({ signal: abortSignal }) => {
          const input = { Bucket: remote.bucket, Key: remote.nameOf(key) };
          await remote.client.send(new DeleteObjectCommand(input), { abortSignal });
          return ok();
        },
        (error) => (s3Error(error)?.name === "NoSuchKey" ? ok() : undefined),
      ),
  });
}
