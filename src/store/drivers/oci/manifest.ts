import { createHash } from "node:crypto";
import { z } from "zod";
import { fail, isDigest, ok } from "../../../core/index.ts";
import type { Digest, Result } from "../../../core/index.ts";
import type { Key, KeyKind, ObjectInfo } from "../../driver.ts";

/** What the images are (`artifactType`), and what their one layer is. Both are part of the format. */
export const ARTIFACT_TYPE = "application/vnd.lockstep.object.v1";
export const LAYER_TYPE = "application/vnd.lockstep.blob.v1";
export const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";
/** The configuration of an image that has none (OCI image specification 1.1). */
export const EMPTY = { bytes: Buffer.from("{}"), digest: nameOf(Buffer.from("{}")) };

const CREATED = "org.opencontainers.image.created";
/** Keeps the manifests of two keys with equal bytes apart: deleting one must not take the other's tag. */
const KEY = "io.lockstep.key";

const manifestSchema = z.object({
  artifactType: z.literal(ARTIFACT_TYPE),
  layers: z.tuple([z.object({ digest: z.string().refine(isDigest), size: z.int().nonnegative() })]),
  annotations: z.object({ [CREATED]: z.iso.datetime({ offset: true }), [KEY]: z.string() }),
});

/** An object as its manifest describes it. */
export interface Stored extends ObjectInfo {
  readonly layer: Digest;
  /** The manifest's own. */
  readonly digest: Digest;
}

export function tagOf(key: Key): string {
  return key.replace("/", ".");
}

const TAG = /^(?:(?:blobs|layouts|checkpoints)\.[0-9a-f]{64}|gc\.[A-Za-z0-9._-]+)$/;

/** The key of a tag; undefined for tags that are none of ours, or of another kind. */
export function keyOf(tag: string, kind: KeyKind): Key | undefined {
  return TAG.test(tag) && tag.startsWith(`${kind}.`) ? `${kind}/${tag.slice(kind.length + 1)}` : undefined;
}

/** Canonical by construction: members in the order written here, no white space. */
export function encodeManifest(key: Key, layer: { digest: Digest; size: number }, created: Date): Buffer {
  const config = { mediaType: "application/vnd.oci.empty.v1+json", digest: EMPTY.digest, size: EMPTY.bytes.length };
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    artifactType: ARTIFACT_TYPE,
    config: { ...config, data: EMPTY.bytes.toString("base64") },
    layers: [{ mediaType: LAYER_TYPE, digest: layer.digest, size: layer.size }],
    annotations: { [CREATED]: created.toISOString(), [KEY]: key },
  };
  return Buffer.from(JSON.stringify(manifest));
}

/** What a manifest under a key's tag says. One that says something else is a failure, whoever put it there. */
export function parseManifest(what: string, key: Key, bytes: Buffer): Result<Stored> {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString());
  } catch {
    json = undefined;
  }
  const { data } = manifestSchema.safeParse(json);
  const layer = data?.layers[0];
  const named = data?.annotations[KEY] === key && (!key.startsWith("blobs/") || layer?.digest === digestIn(key));
  if (data === undefined || layer === undefined || !named) {
    const problem = `the manifest at the tag ${tagOf(key)} does not describe this object`;
    const hint = "keep the repository for Lockstep alone; delete that tag and push again";
    return fail({ code: "external", what, problem, hint });
  }
  const modified = Date.parse(data.annotations[CREATED]);
  return ok({ size: layer.size, modified, layer: layer.digest as Digest, digest: nameOf(bytes) });
}

/** The digest that a blob's key holds. */
export function digestIn(key: Key): Digest {
  return `sha256:${key.slice(key.indexOf("/") + 1)}` as Digest;
}

function nameOf(bytes: Buffer): Digest {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}` as Digest;
}
