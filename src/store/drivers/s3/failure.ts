import { fail } from "../../../core/index.ts";
import { isNetworkError, isTransientStatus, networkProblem, retryAfterMs, StalledError, troubled } from "../retry.ts";
import type { Outcome } from "../retry.ts";

/** What is known of an error of the SDK, or of a server's answer. */
export interface S3Error {
  /** S3's own word (`NoSuchKey`), or the SDK's where an answer had none. */
  readonly name: string;
  /** 0 when there was no answer. */
  readonly status: number;
  readonly message: string;
  readonly clockSkewCorrected: boolean;
  readonly headers: Readonly<Record<string, string>>;
  /** Where S3 says that the bucket is. */
  readonly region: string | undefined;
}

/** Undefined for what neither the SDK nor a server said. */
export function s3Error(error: unknown): S3Error | undefined {
  if (!(error instanceof Error)) return undefined;
  const { $metadata, $response, Region, Code } = error as Error & {
    $metadata?: { httpStatusCode?: number; clockSkewCorrected?: boolean };
    $response?: { statusCode?: number; headers?: Record<string, string> };
    Region?: unknown;
    Code?: unknown;
  };
  if ($metadata === undefined && $response === undefined && error.name !== "TimeoutError") return undefined;
  const headers = $response?.headers ?? {};
  return {
    name: typeof Code === "string" ? Code : error.name,
    status: $metadata?.httpStatusCode ?? $response?.statusCode ?? 0,
    message: error.message,
    clockSkewCorrected: $metadata?.clockSkewCorrected ?? false,
    headers,
    region: typeof Region === "string" ? Region : headers["x-amz-bucket-region"],
  };
}

/** Passing troubles whose status does not say so; the last ones are bytes that were changed on their way. */
const PASSING =
  /^(RequestTimeout|TimeoutError|SlowDown|Throttling|ThrottlingException|RequestLimitExceeded|OperationAborted|ConditionalRequestConflict|BadDigest|XAmzContentSHA256Mismatch|XAmzContentChecksumMismatch|IncompleteBody)$/;

/** Whether an error may pass, else the failure with what to do about it. @throws what is a bug. */
export function judge(what: string, error: unknown): Outcome<never> {
  if (error instanceof StalledError) return troubled({ problem: error.message, cause: error });
  const known = s3Error(error);
  if (known === undefined || known.status === 0) {
    if (isNetworkError(error)) return troubled({ problem: networkProblem(error), cause: error, hint: REACH });
    if (known?.name === "TimeoutError") return troubled({ problem: "no connection in time", hint: REACH });
    if (error instanceof Error && error.message === "Region is missing") {
      const hint = "set AWS_REGION, or add ?region=<name> to the store's URL";
      return fail({ code: "external", what, problem: "no region is known for the bucket", hint });
    }
    if (known === undefined) throw error;
  }
  // The SDK marks every error of a machine whose clock is wrong, also one that another try will not change.
  const skewed = known.clockSkewCorrected && SKEW.test(known.name);
  if (skewed || PASSING.test(known.name) || isTransientStatus(known.status)) {
    const afterMs = retryAfterMs(new Headers(headersOf(known)), new Date(known.headers["date"] ?? 0));
    return troubled({ problem: said(known), afterMs });
  }
  const hint = advice(known);
  return fail({ code: "external", what, problem: said(known), ...(hint === undefined ? {} : { hint }) });
}

/** What the SDK calls an answer without a body, or with one that is not S3's XML. */
const NOT_S3 = /^(Unknown|UnknownError|Error|NotFound|[0-9]{3})$/;
const SKEW = /^(RequestTimeTooSkewed|RequestExpired|RequestInTheFuture|SignatureDoesNotMatch)$/;
const REACH = "check the network and the store's endpoint, and run the same command again";

function headersOf({ headers }: S3Error): Record<string, string> {
  const after = headers["retry-after"];
  return after === undefined ? {} : { "retry-after": after };
}

/** The server's words. */
function said({ name, status, message }: S3Error): string {
  if (NOT_S3.test(name)) return `the server answered ${status}, without S3's reason`;
  const text = status === 0 || message.includes(name) ? message : `${name}: ${message}`;
  return status === 0 ? plain(text) : `the server answered ${status}: ${plain(text)}`;
}

/** Somebody else's words as part of a line: without what moves a terminal's cursor, and not too many. */
export function plain(text: string): string {
  // oxlint-disable-next-line no-control-regex -- they are what is meant
  return text.replace(/[\x00-\x1f\x7f-\x9f]+/g, " ").slice(0, 300);
}

function advice({ name, status, region }: S3Error): string | undefined {
  switch (name) {
    case "ExpiredToken":
    case "ExpiredTokenException":
    case "TokenRefreshRequired":
    case "InvalidToken":
      return "the credentials have expired: get new ones (`aws sso login`, or the workflow's step that takes the role), and run the same command again";
    case "InvalidAccessKeyId":
    case "XAdminUserNotFound": // Versity's server
    case "SignatureDoesNotMatch":
      return "the server does not know this key and secret: check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, the profile, and that they belong to this endpoint";
    case "NoSuchBucket":
      return "make the bucket, or correct the store's URL (LOCKSTEP_STORE, else `store` of .github/lockstep.yml) and its endpoint";
    case "RequestTimeTooSkewed":
      return "set this machine's clock";
    case "AuthorizationHeaderMalformed":
    case "PermanentRedirect":
    case "TemporaryRedirect":
    case "IllegalLocationConstraintException":
      return region === undefined
        ? "the bucket is in another region: add ?region=<its region> to the store's URL, or set AWS_REGION"
        : `the bucket is in the region ${JSON.stringify(region)}: add ?region=${encodeURIComponent(region)} to the store's URL, or set AWS_REGION`;
    default:
      if (NOT_S3.test(name) && status !== 403) return "check that the endpoint is one of S3, and what stands before it";
      return status === 401 || status === 403
        ? "the identity needs s3:ListBucket on the bucket and s3:GetObject, s3:PutObject, s3:DeleteObject, s3:AbortMultipartUpload on its objects (docs/stores/s3.md)"
        : undefined;
  }
}
