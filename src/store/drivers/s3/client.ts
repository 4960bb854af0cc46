import type { S3ClientConfig } from "@aws-sdk/client-s3";
import type { Context } from "../../../core/index.ts";
import type { S3Place } from "./url.ts";

/** The SDK would warn on the console that it does not try a stream again. */
const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/** How a client reaches a place, from its URL and the environment; `wanted` is the region a server has named. */
export function clientConfig(
  env: Context["env"],
  place: S3Place,
  endpoint: string | undefined,
  wanted: string | undefined,
): S3ClientConfig {
  // Another server seldom asks for a region, but a signature has one.
  const region = wanted ?? (env["AWS_REGION"] || env["AWS_DEFAULT_REGION"] || (endpoint && "us-east-1") || undefined);
  const [accessKeyId, secretAccessKey, sessionToken, profile] = [
    env["AWS_ACCESS_KEY_ID"],
    env["AWS_SECRET_ACCESS_KEY"],
    env["AWS_SESSION_TOKEN"],
    env["AWS_PROFILE"],
  ];
  return {
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    forcePathStyle: place.pathStyle ?? endpoint !== undefined,
    // The SDK's chain begins with these variables and a profile too, but reads them from the process alone.
    ...(accessKeyId && secretAccessKey
      ? { credentials: { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) } }
      : profile
        ? { profile }
        : {}),
    maxAttempts: 1, // `request` tries again, knows which bytes arrived, and ends with the context's signal
    logger: SILENT,
    // The digest is sent by us, as SHA-256; the SDK's own CRC in a trailer is unknown to many servers.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    // A server that refuses a body closes the connection on it, and its reason may be lost: it is asked before.
    expectContinueHeader: 128 * 1024,
    requestHandler: { connectionTimeout: 10_000, httpAgent: { maxSockets: 64 }, httpsAgent: { maxSockets: 64 } },
  };
}
