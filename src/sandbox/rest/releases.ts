import { z } from "zod";
import { actor, body, mover, page, reply, type Call, type Reply } from "../http/call.ts";
import { ApiError, checkBody, notFound, validationFailed } from "../http/errors.ts";
import type { Routes } from "../http/route.ts";
import { tryGit } from "../repository/git.ts";
import { branchHead, changeRefs } from "../repository/refs.ts";
import type { Release } from "../world.ts";
import { assetJson } from "./assets.ts";
import { triggerOnDefaultBranch } from "./events.ts";
import { byId, resolveRef } from "./find.ts";
import { hasRight } from "../http/access.ts";
import { nodeId, pageUrl, repositoryUrl, roleOf, userJson, type Json } from "./shape.ts";

const ReleaseChange = z.object({
  tag_name: z.string().min(1).optional(),
  target_commitish: z.string().optional(),
  name: z.string().nullish(),
  body: z.string().nullish(),
  draft: z.boolean().optional(),
  prerelease: z.boolean().optional(),
});
const NewRelease = ReleaseChange.extend({ tag_name: z.string().min(1) });

function releaseJson(call: Call, release: Release): Json {
  const { world, repository } = call;
  const api = repositoryUrl(world, repository);
  const url = `${api}/releases/${release.id}`;
  const tag = encodeURIComponent(release.tagName);
  const uploads = `${world.origin}/api/uploads/repos/${repository.owner}/${repository.name}/releases/${release.id}`;
  return {
    url,
    assets_url: `${url}/assets`,
    upload_url: `${uploads}/assets{?name,label}`,
    // A draft has no tag yet, so its page has another address.
    html_url: `${pageUrl(world, repository)}/releases/tag/${release.draft ? `untagged-${release.id}` : tag}`,
    id: release.id,
    author: userJson(world, release.author),
    node_id: nodeId("RE", release.id),
    tag_name: release.tagName,
    target_commitish: release.target,
    name: release.name,
    draft: release.draft,
    immutable: release.immutable === true,
    prerelease: release.prerelease,
    created_at: release.createdAt,
    updated_at: release.updatedAt,
    published_at: release.publishedAt,
    assets: release.assets.map((asset) => assetJson(call, release, asset)),
    tarball_url: `${api}/tarball/${tag}`,
    zipball_url: `${api}/zipball/${tag}`,
    body: release.body,
  };
}

/** Drafts are there only for those who may write. */
function visible(call: Call): Release[] {
  const { token, repository } = call;
  const role = token === undefined ? undefined : roleOf(repository, token.login);
  const seesDrafts =
    token?.permissions === undefined ? role === "admin" || role === "write" : hasRight(token, "contents:write");
  return repository.releases.filter((release) => seesDrafts || !release.draft);
}

/** Makes the tag if it is not there, as publishing does. */
async function tag(call: Call, release: Release): Promise<void> {
  const { repository } = call;
  const ref = `refs/tags/${release.tagName}`;
  const sha = (await resolveRef(repository, release.target)) ?? (await branchHead(repository, release.target));
  const invalid = validationFailed({ resource: "Release", code: "invalid", field: "target_commitish" });
  await changeRefs(call.world, repository, mover(call), async () => {
    if ((await tryGit(repository, ["show-ref", "--verify", "--quiet", ref])).exitCode === 0) return;
    if (sha === undefined) {
      const head = await branchHead(repository, repository.defaultBranch);
      throw head === undefined ? new ApiError(422, "Repository is empty.") : invalid;
    }
    const made = await tryGit(repository, ["update-ref", ref, sha, ""]);
    if (made.exitCode !== 0)
      throw validationFailed({
        resource: "Release",
        code: "custom",
        field: "tag_name",
        message: "tag_name is not a valid tag",
      });
  });
}

async function publish(call: Call, release: Release): Promise<void> {
  const known = call.repository.releases.some(
    (other) => other !== release && !other.draft && other.tagName === release.tagName,
  );
  if (known) throw validationFailed({ resource: "Release", code: "already_exists", field: "tag_name" });
  if (call.repository.spentTags?.includes(release.tagName) === true) {
    const message = "tag_name was used by an immutable release";
    throw validationFailed({ resource: "Release", code: "custom", field: "tag_name", message });
  }
  // Before anything is awaited: of two requests at once, the second is told that there is one already.
  release.draft = false;
  try {
    await tag(call, release);
  } catch (error) {
    release.draft = true;
    throw error;
  }
  release.publishedAt = call.world.clock.timestamp();
  if (call.repository.immutableReleases === true) release.immutable = true;
  call.world.touch();
}

async function announce(call: Call, release: Release): Promise<void> {
  const payload = { release: releaseJson(call, release) };
  const event = { name: "release", action: "published", payload, mover: mover(call) };
  await triggerOnDefaultBranch(call.world, call.repository, event);
}

async function create(call: Call): Promise<Reply> {
  const { world, repository } = call;
  const wanted = body(call, NewRelease);
  checkBody("Release", wanted.body);
  const now = world.clock.timestamp();
  const release: Release = {
    id: world.nextId(),
    tagName: wanted.tag_name,
    target: wanted.target_commitish ?? repository.defaultBranch,
    name: wanted.name ?? null,
    body: wanted.body ?? null,
    draft: true,
    prerelease: wanted.prerelease ?? false,
    author: actor(call),
    createdAt: now,
    updatedAt: now,
    publishedAt: null,
    assets: [],
  };
  repository.releases.push(release);
  world.touch();
  if (wanted.draft !== true) {
    try {
      await publish(call, release);
    } catch (error) {
      repository.releases.splice(repository.releases.indexOf(release), 1);
      throw error;
    }
    await announce(call, release);
  }
  const json = releaseJson(call, release);
  return reply(201, json, { location: String(json["url"]) });
}

async function update(call: Call): Promise<Reply> {
  const release = byId(call, visible(call), "release_id");
  const wanted = body(call, ReleaseChange);
  checkBody("Release", wanted.body);
  if (wanted.tag_name !== undefined) release.tagName = wanted.tag_name;
  if (wanted.target_commitish !== undefined) release.target = wanted.target_commitish;
  if (wanted.name !== undefined) release.name = wanted.name;
  if (wanted.body !== undefined) release.body = wanted.body;
  if (wanted.prerelease !== undefined) release.prerelease = wanted.prerelease;
  release.updatedAt = call.world.clock.timestamp();
  call.world.touch();
  if (wanted.draft === false && release.draft) {
    await publish(call, release);
    await announce(call, release);
  } else if (wanted.draft === true) release.draft = true;
  return reply(200, releaseJson(call, release));
}

/** Newest first by creation, as GitHub lists them. */
const newestFirst = (releases: readonly Release[]): Release[] =>
  releases.toSorted((a, b) => (a.createdAt === b.createdAt ? b.id - a.id : a.createdAt < b.createdAt ? 1 : -1));

function makeImmutable(call: Call, immutable: boolean): Reply {
  call.repository.immutableReleases = immutable;
  call.world.touch();
  return reply(204);
}

export const releaseRoutes: Routes = {
  "GET /repos/{owner}/{repo}/immutable-releases": (call) =>
    reply(200, { enabled: call.repository.immutableReleases === true, enforced_by_owner: false }),
  "PUT /repos/{owner}/{repo}/immutable-releases": (call) => makeImmutable(call, true),
  "DELETE /repos/{owner}/{repo}/immutable-releases": (call) => makeImmutable(call, false),
  "GET /repos/{owner}/{repo}/releases": (call) =>
    page(
      call,
      newestFirst(visible(call)).map((release) => releaseJson(call, release)),
    ),
  "POST /repos/{owner}/{repo}/releases": create,
  "GET /repos/{owner}/{repo}/releases/latest": (call) => {
    const latest = newestFirst(call.repository.releases).find((release) => !release.draft && !release.prerelease);
    if (latest === undefined) throw notFound();
    return reply(200, releaseJson(call, latest));
  },
  "GET /repos/{owner}/{repo}/releases/tags/{tag}": (call) => {
    const found = call.repository.releases.find((release) => !release.draft && release.tagName === call.params["tag"]);
    if (found === undefined) throw notFound();
    return reply(200, releaseJson(call, found));
  },
  "GET /repos/{owner}/{repo}/releases/{release_id}": (call) =>
    reply(200, releaseJson(call, byId(call, visible(call), "release_id"))),
  "PATCH /repos/{owner}/{repo}/releases/{release_id}": update,
  "DELETE /repos/{owner}/{repo}/releases/{release_id}": (call) => {
    const release = byId(call, visible(call), "release_id");
    call.repository.releases.splice(call.repository.releases.indexOf(release), 1);
    if (release.immutable === true) (call.repository.spentTags ??= []).push(release.tagName);
    call.world.touch();
    return reply(204);
  },
};
