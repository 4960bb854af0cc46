import { fail, ok } from "../../../core/index.ts";
import type { Result } from "../../../core/index.ts";

/** `release://<owner>/<repository>`, with `?tag=<prefix>` for a second store in one repository. */
export interface ReleaseAddress {
  readonly owner: string;
  readonly repository: string;
  /** Releases are tagged `<prefix>-0001`, `<prefix>-0002`, ... */
  readonly prefix: string;
}

const DEFAULT_PREFIX = "lockstep-store";
const URL_FORM = /^release:\/\/([A-Za-z0-9](?:[A-Za-z0-9-]*))\/([A-Za-z0-9._-]+)\/?(?:\?(.*))?$/;
/** What git takes in a tag and no shell or URL has to quote. */
const PREFIX = /^[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?!\.))*$/;

export function parseReleaseUrl(url: string): Result<ReleaseAddress> {
  const [, owner, repository, query] = URL_FORM.exec(url) ?? [];
  const usage = (problem: string) =>
    fail({ code: "usage", message: `"${url}" ${problem}`, hint: "release://<owner>/<repository>[?tag=<prefix>]" });
  if (owner === undefined || repository === undefined || /^\.+$/.test(repository)) return usage("names no repository");
  const fields = new URLSearchParams(query);
  const unknown = [...fields.keys()].find((name) => name !== "tag");
  if (unknown !== undefined) return usage(`has an unknown parameter ${unknown}`);
  const prefix = fields.get("tag") ?? DEFAULT_PREFIX;
  if (!PREFIX.test(prefix) || prefix.length > 100) return usage("has a prefix that is no tag");
  return ok({ owner, repository, prefix });
}
