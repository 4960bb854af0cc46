import { z } from "zod";
import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { requestBody, storeBlob } from "../blobs.ts";
import { actor, body, numberParam, page, reply, type Call, type Reply } from "../http/call.ts";
import { ApiError, notFound, validationFailed } from "../http/errors.ts";
import type { Routes } from "../http/route.ts";
import { signedUrl } from "../results/sign.ts";
import type { Release, ReleaseAsset, World } from "../world.ts";
import { byId } from "./find.ts";
import { nodeId, pageUrl, repositoryUrl, userJson, type Json } from "./shape.ts";

const AssetChange = z.object({ name: z.string().optional(), label: z.string().nullish() });
/** Assets a release can hold. */
const MAX_ASSETS = 1000;
/** An asset is smaller. */
const MAX_BYTES = 2 * 1024 ** 3;
/** How long an address of storage may be used. */
const DOWNLOAD_MS = 5 * 60_000;

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
    state: asset.starter === true ? "starter" : "uploaded",
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

/** The length a client announces; GitHub takes no asset without one, and none that is empty. */
function announced(call: Call): number {
  const text = call.request.headers.get("content-length") ?? "";
  if (!/^\d+$/.test(text)) throw new ApiError(400, `Bad Content-Length: ${text}`);
  const size = Number(text);
  const invalid = (message: string): ApiError =>
    validationFailed({ resource: "ReleaseAsset", code: "custom", field: "size", message });
  if (size < 1) throw invalid("size must be greater than or equal to 1");
  if (size >= MAX_BYTES) throw invalid(`size must be less than ${MAX_BYTES}`);
  return size;
}

function changeable(release: Release, what: string): void {
  if (release.immutable === true) throw new ApiError(422, `Cannot ${what} an immutable release.`);
}

/** The asset is there as a `starter` while its bytes come, and stays that when the connection is cut. */
async function upload(call: Call): Promise<Reply> {
  const { world, repository } = call;
  const release = byId(call, repository.releases, "release_id");
  changeable(release, "upload assets to");
  const name = cleanName(call.query.get("name") ?? "");
  if (name === "") throw new ApiError(400, "Bad Request");
  const size = announced(call);
  if (release.assets.some((asset) => asset.name === name)) {
    throw validationFailed({ resource: "ReleaseAsset", code: "already_exists", field: "name" });
  }
  if (release.assets.length >= MAX_ASSETS) {
    const message = `A release can have at most ${MAX_ASSETS} assets`;
    throw validationFailed({ resource: "ReleaseAsset", code: "custom", field: "release_id", message });
  }
  const now = world.clock.timestamp();
  const asset: ReleaseAsset = {
    id: world.nextId(),
    name,
    label: call.query.get("label"),
    contentType: call.request.headers.get("content-type") ?? "application/octet-stream",
    starter: true,
    size,
    digest: null,
    downloads: 0,
    uploader: actor(call),
    createdAt: now,
    updatedAt: now,
    blob: "",
  };
  release.assets.push(asset);
  world.touch();
  const stored = await storeBlob(world, requestBody(call.request));
  if (!release.assets.includes(asset)) {
    await rm(world.blobPath(stored.blob), { force: true });
    throw notFound();
  }
  delete asset.starter;
  Object.assign(asset, stored, { updatedAt: world.clock.timestamp() });
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

/**
 * A signed address of storage. Its host is another than the API's (as GitHub's is), so that a client that sends its
 * token there is found out: storage refuses it.
 */
function storageUrl(world: World, asset: ReleaseAsset): string {
  const until = new Date(world.clock.now().getTime() + DOWNLOAD_MS);
  const { blob, name, contentType } = asset;
  const url = new URL(signedUrl(world, { blob, access: "read", until, name, contentType }));
  if (url.hostname === "127.0.0.1") url.hostname = "localhost";
  return url.href;
}

/** Bytes when the client accepts them: small ones at once, others from a signed address, so that clients meet both. */
function get(call: Call): Reply {
  const { release, asset } = find(call);
  if (!(call.request.headers.get("accept") ?? "").includes("application/octet-stream")) {
    return reply(200, assetJson(call, release, asset));
  }
  if (asset.starter === true) throw notFound();
  asset.downloads += 1;
  call.world.touch();
  if (asset.size > REDIRECT_ABOVE) return reply(302, undefined, { location: storageUrl(call.world, asset) });
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
    changeable(release, "change assets of");
    const wanted = body(call, AssetChange);
    if (wanted.name !== undefined) asset.name = cleanName(wanted.name);
    if (wanted.label !== undefined) asset.label = wanted.label;
    asset.updatedAt = call.world.clock.timestamp();
    call.world.touch();
    return reply(200, assetJson(call, release, asset));
  },
  "DELETE /repos/{owner}/{repo}/releases/assets/{asset_id}": async (call) => {
    const { release, asset } = find(call);
    changeable(release, "delete assets from");
    release.assets.splice(release.assets.indexOf(asset), 1);
    call.world.touch();
    if (asset.blob !== "") await rm(call.world.blobPath(asset.blob), { force: true });
    return reply(204);
  },
};
