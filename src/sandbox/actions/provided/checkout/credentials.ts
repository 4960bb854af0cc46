import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { git } from "./git.ts";

/*
 * As in checkout since v6: the token stands in a file of its own in the runner's temporary folder, and the clone only
 * includes it, so that an archive of the workspace holds no token.
 */

const header = (token: string): string =>
  `AUTHORIZATION: basic ${Buffer.from(`x-access-token:${token}`).toString("base64")}`;

/** Both names of the sandbox's address. */
const hosts = (origin: string): string[] => [origin, origin.replace("127.0.0.1", "github.localhost")];

/** Arguments that let one git command use the token. */
export function withCredentials(origin: string, token: string): string[] {
  return token === "" ? [] : ["-c", `http.${origin}/.extraheader=${header(token)}`];
}

/** Lets later git commands in `folder` use the token, which is kept in a file in `temp`. */
export async function persistCredentials(folder: string, temp: string, origin: string, token: string): Promise<void> {
  await forgetCredentials(folder);
  if (token === "") return;
  const file = join(temp, `git-credentials-${randomUUID()}.config`);
  for (const host of hosts(origin))
    await git(folder, ["config", "--file", file, `http.${host}/.extraheader`, header(token)]);
  await git(folder, ["config", "--add", "include.path", file]);
}

/** Undoes `persistCredentials`. */
export async function forgetCredentials(folder: string): Promise<void> {
  const included = await git(folder, ["config", "--get-all", "include.path"]).catch(() => "");
  for (const file of included.split("\n").filter((path) => path.includes("git-credentials-")))
    rmSync(file, { force: true });
  await git(folder, ["config", "--unset-all", "include.path", "git-credentials-"]).catch(() => "");
}
