import { PutObjectCommand } from "@aws-sdk/client-s3";
import type { PutObjectCommandOutput } from "@aws-sdk/client-s3";
import { ok } from "../../../core/index.ts";
import type { Result } from "../../../core/index.ts";
import type { Body, Key } from "../../driver.ts";
import { putInParts } from "./multipart.ts";
import { statObject } from "./read.ts";
import type { Remote } from "./remote.ts";
import { request } from "./request.ts";
import { askFor, base64Of, proveWritten, refusal, signed, stream } from "./send.ts";
import type { Asked, Written } from "./send.ts";
import { checkedBytes } from "./source.ts";

/** Writes an object, unless one of that size is there: found by a HEAD first, and by a condition while it is sent. */
export async function putObject(remote: Remote, key: Key, body: Body, replace: boolean): Promise<Result<void>> {
  const put = body.size > remote.options.multipartAbove ? putInParts : putWhole;
  let onlyIfAbsent = false;
  if (!replace) {
    const present = await statObject(remote, key);
    if (!present.ok) return present;
    if (present.value?.size === body.size) return ok();
    onlyIfAbsent = present.value === undefined;
  }
  const written = await put(remote, key, body, onlyIfAbsent);
  if (!written.ok) return written;
  // Another writer was first. What it wrote has the right size, or is mended.
  return written.value === "taken" ? putAfterAnother(remote, key, body, put) : ok();
}

async function putAfterAnother(remote: Remote, key: Key, body: Body, put: typeof putWhole): Promise<Result<void>> {
  const present = await statObject(remote, key);
  if (!present.ok) return present;
  if (present.value?.size === body.size) return ok();
  const written = await put(remote, key, body, false);
  return written.ok ? ok() : written;
}

/** One request. Nothing but what is on its way is in memory. */
async function putWhole(remote: Remote, key: Key, body: Body, onlyIfAbsent: boolean): Promise<Result<Written>> {
  const what = remote.whatOf(key);
  const hex = body.digest.slice("sha256:".length);
  let last: Asked | undefined;
  const sent = await request<PutObjectCommandOutput | "taken">(
    remote,
    what,
    async (watch) => {
      // The try before may have done it, and only its answer was lost.
      if (last !== undefined && onlyIfAbsent) {
        const present = await watch.outside(() => statObject(remote, key));
        if (!present.ok || present.value !== undefined) return present.ok ? ok("taken") : present;
      }
      const asked = (last = askFor(remote, onlyIfAbsent));
      return ok(
        await stream(watch, checkedBytes(body), async (Body, options) => {
          const command = new PutObjectCommand({
            Bucket: remote.bucket,
            Key: remote.nameOf(key),
            Body,
            ContentLength: body.size,
            ContentType: "application/octet-stream",
            ...(asked.checksum ? { ChecksumSHA256: base64Of(hex) } : {}),
            ...(asked.condition ? { IfNoneMatch: "*" } : {}),
          });
          return remote.client.send(signed(command, hex), options);
        }),
      );
    },
    (error) => refusal(remote, what, error, last ?? askFor(remote, false)),
  );
  if (!sent.ok) return sent;
  return sent.value === "taken" ? ok("taken") : proveWritten(remote, key, body, sent.value.ChecksumSHA256);
}
