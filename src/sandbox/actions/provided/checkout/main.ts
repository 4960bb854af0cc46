import * as core from "@actions/core";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, resolve, sep } from "node:path";
import { forgetCredentials, persistCredentials, withCredentials } from "./credentials.ts";
import { git } from "./git.ts";
import { unsafeReason } from "./unsafe.ts";

/** What this stand-in does not do, by input: the only value it takes. */
const ONLY = { submodules: "false", lfs: "false" };

async function checkout(): Promise<void> {
  for (const [input, value] of Object.entries(ONLY)) {
    const given = core.getInput(input);
    if (given !== "" && given !== value) throw new Error(`\`${input}: ${given}\` is not supported in the sandbox`);
  }
  const { env } = process;
  const own = env["GITHUB_REPOSITORY"] ?? "";
  const repository = core.getInput("repository") || own;
  const isOwn = repository.toLowerCase() === own.toLowerCase();
  const ref = core.getInput("ref");
  const event = JSON.parse(readFileSync(env["GITHUB_EVENT_PATH"] ?? "", "utf8")) as unknown;
  const reason = unsafeReason({ eventName: env["GITHUB_EVENT_NAME"] ?? "", event, own, repository, ref });
  if (reason !== undefined && !core.getBooleanInput("allow-unsafe-pr-checkout")) throw new Error(reason);

  const workspace = env["GITHUB_WORKSPACE"] ?? "";
  const folder = resolve(workspace, core.getInput("path") || ".");
  if (folder !== workspace && !folder.startsWith(workspace + sep)) {
    throw new Error(`Repository path '${folder}' is not under '${workspace}'`);
  }
  const origin = new URL(env["GITHUB_API_URL"] ?? "").origin;
  const url = `${origin}/${repository}.git`;
  mkdirSync(folder, { recursive: true });
  const run = async (...args: string[]): Promise<string> => git(folder, args);

  core.startGroup("Initializing the repository");
  const isClone =
    existsSync(join(folder, ".git")) && (await run("remote", "get-url", "origin").catch(() => "")) === url;
  if (!isClone) {
    for (const entry of readdirSync(folder)) rmSync(join(folder, entry), { recursive: true, force: true });
    await run("init", "--quiet", "--initial-branch=main", folder);
    await run("remote", "add", "origin", url);
  } else if (core.getBooleanInput("clean")) await run("clean", "-ffdxq");
  await run("config", "gc.auto", "0");
  await run("config", "--unset-all", "include.path").catch(() => "");
  core.endGroup();

  const token = core.getInput("token");
  const fetch = async (...args: string[]): Promise<string> =>
    git(folder, [...withCredentials(origin, token), "fetch", ...args]);
  core.startGroup("Fetching the repository");
  const wanted = await target(
    isOwn,
    ref,
    async () => git(folder, [...withCredentials(origin, token), "ls-remote", "--symref", "origin", "HEAD"]),
    async (name) => git(folder, [...withCredentials(origin, token), "ls-remote", "origin", name]),
  );
  const depth = Number(core.getInput("fetch-depth") || "1");
  const tags = core.getBooleanInput("fetch-tags") ? "--tags" : "--no-tags";
  const common = ["--quiet", "--prune", "--no-recurse-submodules"];
  if (depth > 0) await fetch(...common, tags, `--depth=${depth}`, "origin", wanted.refspec);
  else {
    // Two fetches: the branch may have moved on, and one fetch cannot give a ref two values.
    await fetch(...common, "--tags", "origin", "+refs/heads/*:refs/remotes/origin/*");
    await fetch("--quiet", "--no-recurse-submodules", "origin", wanted.refspec);
  }
  core.endGroup();

  core.startGroup("Checking out the ref");
  await run("checkout", "--quiet", "--force", ...wanted.checkout);
  core.endGroup();
  if (core.getBooleanInput("persist-credentials"))
    await persistCredentials(folder, env["RUNNER_TEMP"] ?? "", origin, token);
  else await forgetCredentials(folder);

  const commit = await run("log", "-1", "--format=%H");
  core.info(commit);
  core.setOutput("ref", ref || wanted.name);
  core.setOutput("commit", commit);
}

interface Target {
  readonly name: string;
  readonly refspec: string;
  readonly checkout: readonly string[];
}

const remoteBranch = (branch: string, commit?: string): Target => ({
  name: `refs/heads/${branch}`,
  refspec: `+${commit ?? `refs/heads/${branch}`}:refs/remotes/origin/${branch}`,
  checkout: ["-B", branch, `refs/remotes/origin/${branch}`],
});

/** What to fetch and how to check it out: a branch stays a branch, anything else is a detached HEAD. */
async function target(
  isOwn: boolean,
  ref: string,
  head: () => Promise<string>,
  find: (name: string) => Promise<string>,
): Promise<Target> {
  const detached = (name: string, source: string): Target => ({
    name,
    refspec: `+${source}:refs/remotes/sandbox/target`,
    checkout: ["--detach", "refs/remotes/sandbox/target"],
  });
  const { GITHUB_REF: eventRef = "", GITHUB_SHA: eventSha = "" } = process.env;
  if (ref === "" && isOwn) {
    if (eventRef.startsWith("refs/heads/")) return remoteBranch(eventRef.slice("refs/heads/".length), eventSha);
    return detached(eventRef, eventSha);
  }
  if (ref === "") {
    const branch = /^ref: refs\/heads\/(\S+)\s+HEAD/mu.exec(await head())?.[1];
    if (branch === undefined) throw new Error("the repository has no default branch");
    return remoteBranch(branch);
  }
  if (/^[0-9a-f]{40}$/u.test(ref)) return detached(ref, ref);
  if (ref.startsWith("refs/heads/")) return remoteBranch(ref.slice("refs/heads/".length));
  if (ref.startsWith("refs/")) return detached(ref, ref);
  if ((await find(`refs/heads/${ref}`)) !== "") return remoteBranch(ref);
  if ((await find(`refs/tags/${ref}`)) !== "") return detached(`refs/tags/${ref}`, `refs/tags/${ref}`);
  throw new Error(`A branch or tag with the name '${ref}' could not be found`);
}

try {
  await checkout();
} catch (error) {
  core.setFailed(error instanceof Error ? error.message : String(error));
}
