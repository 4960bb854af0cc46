import { z } from "zod";
import { actor, body, mover, page, reply, type Call, type Reply } from "../http/call.ts";
import { ApiError, checkBody, invalidRequest, validationFailed } from "../http/errors.ts";
import type { Routes } from "../http/route.ts";
import { changedFiles, log, mergeBase, writeCommit } from "../repository/commits.ts";
import { git, isAncestor } from "../repository/git.ts";
import { closePull, mergeTree, refreshPull, triggerPull } from "../repository/pulls.ts";
import { branchHead, changeRefs } from "../repository/refs.ts";
import type { Issue, Repository } from "../world.ts";
import { commitJson, fileJson } from "./commit-shape.ts";
import { pullByNumber } from "./find.ts";
import { isPull, pullJson, simplePullJson, type PullIssue } from "./pull-shape.ts";
import { fullName, roleOf } from "./shape.ts";

const NewPull = z.object({
  title: z.string().optional(),
  head: z.string(),
  head_repo: z.string().optional(),
  base: z.string(),
  body: z.string().nullish(),
  draft: z.boolean().optional(),
});
const PullChange = z.object({
  title: z.string().optional(),
  body: z.string().nullish(),
  state: z.enum(["open", "closed"]).optional(),
  base: z.string().optional(),
});
const Merge = z.object({
  commit_title: z.string().optional(),
  commit_message: z.string().optional(),
  sha: z.string().optional(),
  merge_method: z.enum(["merge", "squash", "rebase"]).optional(),
});

function list(call: Call): Reply {
  const { query, world, repository } = call;
  const state = query.get("state") ?? "open";
  const head = query.get("head");
  const base = query.get("base");
  const ascending = query.get("direction") === "asc";
  const by = query.get("sort") === "updated" ? "updatedAt" : "createdAt";
  const found = repository.issues
    .filter(isPull)
    .filter((issue) => state === "all" || issue.state === state)
    // GitHub takes `owner:branch` here and ignores a head without an owner.
    .filter(({ pull }) => !head?.includes(":") || `${pull.headRepository.split("/")[0]}:${pull.headBranch}` === head)
    .filter(({ pull }) => base === null || pull.baseBranch === base)
    .toSorted((a, b) => (a[by] === b[by] ? a.number - b.number : a[by] < b[by] ? -1 : 1));
  return page(
    call,
    (ascending ? found : found.toReversed()).map((issue) => simplePullJson(world, repository, issue)),
  );
}

/** The repository and branch of `head`: `branch`, `owner:branch`, or with `head_repo`. */
function headOf(
  call: Call,
  head: string,
  headRepo: string | undefined,
): { repository: Repository | undefined; branch: string } {
  const colon = head.indexOf(":");
  const branch = head.slice(colon + 1);
  const owner = colon < 0 ? call.repository.owner : head.slice(0, colon);
  if (owner === call.repository.owner && headRepo === undefined) return { repository: call.repository, branch };
  const fork = [...call.world.repositories.values()].find(
    (other) =>
      other.owner === owner &&
      (headRepo === undefined ? other.parent === fullName(call.repository) : other.name === headRepo),
  );
  return { repository: fork, branch };
}

async function create(call: Call): Promise<Reply> {
  const { world, repository, token } = call;
  const login = actor(call);
  if (token?.permissions !== undefined && !repository.allowActionsPullRequests) {
    throw new ApiError(403, "GitHub Actions is not permitted to create or approve pull requests.");
  }
  const wanted = body(call, NewPull);
  if (wanted.title === undefined) throw invalidRequest(`"title" wasn't supplied.`);
  checkBody("PullRequest", wanted.body);
  const head = headOf(call, wanted.head, wanted.head_repo);
  const headSha = head.repository === undefined ? undefined : await branchHead(head.repository, head.branch);
  const baseSha = await branchHead(repository, wanted.base);
  const invalid = (field: string) => ({ resource: "PullRequest", field, code: "invalid" }) as const;
  if (head.repository === undefined || headSha === undefined) throw validationFailed(invalid("head"));
  if (baseSha === undefined) throw validationFailed(invalid("base"));
  const custom = (message: string): ApiError => validationFailed({ resource: "PullRequest", code: "custom", message });
  const headName = fullName(head.repository);
  const same = repository.issues
    .filter(isPull)
    .find(
      ({ state, pull }) =>
        state === "open" &&
        pull.headRepository === headName &&
        pull.headBranch === head.branch &&
        pull.baseBranch === wanted.base,
    );
  if (same !== undefined) throw custom(`A pull request already exists for ${head.repository.owner}:${head.branch}.`);
  const now = world.clock.timestamp();
  const issue: PullIssue = {
    id: world.nextId(),
    number: repository.nextNumber,
    title: wanted.title,
    body: wanted.body ?? null,
    state: "open",
    stateReason: null,
    user: login,
    labels: [],
    assignees: [],
    createdAt: now,
    updatedAt: now,
    closedAt: null,
    closedBy: null,
    pull: {
      id: world.nextId(),
      headRepository: headName,
      headBranch: head.branch,
      headSha: "",
      baseBranch: wanted.base,
      baseSha: "",
      draft: wanted.draft ?? false,
      merged: false,
      mergedAt: null,
      mergedBy: null,
      mergeCommitSha: null,
      mergeable: true,
    },
  };
  // Taken before anything is awaited: of two requests at once, the second is told that there is one already.
  repository.nextNumber += 1;
  repository.issues.push(issue);
  await refreshPull(world, repository, issue);
  if (await isAncestor(repository, issue.pull.headSha, baseSha)) {
    repository.issues.splice(repository.issues.indexOf(issue), 1);
    if (repository.nextNumber === issue.number + 1) repository.nextNumber -= 1;
    throw custom(`No commits between ${wanted.base} and ${wanted.head}`);
  }
  world.touch();
  const json = await pullJson(world, repository, issue);
  await triggerPull(world, repository, issue, "opened", mover(call));
  return reply(201, json, { location: String(json["url"]) });
}

/** The author may change their own; anyone with write access may change any. */
export function mayEdit(call: Call, issue: Issue): void {
  const role = roleOf(call.repository, actor(call));
  if (call.token?.permissions !== undefined || issue.user === actor(call) || role === "admin" || role === "write")
    return;
  throw new ApiError(403, "Must have admin rights to Repository.");
}

async function update(call: Call): Promise<Reply> {
  const { world, repository } = call;
  const issue = pullByNumber(call);
  mayEdit(call, issue);
  const wanted = body(call, PullChange);
  checkBody("PullRequest", wanted.body);
  if (wanted.title !== undefined) issue.title = wanted.title;
  if (wanted.body !== undefined) issue.body = wanted.body ?? null;
  if (wanted.base !== undefined) {
    if ((await branchHead(repository, wanted.base)) === undefined) {
      throw validationFailed({ resource: "PullRequest", field: "base", code: "invalid" });
    }
    issue.pull.baseBranch = wanted.base;
    await refreshPull(world, repository, issue);
  }
  issue.updatedAt = world.clock.timestamp();
  world.touch();
  await setPullState(call, issue, wanted.state);
  return reply(200, await pullJson(world, repository, issue));
}

/** Closes or reopens a pull request and says so. */
export async function setPullState(call: Call, issue: PullIssue, state: "open" | "closed" | undefined): Promise<void> {
  if (state === undefined || state === issue.state) return;
  if (state === "closed") {
    closePull(call.world, issue, actor(call));
    await triggerPull(call.world, call.repository, issue, "closed", mover(call));
    return;
  }
  if (issue.pull.merged) {
    throw validationFailed({
      resource: "PullRequest",
      code: "custom",
      field: "state",
      message: "state cannot be changed. The pull request cannot be reopened.",
    });
  }
  Object.assign(issue, { state: "open", closedAt: null, closedBy: null });
  await refreshPull(call.world, call.repository, issue);
  await triggerPull(call.world, call.repository, issue, "reopened", mover(call));
}

async function merge(call: Call): Promise<Reply> {
  const { world, repository } = call;
  const issue = pullByNumber(call);
  const wanted = body(call, Merge);
  const { pull } = issue;
  if (issue.state !== "open" || pull.draft || !pull.mergeable) throw new ApiError(405, "Pull Request is not mergeable");
  if ((wanted.merge_method ?? "merge") !== "merge") {
    throw new ApiError(
      405,
      `${wanted.merge_method === "squash" ? "Squash" : "Rebase"} merges are not allowed on this repository.`,
    );
  }
  if (wanted.sha !== undefined && wanted.sha !== pull.headSha) {
    throw new ApiError(409, "Head branch was modified. Review and try the merge again.");
  }
  const login = actor(call);
  const owner = pull.headRepository.split("/")[0] ?? "";
  const title = wanted.commit_title ?? `Merge pull request #${issue.number} from ${owner}/${pull.headBranch}`;
  const message = `${title}\n\n${wanted.commit_message ?? issue.title}`;
  const sha = await changeRefs(world, repository, mover(call), async () => {
    // The base may have moved while this request waited for its turn.
    const base = await branchHead(repository, pull.baseBranch);
    const tree = base === undefined ? undefined : await mergeTree(repository, base, pull.headSha);
    if (base === undefined || tree === undefined) throw new ApiError(405, "Pull Request is not mergeable");
    const date = world.clock.timestamp();
    const author = { name: login, email: `${world.user(login).id}+${login}@users.noreply.github.com`, date };
    const committer = { name: "GitHub", email: "noreply@github.com", date };
    const commit = await writeCommit(repository, { tree, parents: [base, pull.headSha], message, author, committer });
    await git(repository, ["update-ref", `refs/heads/${pull.baseBranch}`, commit, base]);
    return commit;
  });
  return reply(200, { sha, merged: true, message: "Pull Request successfully merged" });
}

async function files(call: Call): Promise<Reply> {
  const { pull } = pullByNumber(call);
  const { world, repository } = call;
  const fork = await mergeBase(repository, pull.baseSha, pull.headSha);
  const changes = await changedFiles(repository, fork, pull.headSha);
  return page(
    call,
    changes.map((file) => fileJson(world, repository, pull.headSha, file)),
  );
}

async function commits(call: Call): Promise<Reply> {
  const { pull } = pullByNumber(call);
  const found = await log(call.repository, ["--reverse", `${pull.baseSha}..${pull.headSha}`]);
  return page(
    call,
    found.map((commit) => commitJson(call.world, call.repository, commit)),
  );
}

/** Pull requests a commit belongs to: those it is a commit of, and those whose merge it is. */
async function ofCommit(call: Call): Promise<Reply> {
  const { world, repository } = call;
  const sha = call.params["commit_sha"] ?? "";
  const found: PullIssue[] = [];
  for (const issue of repository.issues.filter(isPull)) {
    const { pull } = issue;
    const own = await log(repository, [`${pull.baseSha}..${pull.headSha}`]);
    if ((pull.merged && pull.mergeCommitSha === sha) || own.some((commit) => commit.sha === sha)) found.push(issue);
  }
  return page(
    call,
    found.toReversed().map((issue) => simplePullJson(world, repository, issue)),
  );
}

export const pullRoutes: Routes = {
  "GET /repos/{owner}/{repo}/pulls": list,
  "POST /repos/{owner}/{repo}/pulls": create,
  "GET /repos/{owner}/{repo}/pulls/{pull_number}": async (call) =>
    reply(200, await pullJson(call.world, call.repository, pullByNumber(call))),
  "PATCH /repos/{owner}/{repo}/pulls/{pull_number}": update,
  "GET /repos/{owner}/{repo}/pulls/{pull_number}/files": files,
  "GET /repos/{owner}/{repo}/pulls/{pull_number}/commits": commits,
  "GET /repos/{owner}/{repo}/pulls/{pull_number}/merge": (call) => reply(pullByNumber(call).pull.merged ? 204 : 404),
  "PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge": merge,
  "GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls": ofCommit,
};
