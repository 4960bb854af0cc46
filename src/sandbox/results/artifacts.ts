import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import type { Hono } from "hono";
import { z } from "zod";
import { isoSeconds } from "../clock.ts";
import type { Artifact, World } from "../world.ts";
import { signedUrl } from "./sign.ts";
import { mountService, parse, TwirpError, type Caller } from "./twirp.ts";
import { beginUpload, takeUpload } from "./uploads.ts";

const Ids = z.object({ workflow_run_backend_id: z.string(), workflow_job_run_backend_id: z.string() });
const Named = Ids.extend({ name: z.string().min(1) });
const Create = Named.extend({ expires_at: z.string().optional(), mime_type: z.string().default("application/zip") });
const Finalize = Named.extend({ size: z.coerce.number().default(0), hash: z.string().optional() });
const List = Ids.extend({ name_filter: z.string().optional(), id_filter: z.string().optional() });

const ADDRESS_MS = 60 * 60 * 1000;
const RETENTION_MS = 90 * 24 * 60 * 60 * 1000;
const MAX_ARTIFACTS = 500;
const FORBIDDEN_IN_NAME = /["<>:|*?\r\n\\/]/;

interface Pending {
  readonly blob: string;
  readonly expiresAt: string;
  readonly contentType: string;
}

const pending = new WeakMap<World, Map<string, Pending>>();

function pendingOf(world: World): Map<string, Pending> {
  const known = pending.get(world) ?? new Map<string, Pending>();
  pending.set(world, known);
  return known;
}

const pendingName = (caller: Caller, name: string): string => `${caller.runId}/${caller.jobId}/${name}`;

/** A job may write for itself only, and read within its run. */
function check(caller: Caller, ids: z.infer<typeof Ids>, writes: boolean): void {
  const sameRun = ids.workflow_run_backend_id === String(caller.runId);
  const sameJob = ids.workflow_job_run_backend_id === String(caller.jobId);
  if (!sameRun || (writes && !sameJob)) {
    throw new TwirpError(403, "permission_denied", "the token is not for this run and job");
  }
}

/** Artifacts of the run, newest of each name first; those of an earlier attempt give way to those of a later one. */
function artifactsOf(caller: Caller): Artifact[] {
  return caller.repository.artifacts.filter((artifact) => artifact.runId === caller.runId).toReversed();
}

/** True when this attempt of the run has an artifact of that name already. */
function isTaken(caller: Caller, name: string): boolean {
  const jobs = new Set(caller.run?.jobs.map((job) => job.id));
  return artifactsOf(caller).some(
    (artifact) => artifact.name === name && (jobs.has(artifact.jobId) || artifact.jobId === caller.jobId),
  );
}

function create(caller: Caller, request: unknown): object {
  const wanted = parse(Create, request);
  check(caller, wanted, true);
  const { world } = caller;
  if (FORBIDDEN_IN_NAME.test(wanted.name))
    throw new TwirpError(400, "invalid_argument", "the artifact name has a forbidden character");
  if (isTaken(caller, wanted.name)) {
    throw new TwirpError(409, "already_exists", "an artifact with this name already exists on the workflow run");
  }
  if (artifactsOf(caller).length >= MAX_ARTIFACTS)
    throw new TwirpError(429, "resource_exhausted", "too many artifacts");
  const blob = randomUUID();
  const latest = world.clock.now().getTime() + RETENTION_MS;
  const asked = wanted.expires_at === undefined ? latest : Date.parse(wanted.expires_at);
  const expiresAt = isoSeconds(new Date(Math.min(latest, Number.isNaN(asked) ? latest : asked)));
  beginUpload(world, blob);
  pendingOf(world).set(pendingName(caller, wanted.name), { blob, expiresAt, contentType: wanted.mime_type });
  const until = new Date(world.clock.now().getTime() + ADDRESS_MS);
  return { ok: true, signed_upload_url: signedUrl(world, { blob, access: "write", until }) };
}

function finalize(caller: Caller, request: unknown): object {
  const wanted = parse(Finalize, request);
  check(caller, wanted, true);
  const { world, repository } = caller;
  const name = pendingName(caller, wanted.name);
  const begun = pendingOf(world).get(name);
  const stored = begun === undefined ? undefined : takeUpload(world, begun.blob);
  if (begun === undefined || stored === undefined)
    throw new TwirpError(404, "not_found", "no upload for this artifact");
  pendingOf(world).delete(name);
  if (stored.size !== wanted.size || (wanted.hash !== undefined && wanted.hash !== stored.digest)) {
    throw new TwirpError(400, "invalid_argument", "what came is not what was announced");
  }
  const artifact: Artifact = {
    id: world.nextId(),
    runId: caller.runId,
    jobId: caller.jobId,
    name: wanted.name,
    size: stored.size,
    digest: stored.digest,
    contentType: begun.contentType,
    createdAt: world.clock.timestamp(),
    expiresAt: begun.expiresAt,
    blob: stored.blob,
  };
  repository.artifacts.push(artifact);
  world.touch();
  return { ok: true, artifact_id: String(artifact.id) };
}

function list(caller: Caller, request: unknown): object {
  const wanted = parse(List, request);
  check(caller, wanted, false);
  const seen = new Set<string>();
  const artifacts = artifactsOf(caller)
    .filter((artifact) => !seen.has(artifact.name) && seen.add(artifact.name))
    .filter((artifact) => wanted.name_filter === undefined || artifact.name === wanted.name_filter)
    .filter((artifact) => wanted.id_filter === undefined || String(artifact.id) === wanted.id_filter)
    .map((artifact) => ({
      workflow_run_backend_id: String(artifact.runId),
      workflow_job_run_backend_id: String(artifact.jobId),
      database_id: String(artifact.id),
      name: artifact.name,
      size: String(artifact.size),
      created_at: artifact.createdAt,
      digest: artifact.digest,
    }));
  return { artifacts };
}

function find(caller: Caller, request: unknown): Artifact {
  const wanted = parse(Named, request);
  check(caller, wanted, false);
  const found = artifactsOf(caller).find((artifact) => artifact.name === wanted.name);
  if (found === undefined) throw new TwirpError(404, "not_found", `no artifact is named ${wanted.name}`);
  return found;
}

function download(caller: Caller, request: unknown): object {
  const { blob, name, contentType } = find(caller, request);
  const until = new Date(caller.world.clock.now().getTime() + ADDRESS_MS);
  return { name, signed_url: signedUrl(caller.world, { blob, access: "read", until, name, contentType }) };
}

async function remove(caller: Caller, request: unknown): Promise<object> {
  const artifact = find(caller, request);
  const { artifacts } = caller.repository;
  artifacts.splice(artifacts.indexOf(artifact), 1);
  caller.world.touch();
  await rm(caller.world.blobPath(artifact.blob), { force: true });
  return { ok: true, artifact_id: String(artifact.id) };
}

/** The artifact service, version 4. */
export function mountArtifacts(app: Hono, world: World): void {
  mountService(app, world, "ArtifactService", {
    CreateArtifact: create,
    FinalizeArtifact: finalize,
    ListArtifacts: list,
    GetSignedArtifactURL: download,
    DeleteArtifact: remove,
  });
}
