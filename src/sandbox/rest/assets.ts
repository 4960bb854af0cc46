import { z } from "zod";
import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { requestBody, storeBlob } from "../blobs.ts";
import { actor, body, numberParam, page, reply, type Call, type Reply } from "../http/call.ts";
import { ApiError, notFound, validationFailed } from "../http/errors.ts";
import type { Routes } from "../http/route.ts";
import type { Release, ReleaseAsset } from "../world.ts";
import { byId } from "./find.ts";
import { nodeId, pageUrl, repositoryUrl, userJson, type Json } from "./shape.ts";

const AssetChange = z.object({ name: z.string().optional(), label: z.string().nullish() });
/** Assets a release can hold. */
const MAX_ASSETS = 1000;

export function assetJson(call: Call, release: Release, asset: ReleaseAsset): Json {
  const { world, repository } = call;
  const tag = encodeURIComponent(release.draft ? `untagged-${release.id}` : release.tagName);
  return {
    url: `${repositoryUrl(world, repository)}/releases/assets/${asset.id}`,
    id: asset.id,
    node_id: nodeId("RA", asset.id),
    name: asset.name,
    label: asset.label,
    uploader: userJson(world, asset.uploader),
    content_type: asset.contentType,
    state: "uploaded",
    size: asset.size,
    digest: asset.digest,
    download_count: asset.downloads,
    created_at: asset.createdAt,
    updated_at: asset.updatedAt,
    browser_download_url: `${pageUrl(world, repository)}/releases/download/${tag}/${encodeURIComponent(asset.name)}`,
  };
}

/** GitHub replaces what it does not like in a name, and dots at its ends. */
function cleanName(name: string): string {
  return name.replace(/[^\w.@+~-]+/g, ".").replace(/^\.+|\.+$/g, "");
}

async function upload(call: Call): Promise<Reply> {
  const { world, repository } = call;
  const release = byId(call, repository.releases, "release_id");
  const name = cleanName(call.query.get("name") ?? "");
  if (name === "") throw new ApiError(400, "Bad Request");
  const duplicate = (): ApiError =>
    validationFailed({ resource: "ReleaseAsset", code: "already_exists", field: "name" });
  if (release.assets.some((asset) => asset.name === name)) throw duplicate();
  if (release.assets.length >= MAX_ASSETS) {
    const message = `A release can have at most ${MAX_ASSETS} assets`;
    throw validationFailed({ resource: "ReleaseAsset", code: "custom", field: "release_id", message });
  }
  const stored = await storeBlob(world, requestBody(call.request));
  if (release.assets.some((asset) => asset.name === name)) {
    await rm(world.blobPath(stored.blob), { force: true });
    throw duplicate();
  }
  const now = world.clock.timestamp();
  const asset: ReleaseAsset = {
    id: world.nextId(),
    name,
    label: call.query.get("label"),
    contentType: call.request.headers.get("content-type") ?? "application/octet-stream",
    size: stored.size,
    digest: stored.digest,
    downloads: 0,
    uploader: actor(call),
    createdAt: now,
    updatedAt: now,
    blob: stored.blob,
  };
  release.assets.push(asset);
  world.touch();
  return reply(201, assetJson(call, release, asset));
}

function find(call: Call): { release: Release; asset: ReleaseAsset } {
  const id = numberParam(call, "asset_id");
  for (const release of call.repository.releases) {
    const asset = release.assets.find((other) => other.id === id);
    if (asset !== undefined) return { release, asset };
  }
  throw notFound();
}

/** Bytes when the client accepts them: small ones at once, others from a signed address, so that clients meet both. */
function get(call: Call): Reply {
  const { release, asset } = find(call);
  if (!(call.request.headers.get("accept") ?? "").includes("application/octet-stream")) {
    return reply(200, assetJson(call, release, asset));
  }
  asset.downloads += 1;
  call.world.touch();
  if (asset.size > REDIRECT_ABOVE) {
    return reply(302, undefined, { location: `${call.world.origin}/_download/${asset.blob}` });
  }
  const stream = Readable.toWeb(createReadStream(call.world.blobPath(asset.blob))) as ReadableStream<Uint8Array>;
  const headers = { "content-type": asset.contentType, "content-length": String(asset.size) };
  return { status: 200, bytes: stream, headers };
}

const REDIRECT_ABOVE = 1024;

export const assetRoutes: Routes = {
  "GET /repos/{owner}/{repo}/releases/{release_id}/assets": (call) => {
    const release = byId(call, call.repository.releases, "release_id");
    return page(
      call,
      release.assets.map((asset) => assetJson(call, release, asset)),
    );
  },
  "POST /repos/{owner}/{repo}/releases/{release_id}/assets": upload,
  "GET /repos/{owner}/{repo}/releases/assets/{asset_id}": get,
  "PATCH /repos/{owner}/{repo}/releases/assets/{asset_id}": (call) => {
    const { release, asset } = find(call);
    const wanted = body(call, AssetChange);
    if (wanted.name !== undefined) asset.name = cleanName(wanted.name);
    if (wanted.label !== undefined) asset.label = wanted.label;
    asset.updatedAt = call.world.clock.timestamp();
    call.world.touch();
    return reply(200, assetJson(call, release, asset));
  },
  "DELETE /repos/{owner}/{repo}/releases/assets/{asset_id}": async (call) => {
    const { release, asset } = find(call);
    release.assets.splice(release.assets.indexOf(asset), 1);
    call.world.touch();
    await rm(call.world.blobPath(asset.blob), { force: true });
    return reply(204);
  },
};
