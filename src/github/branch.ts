import { ok } from "../core/index.ts";
import type { Result } from "../core/index.ts";
import { call } from "./client.ts";
import type { GitHub } from "./client.ts";

/** How the newest pull request of a branch stands. */
export interface BranchHistory {
  readonly number: number;
  readonly url: string;
  readonly state: "open" | "merged" | "closed";
  /** Head when it was closed, or now. */
  readonly headSha: string;
}

/** The newest pull request from a branch of this repository; undefined when there was none. */
export async function newestPullRequest(
  gh: GitHub,
  options: { readonly head: string; readonly base: string },
): Promise<Result<BranchHistory | undefined>> {
  const { owner, repo } = gh;
  const listed = await call(
    gh.octokit.rest.pulls.list({
      owner,
      repo,
      state: "all",
      head: `${owner}:${options.head}`,
      base: options.base,
      sort: "created",
      direction: "desc",
      per_page: 1,
    }),
  );
  if (!listed.ok) return listed;
  const [pull] = listed.value;
  if (pull === undefined) return ok(undefined);
  const closed = typeof pull.merged_at === "string" ? "merged" : "closed";
  const state = pull.state === "open" ? "open" : closed;
  return ok({ number: pull.number, url: pull.html_url, state, headSha: pull.head.sha });
}
