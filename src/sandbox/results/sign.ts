import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { World } from "../world.ts";

/** Right to read or write one blob until a moment, without any other credential. */
export interface Grant {
  readonly blob: string;
  readonly access: "read" | "write";
  readonly until: Date;
  /** File name and type a download is sent with. */
  readonly name?: string;
  readonly contentType?: string;
}

/** One secret a start: an address does not outlive the sandbox that gave it. */
const SECRET = randomBytes(32);

function signature(fields: URLSearchParams, blob: string): string {
  const text = ["access", "until", "name", "type"].map((field) => fields.get(field) ?? "").join("\n");
  return createHmac("sha256", SECRET).update(`${blob}\n${text}`).digest("hex");
}

/** Address with the grant in its query. `sig` is hex: clients drop the padding of base64 when they rewrite a query. */
export function signedUrl(world: World, grant: Grant): string {
  const query = new URLSearchParams({ access: grant.access, until: String(grant.until.getTime()) });
  if (grant.name !== undefined) query.set("name", grant.name);
  if (grant.contentType !== undefined) query.set("type", grant.contentType);
  query.set("sig", signature(query, grant.blob));
  return `${world.origin}/_results/blobs/${grant.blob}?${query.toString()}`;
}

/** The grant of an address, or undefined when it was changed or is over. */
export function readGrant(world: World, url: URL): Grant | undefined {
  const blob = url.pathname.split("/").at(-1) ?? "";
  const query = url.searchParams;
  const given = Buffer.from(query.get("sig") ?? "");
  const expected = Buffer.from(signature(query, blob));
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
  const until = new Date(Number(query.get("until")));
  if (until <= world.clock.now()) return undefined;
  const [name, contentType] = [query.get("name"), query.get("type")];
  return {
    blob,
    access: query.get("access") === "write" ? "write" : "read",
    until,
    ...(name === null ? {} : { name }),
    ...(contentType === null ? {} : { contentType }),
  };
}
