import { fail, ok } from "../../../core/index.ts";
import type { Result } from "../../../core/index.ts";

/** Where a store lies in a registry. */
export interface Address {
  /** As the user wrote it; holds no credentials. */
  readonly url: string;
  /** `host[:port]` as a user logs in to it. */
  readonly registry: string;
  /** Origin of the API. */
  readonly origin: string;
  readonly repository: string;
  /** A repository of the same registry that is asked for the bytes before they are sent. */
  readonly mount: string | undefined;
}

const FORM = "oci://<registry>/<repository>";
/** Path components of the OCI distribution specification. */
const REPOSITORY = /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/;
const MAX_REPOSITORY = 255;

/** Reads `oci://<registry>/<repository>[?plain-http=true][&mount=<repository>]`. */
export function parseAddress(url: string): Result<Address> {
  const [, authority, repository, query = ""] = /^oci:\/\/([^/?#]+)\/([^?#]+)(\?[^#]*)?$/.exec(url) ?? [];
  if (authority === undefined || repository === undefined) return wrong(`"${url}" is not ${FORM}`);
  if (authority.includes("@")) {
    const hint = "`docker login`, or LOCKSTEP_OCI_USERNAME and LOCKSTEP_OCI_PASSWORD";
    return wrong(`the URL of an oci: store holds no user and no password (${FORM})`, hint);
  }
  if (!isRepository(repository))
    return wrong(`"${url}": "${repository}" is no repository's name`, lowerCase(repository));
  const parameters = new URLSearchParams(query);
  const unknown = [...parameters.keys()].find((name) => name !== "plain-http" && name !== "mount");
  if (unknown !== undefined) return wrong(`"${url}": there is no parameter "${unknown}"`, "plain-http, mount");
  const plain = parameters.get("plain-http") ?? String(isLoopback(authority));
  if (plain !== "true" && plain !== "false") return wrong(`"${url}": plain-http is true or false`);
  const mount = parameters.get("mount") ?? undefined;
  if (mount !== undefined && !isRepository(mount)) return wrong(`"${url}": "${mount}" is no repository's name`);
  try {
    const { origin } = new URL(`${plain === "true" ? "http" : "https"}://${apiHost(authority)}`);
    return ok({ url, registry: authority, origin, repository, mount });
  } catch (error) {
    return fail({ code: "usage", message: `"${url}": "${authority}" is no host`, cause: error });
  }
}

/** Registries on this machine speak plain HTTP. */
export function isLoopback(authority: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/.test(authority);
}

/** Docker Hub's API is at another host than the one its images are named by. */
function apiHost(authority: string): string {
  return authority === "docker.io" || authority === "index.docker.io" ? "registry-1.docker.io" : authority;
}

function isRepository(name: string): boolean {
  return name.length <= MAX_REPOSITORY && REPOSITORY.test(name);
}

function lowerCase(repository: string): string {
  const lower = repository.toLowerCase();
  return isRepository(lower)
    ? `write it in lower case: ${lower}`
    : "lower-case letters, digits and . _ - between slashes";
}

function wrong(message: string, hint?: string): Result<never> {
  return fail({ code: "usage", message, ...(hint === undefined ? {} : { hint }) });
}
