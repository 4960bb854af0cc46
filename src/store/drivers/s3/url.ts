import { fail, ok } from "../../../core/index.ts";
import type { Result } from "../../../core/index.ts";

/** What an `s3:` URL says. The rest comes from the environment. */
export interface S3Place {
  readonly bucket: string;
  /** Without slashes at its ends; "" for the whole bucket. */
  readonly prefix: string;
  readonly endpoint?: string;
  readonly region?: string;
  readonly pathStyle?: boolean;
}

const SHAPE = "s3://<bucket>/<prefix>?endpoint=<http or https URL>&region=<name>&path-style=<true or false>";
const PARAMETERS = ["endpoint", "region", "path-style"];
/** S3 ends a key at 1,024 bytes; the longest name below a prefix is `/v1/checkpoints/sha256/<64 hex>`. */
const LONGEST_PREFIX = 900;

/** Reads an `s3:` URL. A problem never quotes what may be a password. */
export function parseS3Url(text: string): Result<S3Place> {
  const wrong = (problem: string) => fail({ code: "usage", message: `the store's S3 URL ${problem}`, hint: SHAPE });
  const url = URL.parse(text);
  if (url === null || url.protocol !== "s3:") return wrong("cannot be read");
  if (url.username !== "" || url.password !== "") {
    return wrong("holds credentials; they belong into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile");
  }
  if (url.port !== "" || url.hash !== "") return wrong("has a port or a fragment; a server goes into ?endpoint=");
  // Wider than AWS's own rule, which other servers do not share.
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/.test(url.hostname)) return wrong("names no bucket that can be");
  const prefix = decoded(url.pathname)?.replace(/^\/+|\/+$/g, "");
  const parts = prefix === "" ? [] : prefix?.split("/");
  // oxlint-disable-next-line no-control-regex -- they cannot be told apart in a list, which is XML
  if (parts === undefined || parts.some((part) => part === "" || /^\.\.?$|[\x00-\x1f\x7f]/.test(part))) {
    return wrong("has a prefix with empty or odd parts");
  }
  if (Buffer.byteLength(prefix!) > LONGEST_PREFIX) return wrong(`has a prefix of more than ${LONGEST_PREFIX} bytes`);
  for (const name of new Set(url.searchParams.keys())) {
    if (!PARAMETERS.includes(name)) return wrong(`has a parameter that there is not: ${JSON.stringify(name)}`);
    if (url.searchParams.getAll(name).length > 1) return wrong(`gives ${name} twice`);
  }
  const endpoint = url.searchParams.get("endpoint");
  if (endpoint !== null && !isEndpoint(endpoint)) return wrong("has an endpoint that is no plain http or https URL");
  const region = url.searchParams.get("region");
  if (region !== null && !isRegion(region)) return wrong("has a region that can be none");
  const style = url.searchParams.get("path-style");
  if (style !== null && style !== "true" && style !== "false")
    return wrong("has a path-style that is not true or false");
  return ok({
    bucket: url.hostname,
    prefix: prefix!,
    ...(endpoint === null ? {} : { endpoint }),
    ...(region === null ? {} : { region }),
    ...(style === null ? {} : { pathStyle: style === "true" }),
  });
}

/** An address of a server and nothing else. */
export function isEndpoint(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) return false;
  return url.username === "" && url.password === "" && url.search === "" && url.hash === "";
}

export function isRegion(text: string): boolean {
  return /^[A-Za-z0-9-]{1,64}$/.test(text);
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined; // a lone percent sign
  }
}
