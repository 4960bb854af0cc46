import { ok } from "../core/index.ts";
import type { Result } from "../core/index.ts";
import { call } from "./client.ts";
import type { GitHub } from "./client.ts";
import { LIMITS } from "./limits.ts";

/** The numbers of all open pull requests, oldest first, so that one opened meanwhile moves no other to a page read. */
export async function openPullRequests(gh: GitHub): Promise<Result<number[]>> {
  const { owner, repo } = gh;
  const numbers: number[] = [];
  for (let page = 1; ; page++) {
    const listed = await call(
      gh.octokit.rest.pulls.list({
        owner,
        repo,
        state: "open",
        sort: "created",
        direction: "asc",
        per_page: LIMITS.page,
        page,
      }),
    );
    if (!listed.ok) return listed;
    numbers.push(...listed.value.map(({ number }) => number));
    if (listed.value.length < LIMITS.page) return ok(numbers);
  }
}
