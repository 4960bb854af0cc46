import { S3Client } from "@aws-sdk/client-s3";
import type { S3ClientConfig } from "@aws-sdk/client-s3";
import { fail, ok } from "../../../core/index.ts";
import type { Context, Result } from "../../../core/index.ts";
import type { Key, KeyKind } from "../../driver.ts";
import { isNetworkError, retry, StalledError, troubled } from "../retry.ts";
import type { Outcome, RetryOptions, Troubled } from "../retry.ts";
import { judge, plain, s3Error } from "./failure.ts";
import { Slots } from "./slots.ts";
import { isEndpoint, isRegion } from "./url.ts";
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

/** S3 takes no smaller part but the last one. */
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
  readonly context: Context;
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
  const connect = (region = place.region): S3Client => new S3Client(configuration(env, place, endpoint, region));
  return ok({
    url,
    bucket: place.bucket,
    client: connect(),
    connect,
    context,
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

/** The SDK would warn on the console that it does not try a stream again. */
const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

function configuration(
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

/** Watches over one try of a request: its signal ends it when nothing moves, or the context's work is to end. */
export interface Watch {
  readonly signal: AbortSignal;
  /** Something moved. `kept`: the next try need not move it again. */
  moved(kept?: boolean): void;
  /** Waits for what is not S3's: no time limit, and what it throws is thrown on. */
  outside<T>(work: () => T | Promise<T>): Promise<T>;
}

/** What a sink throws passes through the driver, not through the judgement on S3's errors. */
class Foreign extends Error {
  readonly reason: unknown;
  constructor(reason: unknown) {
    super("not of the driver", { cause: reason });
    this.reason = reason;
  }
}

/**
 * Does a request until it ends for good. An error that `expect` gives no outcome for is judged by what it is: tried
 * again, or a failure with a hint.
 */
export async function request<T>(
  remote: Remote,
  what: string,
  work: (watch: Watch) => Promise<Outcome<T>>,
  expect: (error: unknown) => Outcome<T> | undefined | Promise<Outcome<T> | undefined> = () => undefined,
  options: Partial<Remote["options"]> = {},
): Promise<Result<T>> {
  const { signal, stallMs, ...retrying } = { ...remote.options, ...options };
  return retry(
    what,
    async () => {
      const stalled = new AbortController();
      const cut = (): void => stalled.abort(new StalledError(stallMs));
      let timer = setTimeout(cut, stallMs);
      let progress = false;
      const { client } = remote;
      const watch: Watch = {
        signal: signal === undefined ? stalled.signal : AbortSignal.any([signal, stalled.signal]),
        moved: (kept = false) => {
          timer.refresh();
          progress ||= kept;
        },
        outside: async (wait) => {
          clearTimeout(timer);
          try {
            return await wait();
          } catch (error) {
            throw new Foreign(error);
          } finally {
            timer = setTimeout(cut, stallMs);
          }
        },
      };
      try {
        return (await withoutCredentials(what, client)) ?? (await work(watch));
      } catch (error) {
        if (error instanceof Foreign) throw error.reason;
        if (signal?.aborted === true) return fail({ code: "interrupted" });
        const outcome = stalled.signal.aborted
          ? undefined
          : ((await redirected(remote, client, error)) ?? (await expect(error)));
        const judged = outcome ?? judge(what, stalled.signal.aborted ? stalled.signal.reason : error);
        return "trouble" in judged ? troubled({ progress, ...judged.trouble }) : judged;
      } finally {
        clearTimeout(timer);
      }
    },
    { ...retrying, signal },
  );
}

/** Why there are no credentials: asked for by itself, since what hinders a chain of providers may be any error. */
async function withoutCredentials(what: string, client: S3Client): Promise<Outcome<never> | undefined> {
  try {
    await client.config.credentials();
    return undefined;
  } catch (error) {
    const problem = `there are no credentials: ${plain(error instanceof Error ? error.message : String(error))}`;
    if (isNetworkError(error)) return troubled({ problem, hint: NO_CREDENTIALS });
    return fail({ code: "external", what, problem, hint: NO_CREDENTIALS });
  }
}

const NO_CREDENTIALS =
  "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, choose a profile with AWS_PROFILE, or take a role by OIDC in the workflow (docs/stores/s3.md)";

/**
 * The next try goes to the region that the server names. Not left to the SDK, which would send a body that is already
 * spent, and ask the wrong region each time.
 */
async function redirected(remote: Remote, tried: S3Client, error: unknown): Promise<Troubled | undefined> {
  const { region } = s3Error(error) ?? {};
  if (region === undefined || !isRegion(region) || region === (await tried.config.region())) return undefined;
  if (remote.client === tried) remote.client = remote.connect(region);
  return troubled({ problem: `the bucket is in the region ${region}` });
}
