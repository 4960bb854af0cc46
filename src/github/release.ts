import { createHash } from "node:crypto";
import { fail, ok } from "../core/index.ts";
import type { Digest, Result } from "../core/index.ts";
import { call, statusOf } from "./client.ts";
import type { GitHub } from "./client.ts";
import { ensure, ONCE } from "./ensure.ts";
import { fit, LIMITS } from "./limits.ts";

export interface ReleaseAsset {
  /** Letters, digits and `._-` only: GitHub changes other names. */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly contentType?: string;
  /** A text about the release: other words in a release that is published already are left as they are. */
  readonly descriptive?: boolean;
}

export interface EnsureReleaseOptions {
  readonly tag: string;
  /** Commit the tag is made at, when it is not there yet. */
  readonly commit: string;
  readonly name: string;
  readonly body: string;
  readonly assets: readonly ReleaseAsset[];
  /** Marks it as the newest of the repository; false for all but the production model. */
  readonly latest?: boolean;
}

export interface Release {
  readonly id: number;
  readonly url: string;
  readonly assets: ReadonlyMap<string, { readonly id: number; readonly digest: Digest | null; readonly url: string }>;
}

/** The parts of GitHub's answer that are read here. */
interface RawRelease {
  readonly id: number;
  readonly html_url: string;
  readonly upload_url: string;
  readonly draft: boolean;
  readonly tag_name: string;
  readonly assets: readonly RawAsset[];
}
interface RawAsset {
  readonly id: number;
  readonly name: string;
  readonly size: number;
  /** `starter` is what an upload leaves that was cut off; GitHub's description does not name it. */
  readonly state: string;
  readonly digest: string | null;
  readonly browser_download_url: string;
}

/**
 * The published release of a tag with exactly these assets. A draft is filled and verified before it is published,
 * because an immutable release takes nothing afterwards; a release that is there already is adopted when its assets
 * are these bytes, and refused when they are not.
 */
export async function ensureRelease(
  gh: GitHub,
  options: EnsureReleaseOptions,
): Promise<Result<Release & { created: boolean }>> {
  const { owner, repo } = gh;
  const invalid = options.assets.find((asset) => !/^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(asset.name));
  if (invalid !== undefined) return fail({ code: "unsupported", what: `a release asset named "${invalid.name}"` });
  const large = options.assets.find((asset) => asset.bytes.byteLength > LIMITS.assetBytes);
  if (large !== undefined)
    return fail({ code: "unsupported", what: `a release asset of 2 GiB or more (${large.name})` });

  const written = await ensure<RawRelease>(
    () => find(gh, options.tag),
    () =>
      call<RawRelease>(
        gh.octokit.rest.repos.createRelease({
          owner,
          repo,
          tag_name: options.tag,
          target_commitish: options.commit,
          name: options.name,
          body: fit(options.body, LIMITS.body),
          draft: true,
          ...ONCE,
        }),
      ),
  );
  if (!written.ok) return written;
  const release = written.value.value;
  if (written.value.created) gh.emit({ type: "effect", name: "release-drafted" });
  const filled = await fill(gh, release, options.assets);
  if (!filled.ok) return filled;
  if (!release.draft) return ok({ ...read(release, filled.value), created: false });
  const published = await call<RawRelease>(
    gh.octokit.rest.repos.updateRelease({
      owner,
      repo,
      release_id: release.id,
      draft: false,
      make_latest: options.latest === true ? "true" : "false",
    }),
  );
  if (!published.ok) return published;
  gh.emit({ type: "effect", name: "release-published" });
  return ok({ ...read(published.value, filled.value), created: true });
}

function read(release: RawRelease, assets: readonly RawAsset[]): Release {
  return {
    id: release.id,
    url: release.html_url,
    assets: new Map(
      assets.map((asset) => [
        asset.name,
        { id: asset.id, digest: asset.digest as Digest | null, url: asset.browser_download_url },
      ]),
    ),
  };
}

/** A published release by its tag, or else the oldest draft that will get it (only lists show drafts). */
async function find(gh: GitHub, tag: string): Promise<Result<RawRelease | undefined>> {
  const { owner, repo } = gh;
  const published = await call<RawRelease>(gh.octokit.rest.repos.getReleaseByTag({ owner, repo, tag }));
  if (published.ok) return published;
  if (statusOf(published) !== 404) return published;
  const drafts = await call<RawRelease[]>(
    gh.octokit
      .paginate(gh.octokit.rest.repos.listReleases, { owner, repo, per_page: LIMITS.page })
      .then((data) => ({ data })),
  );
  if (!drafts.ok) return drafts;
  const ours = drafts.value.filter((release) => release.tag_name === tag).sort((a, b) => a.id - b.id);
  return ok(ours.find((release) => !release.draft) ?? ours[0]);
}

async function fill(gh: GitHub, release: RawRelease, wanted: readonly ReleaseAsset[]): Promise<Result<RawAsset[]>> {
  let listed: readonly RawAsset[] | undefined;
  const there = async (): Promise<Result<readonly RawAsset[]>> => {
    const known = listed;
    listed = undefined; // only the first look may use what came with the release
    return known === undefined ? list(gh, release) : ok(known);
  };
  const done: RawAsset[] = [];
  for (const asset of wanted) {
    const digest = `sha256:${createHash("sha256").update(asset.bytes).digest("hex")}`;
    listed = release.assets;
    const uploaded = await ensure<RawAsset>(
      async () => {
        const assets = await there();
        return assets.ok ? usable(gh, release, asset, digest, assets.value) : assets;
      },
      () => upload(gh, release, asset),
    );
    if (!uploaded.ok) return uploaded;
    const { value, created } = uploaded.value;
    if (created) gh.emit({ type: "effect", name: `release-asset ${asset.name}` });
    if (asset.descriptive !== true && !isSame(value, digest, asset.bytes.byteLength)) {
      return fail({
        code: "blob-corrupt",
        digest,
        actual: value.digest ?? `${value.size} bytes`,
        where: `release ${release.tag_name}, asset ${value.name}`,
      });
    }
    done.push(value);
  }
  return ok(done);
}

async function list(gh: GitHub, release: RawRelease): Promise<Result<RawAsset[]>> {
  const { owner, repo } = gh;
  return call<RawAsset[]>(
    gh.octokit
      .paginate(gh.octokit.rest.repos.listReleaseAssets, {
        owner,
        repo,
        release_id: release.id,
        per_page: LIMITS.page,
      })
      .then((data) => ({ data })),
  );
}

/** The asset of that name, if it will do. One of a draft that will not do is taken out of the way. */
async function usable(
  gh: GitHub,
  release: RawRelease,
  asset: ReleaseAsset,
  digest: string,
  assets: readonly RawAsset[],
): Promise<Result<RawAsset | undefined>> {
  const there = assets.find((candidate) => candidate.name === asset.name);
  if (there === undefined || isSame(there, digest, asset.bytes.byteLength)) return ok(there);
  if (release.draft) {
    const { owner, repo } = gh;
    const removed = await call(gh.octokit.rest.repos.deleteReleaseAsset({ owner, repo, asset_id: there.id }));
    return removed.ok || statusOf(removed) === 404 ? ok(undefined) : removed;
  }
  if (asset.descriptive === true) return ok(there);
  return fail({
    code: "external",
    what: `release ${release.tag_name}`,
    problem: `its asset ${asset.name} holds other bytes (${there.digest ?? there.state})`,
    hint: "a published release is not changed; delete it if it was not made by Lockstep, and run again",
  });
}

/** Old servers give no digest; then the size has to do. */
function isSame(asset: RawAsset, digest: string, size: number): boolean {
  return asset.state === "uploaded" && (asset.digest ?? digest) === digest && asset.size === size;
}

/** By `upload_url`: octokit's own method goes to github.com whatever server is in use. */
async function upload(gh: GitHub, release: RawRelease, asset: ReleaseAsset): Promise<Result<RawAsset>> {
  return call<RawAsset>(
    gh.octokit.request({
      method: "POST",
      url: `${release.upload_url.replace(/\{.*$/, "")}?name=${encodeURIComponent(asset.name)}`,
      data: asset.bytes,
      headers: {
        "content-type": asset.contentType ?? "application/octet-stream",
      },
      ...ONCE,
    }) as Promise<{ data: RawAsset }>,
  );
}
