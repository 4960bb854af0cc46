import { rm } from "node:fs/promises";
import { page, reply, type Call, type Reply } from "../http/call.ts";
import { ApiError } from "../http/errors.ts";
import type { Routes } from "../http/route.ts";
import { signedUrl } from "../results/sign.ts";
import type { Artifact } from "../world.ts";
import { byId } from "./find.ts";
import { nodeId, repositoryUrl, type Json } from "./shape.ts";

/** An address of a download lives this long, as on GitHub. */
const DOWNLOAD_MS = 60_000;

function artifactJson(call: Call, artifact: Artifact): Json {
  const { world, repository } = call;
  const url = `${repositoryUrl(world, repository)}/actions/artifacts/${artifact.id}`;
  const run = repository.runs.find((other) => other.id === artifact.runId);
  const head = run === undefined ? undefined : world.repositories.get(run.headRepository);
  return {
    id: artifact.id,
    node_id: nodeId("AR", artifact.id),
    name: artifact.name,
    size_in_bytes: artifact.size,
    url,
    archive_download_url: `${url}/zip`,
    expired: isExpired(call, artifact),
    created_at: artifact.createdAt,
    updated_at: artifact.createdAt,
    expires_at: artifact.expiresAt,
    ...(artifact.digest === null ? {} : { digest: artifact.digest }),
    workflow_run: {
      id: artifact.runId,
      repository_id: repository.id,
      head_repository_id: head?.id ?? repository.id,
      head_branch: run?.headBranch ?? repository.defaultBranch,
      head_sha: run?.headSha ?? "",
    },
  };
}

const isExpired = (call: Call, artifact: Artifact): boolean => artifact.expiresAt <= call.world.clock.timestamp();

function list(call: Call, artifacts: readonly Artifact[]): Reply {
  const name = call.query.get("name");
  const found = artifacts.filter((artifact) => name === null || artifact.name === name).toReversed();
  return page(call, found, (some, total) => ({
    total_count: total,
    artifacts: some.map((artifact) => artifactJson(call, artifact)),
  }));
}

const find = (call: Call): Artifact => byId(call, call.repository.artifacts, "artifact_id");

export const artifactRoutes: Routes = {
  "GET /repos/{owner}/{repo}/actions/artifacts": (call) => list(call, call.repository.artifacts),
  "GET /repos/{owner}/{repo}/actions/runs/{run_id}/artifacts": (call) => {
    const run = byId(call, call.repository.runs, "run_id");
    return list(
      call,
      call.repository.artifacts.filter((artifact) => artifact.runId === run.id),
    );
  },
  "GET /repos/{owner}/{repo}/actions/artifacts/{artifact_id}": (call) => reply(200, artifactJson(call, find(call))),
  "GET /repos/{owner}/{repo}/actions/artifacts/{artifact_id}/{archive_format}": (call) => {
    const artifact = find(call);
    if (call.params["archive_format"] !== "zip") throw new ApiError(404, "Not Found");
    if (isExpired(call, artifact)) throw new ApiError(410, "Artifact has expired");
    const until = new Date(call.world.clock.now().getTime() + DOWNLOAD_MS);
    const url = signedUrl(call.world, {
      blob: artifact.blob,
      access: "read",
      until,
      name: artifact.name,
      contentType: artifact.contentType,
    });
    return reply(302, undefined, { location: url });
  },
  "DELETE /repos/{owner}/{repo}/actions/artifacts/{artifact_id}": async (call) => {
    const artifact = find(call);
    call.repository.artifacts.splice(call.repository.artifacts.indexOf(artifact), 1);
    call.world.touch();
    await rm(call.world.blobPath(artifact.blob), { force: true });
    return reply(204);
  },
  "GET /repos/{owner}/{repo}/actions/caches": (call) => {
    const key = call.query.get("key") ?? "";
    const ref = call.query.get("ref");
    const found = call.repository.caches
      .filter((cache) => cache.key.startsWith(key) && (ref === null || cache.ref === ref))
      .toSorted((a, b) => (a.lastAccessedAt < b.lastAccessedAt ? 1 : -1));
    return page(call, found, (some, total) => ({
      total_count: total,
      actions_caches: some.map((cache) => ({
        id: cache.id,
        ref: cache.ref,
        key: cache.key,
        version: cache.version,
        last_accessed_at: cache.lastAccessedAt,
        created_at: cache.createdAt,
        size_in_bytes: cache.size,
      })),
    }));
  },
};
