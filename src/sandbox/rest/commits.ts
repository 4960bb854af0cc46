import { page, reply, type Call, type Reply } from "../http/call.ts";
import { ApiError, notFound } from "../http/errors.ts";
import type { Routes } from "../http/route.ts";
import { changedFiles, log, mergeBase, type FileChange } from "../repository/commits.ts";
import { git } from "../repository/git.ts";
import { branchHead, listRefs } from "../repository/refs.ts";
import { commitJson, fileJson } from "./commit-shape.ts";
import { commitBySha, resolveRef } from "./find.ts";
import { pageUrl, repositoryUrl, type Json } from "./shape.ts";

async function list(call: Call): Promise<Reply> {
  const { repository, query, world } = call;
  const from = query.get("sha") ?? repository.defaultBranch;
  const sha = await resolveRef(repository, from);
  if (sha === undefined) {
    const empty = (await listRefs(repository)).size === 0;
    throw empty ? new ApiError(409, "Git Repository is empty.") : notFound();
  }
  const path = query.get("path");
  const dates = ["since", "until"].flatMap((name) => {
    const value = query.get(name);
    return value === null ? [] : [`--${name}=${value}`];
  });
  const found = await log(repository, [...dates, sha, "--", ...(path === null ? [] : [path])]);
  return page(
    call,
    found.map((commit) => commitJson(world, repository, commit)),
  );
}

const sum = (files: readonly FileChange[], of: "additions" | "deletions"): number =>
  files.reduce((total, file) => total + file[of], 0);

async function get(call: Call): Promise<Reply> {
  const { repository, world } = call;
  const ref = call.params["ref"] ?? "";
  const sha = await resolveRef(repository, ref);
  if (sha === undefined) throw new ApiError(422, `No commit found for SHA: ${ref}`);
  const commit = await commitBySha(repository, sha);
  const files = await changedFiles(repository, commit.parents[0], sha);
  const [additions, deletions] = [sum(files, "additions"), sum(files, "deletions")];
  return reply(200, {
    ...commitJson(world, repository, commit),
    stats: { additions, deletions, total: additions + deletions },
    files: files.map((file) => fileJson(world, repository, sha, file)),
  });
}

/** `base...head`, from where the two parted. */
async function compare(call: Call): Promise<Reply> {
  const { repository, world } = call;
  const [baseRef = "", headRef = ""] = (call.params["basehead"] ?? "").split(/\.\.\.?/);
  const base = await resolveRef(repository, baseRef);
  const head = await resolveRef(repository, headRef);
  const fork = base === undefined || head === undefined ? undefined : await mergeBase(repository, base, head);
  if (base === undefined || head === undefined || fork === undefined) throw notFound();
  const ahead = await log(repository, ["--reverse", `${base}..${head}`]);
  const behind = Number((await git(repository, ["rev-list", "--count", `${head}..${base}`])).trim());
  const files = await changedFiles(repository, fork, head);
  const spec = encodeURIComponent(call.params["basehead"] ?? "");
  const url = `${repositoryUrl(world, repository)}/compare/${spec}`;
  const html = `${pageUrl(world, repository)}/compare/${spec}`;
  const status = ahead.length > 0 ? (behind > 0 ? "diverged" : "ahead") : behind > 0 ? "behind" : "identical";
  const commit = async (sha: string): Promise<Json> =>
    commitJson(world, repository, await commitBySha(repository, sha));
  const [baseCommit, forkCommit] = await Promise.all([commit(base), commit(fork)]);
  return page(call, ahead, (some) => ({
    url,
    html_url: html,
    permalink_url: html,
    diff_url: `${html}.diff`,
    patch_url: `${html}.patch`,
    base_commit: baseCommit,
    merge_base_commit: forkCommit,
    status,
    ahead_by: ahead.length,
    behind_by: behind,
    total_commits: ahead.length,
    commits: some.map((each) => commitJson(world, repository, each)),
    files: files.map((file) => fileJson(world, repository, head, file)),
  }));
}

async function branches(call: Call): Promise<Reply> {
  const { repository, world } = call;
  const refs = [...(await listRefs(repository))].filter(([ref]) => ref.startsWith("refs/heads/"));
  const api = repositoryUrl(world, repository);
  const found = refs.map(([ref, sha]) => ({
    name: ref.slice("refs/heads/".length),
    commit: { sha, url: `${api}/commits/${sha}` },
    protected: false,
  }));
  return page(call, call.query.get("protected") === "true" ? [] : found);
}

async function branch(call: Call): Promise<Reply> {
  const { repository, world } = call;
  const name = call.params["branch"] ?? "";
  const sha = await branchHead(repository, name);
  if (sha === undefined) throw new ApiError(404, "Branch not found");
  const self = `${repositoryUrl(world, repository)}/branches/${encodeURIComponent(name)}`;
  return reply(200, {
    name,
    commit: commitJson(world, repository, await commitBySha(repository, sha)),
    _links: { self, html: `${pageUrl(world, repository)}/tree/${name}` },
    protected: false,
    protection: { enabled: false, required_status_checks: { enforcement_level: "off", contexts: [], checks: [] } },
    protection_url: `${self}/protection`,
  });
}

export const commitRoutes: Routes = {
  "GET /repos/{owner}/{repo}/commits": list,
  "GET /repos/{owner}/{repo}/commits/{ref}": get,
  "GET /repos/{owner}/{repo}/compare/{basehead}": compare,
  "GET /repos/{owner}/{repo}/branches": branches,
  "GET /repos/{owner}/{repo}/branches/{branch}": branch,
};
