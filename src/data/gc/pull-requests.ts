import { fail, ok } from "../../core/index.ts";
import type { Context, Failure, Result } from "../../core/index.ts";
import { repositoryOf } from "../../git/index.ts";
import type { RemoteRefs } from "./tips.ts";

const HEAD = /^refs\/pull\/(\d+)\/head$/;

/**
 * The heads of the open pull requests. A remote without `refs/pull` has none; for the others GitHub is asked, with
 * GITHUB_TOKEN or GH_TOKEN. Those of closed ones stay on the remote for ever and keep nothing.
 */
export async function openHeads(context: Context, { url, refs }: RemoteRefs): Promise<Result<readonly string[]>> {
  if (![...refs.keys()].some((ref) => HEAD.test(ref))) return ok([]);
  const token = context.env["GITHUB_TOKEN"] || context.env["GH_TOKEN"];
  const repository = context.env["GITHUB_REPOSITORY"] || repositoryOf(url);
  if (!token || repository === undefined) return fail(notLookedAt());
  const { connect, openPullRequests } = await import("../../github/index.ts"); // seldom needed, slow to load
  const { fetch, emit } = context;
  const numbers = await openPullRequests(connect({ token, repository, apiUrl: apiOf(context, url), fetch, emit }));
  if (!numbers.ok) return fail({ ...numbers.failures[0], hint: "the token needs `pull-requests: read`" });
  return ok(numbers.value.map((number) => `refs/pull/${number}/head`));
}

function notLookedAt(): Failure {
  return {
    code: "external",
    what: "open pull requests",
    problem: "those of forks were not looked at, for there is no GitHub token",
    hint: "set GITHUB_TOKEN (`pull-requests: read`); or --no-pull-requests, if no fork has data in this store",
  };
}

function apiOf(context: Context, url: string): string {
  const told = context.env["GITHUB_API_URL"];
  if (told) return told;
  const host = /^(?:[a-z+]+:\/\/)?(?:[^@/]*@)?([^/:]+)/.exec(url)?.[1] ?? "github.com";
  return host === "github.com" || host === "ssh.github.com" ? "https://api.github.com" : `https://${host}/api/v3`;
}
