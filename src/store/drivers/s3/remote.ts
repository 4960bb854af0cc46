import { S3Client } from "@aws-sdk/client-s3";
import { fail, ok } from "../../../core/index.ts";
import type { Context, Result } from "../../../core/index.ts";
import type { Key, KeyKind } from "../../driver.ts";
import type { RetryOptions } from "../retry.ts";
import { clientConfig } from "./client.ts";
import { Slots } from "./slots.ts";
import { isEndpoint } from "./url.ts";
import type { S3Place } from "./url.ts";

/** What a test makes smaller. */
export interface S3Options extends Pick<RetryOptions, "attempts" | "baseMs" | "random"> {
  /** A request in which nothing moves for this long is cut and tried again. */
  readonly stallMs?: number;
  /** Objects of more bytes go up in parts. Above the size of a pack, so that a pack is one request. */
  readonly multipartAbove?: number;
  /** Bytes of a part; a part is held in memory while it is sent. */
  readonly partSize?: number;
}

/** S3 takes parts from 5 MiB, and 10,000 of them. */
const PART = 32 * 1024 * 1024;
/** Parts held in memory, of all the uploads of a driver together. */
const PARTS_AT_ONCE = 4;

/** A bucket, how to reach it, and what was learnt about its server on the way. */
export interface Remote {
  readonly url: string;
  readonly bucket: string;
  /** Replaced when the server says that the bucket is in another region. */
  client: S3Client;
  /** A client for a region. */
  connect(region?: string): S3Client;
  readonly options: Required<Pick<S3Options, "stallMs" | "multipartAbove" | "partSize">> & RetryOptions;
  readonly parts: Slots;
  /** The server has shown that the bucket exists: a missing object is no missing bucket. */
  bucketSeen: boolean;
  /** Off once the server has said that it does not implement the header. */
  conditional: boolean;
  checksums: boolean;
  /** The object's key in the bucket. */
  nameOf(key: Key): string;
  /** What all keys of a kind begin with in the bucket. */
  folderOf(kind: KeyKind): string;
  /** `<key> in <url>`: the object of a failure's sentence. */
  whatOf(key: Key): string;
}

export function openRemote(
  context: Context,
  url: string,
  place: S3Place,
  { stallMs = 30_000, multipartAbove = 96 * 1024 * 1024, partSize = PART, ...retrying }: S3Options,
): Result<Remote> {
  const { env } = context;
  const endpoint = place.endpoint ?? (env["AWS_ENDPOINT_URL_S3"] || env["AWS_ENDPOINT_URL"] || undefined);
  if (endpoint !== undefined && !isEndpoint(endpoint)) {
    return fail({ code: "usage", message: "AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL is no plain http or https URL" });
  }
  const prefix = place.prefix === "" ? "v1" : `${place.prefix}/v1`;
  const folderOf = (kind: KeyKind): string => `${prefix}/${kind === "gc" ? kind : `${kind}/sha256`}/`;
  const connect = (region = place.region): S3Client => new S3Client(clientConfig(env, place, endpoint, region));
  return ok({
    url,
    bucket: place.bucket,
    client: connect(),
    connect,
    options: { stallMs, multipartAbove, partSize, ...retrying, signal: context.signal },
    parts: new Slots(PARTS_AT_ONCE),
    bucketSeen: false,
    conditional: true,
    checksums: true,
    nameOf: (key) => {
      const at = key.indexOf("/");
      return folderOf(key.slice(0, at) as KeyKind) + key.slice(at + 1);
    },
    folderOf,
    whatOf: (key) => `${key} in ${url}`,
  });
}
