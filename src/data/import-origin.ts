import { fail, ok } from "../core/index.ts";
import type { Context, Digest, Result } from "../core/index.ts";
import type { Outcome, RetryOptions } from "../store/drivers/retry.ts";

/** What a server says about some bytes without sending them. */
export interface Pin {
  readonly etag?: string;
  readonly lastModified?: string;
  /** Bytes. Absent: the server does not say. */
  readonly size?: number;
  /** Of a folder: the digest of its list. */
  readonly listing?: Digest;
}

/** One try at the bytes of a file: from `offset` on, if what is there is still what `pin` says. */
export interface Ask {
  readonly offset: number;
  readonly pin: Pin | undefined;
  readonly signal: AbortSignal;
}

export interface Piece {
  /** Of the whole file, as it is now. */
  readonly pin: Pin;
  /** Where the bytes begin: what was asked for, or 0 when the file changed or comes only as a whole. */
  readonly offset: number;
  readonly bytes: AsyncIterable<Uint8Array>;
}

export interface OriginFile {
  /** From the folder, POSIX. */
  readonly path: string;
  readonly size: number;
  readonly etag?: string;
}

export type Look =
  | { readonly gone: string }
  | { readonly pin: Pin; /** Where a permanent redirect leads. */ readonly movedTo?: string };

/** Something that can be imported. */
export interface Origin {
  readonly url: string;
  /** Last part of the URL's path; "" when it has none. */
  readonly name: string;
  /** What is there now, for a comparison. */
  look(): Promise<Result<Look>>;
  /** The files of a folder; absent for a lone file. */
  readonly list?: () => Promise<Result<readonly OriginFile[]>>;
  /** `path`: of a folder's file; "" for a lone one. @throws what `judge` knows. */
  get(path: string, ask: Ask): Promise<Outcome<Piece>>;
  /** What an error of `get`, or of the bytes it gave, means. @throws what is a bug. */
  judge(what: string, error: unknown): Outcome<never>;
}

/** What a test makes smaller. */
export interface TransferOptions extends Pick<RetryOptions, "attempts" | "baseMs" | "random"> {
  /** A request in which nothing moves for this long is cut and tried again. */
  readonly stallMs?: number;
}

/** Names of parameters that carry a right to read: a lockfile is no place for one, and it ends soon. */
const SECRET =
  /^(x-(amz|goog)-(signature|credential|security-token)|awsaccesskeyid|signature|sig|(access_?|auth_?)?token|api_?key|password|secret)$/i;
const HINT = "an http, https or s3 URL, as in https://example.org/table.csv or s3://bucket/folder/";

/**
 * Reads the URL of something to import; nothing is sent yet. One with credentials is refused, and no message quotes
 * it: the URL is written into the lockfile, for everybody to read.
 */
export async function openOrigin(
  context: Context,
  text: string,
  options: TransferOptions = {},
): Promise<Result<Origin>> {
  const url = URL.parse(text);
  if (url === null) return fail({ code: "usage", message: "that is not a URL to import from", hint: HINT });
  const secret = [...url.searchParams.keys()].find((name) => SECRET.test(name));
  if (url.username !== "" || url.password !== "" || secret !== undefined) {
    const what = secret === undefined ? "a user name or a password" : `the parameter ${secret}, which is a credential`;
    const message = `the URL holds ${what}; it would stand in data.lock.json`;
    return fail({ code: "usage", message, hint: "fetch the file by other means and `lockstep data add` it" });
  }
  url.hash = "";
  if (url.protocol === "https:" || url.protocol === "http:") {
    const { httpOrigin } = await import("./import-http.ts");
    return ok(httpOrigin(context, url));
  }
  if (url.protocol === "s3:") {
    const { s3Origin } = await import("./import-s3.ts");
    return s3Origin(context, text, options);
  }
  return fail({ code: "usage", message: `nothing can be imported from ${url.protocol}`, hint: HINT });
}

/** The last part of a URL's path, decoded, if that can be a name. */
export function nameIn(path: string): string {
  try {
    const name = decodeURIComponent(path.split("/").findLast((part) => part !== "") ?? "");
    return /[/\\\0]/.test(name) ? "" : name;
  } catch {
    return "";
  }
}
