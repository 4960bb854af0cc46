import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { parseConfig, servedFile } from "../config/index.ts";
import type { ModelVersion } from "../config/index.ts";
import { attempt, canonicalJson, fail, fileJson, isDigest, ok } from "../core/index.ts";
import type { Digest, Result } from "../core/index.ts";
import { digestOf } from "../store/index.ts";
import type { Store } from "../store/index.ts";
import type { ServedModel, Signature } from "./model.ts";

const MANIFEST = "serve.json";
const fileName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/);
const digest = z.custom<Digest>((value) => typeof value === "string" && isDigest(value), "not a digest");

/** `serve.json`: all a server has to know, so that it needs neither the repository nor git. */
const manifestSchema = z.strictObject({
  packageVersion: z.literal(1),
  model: fileName,
  version: z.number().int().min(1),
  digest,
  /** Which of `files` is served. */
  file: fileName,
  files: z.record(fileName, digest),
  signature: z.strictObject({ input: z.string(), output: z.string(), classes: z.array(z.string()).optional() }),
  logSample: z.number().min(0).max(1),
});
export type PackageManifest = z.infer<typeof manifestSchema>;

/** What of model.yaml and lock.json a package is made from. */
export interface PackageSource {
  readonly name: string;
  readonly version: ModelVersion;
  readonly serving: Signature & { readonly file?: string | undefined; readonly log_sample?: number | undefined };
}

/** The manifest of a version. Fails where it is not clear which file is served. */
export function packageManifest({ name, version, serving }: PackageSource): Result<PackageManifest> {
  const known = Object.keys(version.files);
  const file = servedFile(known, serving);
  if (file === undefined) {
    const hint = "`serving: {file: ...}` in model.yaml says which file is served";
    return fail({ code: "unknown-name", what: `served file in version ${version.version} of`, name, known, hint });
  }
  return ok({
    packageVersion: 1,
    model: name,
    version: version.version,
    digest: version.digest,
    file,
    files: version.files,
    signature: {
      input: serving.input,
      output: serving.output,
      ...(serving.classes === undefined ? {} : { classes: [...serving.classes] }),
    },
    logSample: serving.log_sample ?? 1,
  });
}

/** The model of a version, its network read from the first store that has it, verified. */
export async function fetchModel(source: PackageSource, stores: readonly Store[]): Promise<Result<ServedModel>> {
  const manifest = packageManifest(source);
  if (!manifest.ok) return manifest;
  const onnx = await readFromAny(manifest.value.files[manifest.value.file]!, source.name, stores);
  return onnx.ok ? ok(servedModel(manifest.value, onnx.value)) : onnx;
}

/** Writes `serve.json` and the model's files into a folder; the manifest comes last, so that it vouches for them. */
export async function writePackage(
  source: PackageSource,
  stores: readonly Store[],
  folder: string,
): Promise<Result<PackageManifest>> {
  const manifest = packageManifest(source);
  if (!manifest.ok) return manifest;
  for (const [name, digest] of Object.entries(manifest.value.files)) {
    // oxlint-disable-next-line no-await-in-loop -- a few files, one of which may be as large as memory
    const bytes = await readFromAny(digest, source.name, stores);
    if (!bytes.ok) return bytes;
    // oxlint-disable-next-line no-await-in-loop
    const written = await attempt(folder, async () => {
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, name), bytes.value);
    });
    if (!written.ok) return written;
  }
  const written = await attempt(folder, async () => writeFile(join(folder, MANIFEST), fileJson(manifest.value)));
  return written.ok ? manifest : written;
}

/** Reads a package back. The network's digest, and that of the version over its files, are checked. */
export async function readPackage(folder: string): Promise<Result<ServedModel>> {
  const path = join(folder, MANIFEST);
  const text = await attempt(path, async () => readFile(path, "utf8"));
  if (!text.ok) return text;
  const parsed = parseConfig(path, text.value, manifestSchema);
  if (!parsed.ok) return parsed;
  const manifest = parsed.value.value;
  const expected = manifest.files[manifest.file];
  const whole = digestOf(Buffer.from(canonicalJson(manifest.files)));
  if (whole !== manifest.digest) return corrupt(path, manifest.digest, whole);
  const onnx = await attempt(folder, async () => readFile(join(folder, manifest.file)));
  if (!onnx.ok) return onnx;
  const actual = digestOf(onnx.value);
  if (expected !== actual) return corrupt(join(folder, manifest.file), String(expected), actual);
  return ok(servedModel(manifest, onnx.value));
}

function corrupt(where: string, digest: string, actual: string): Result<never> {
  return fail({ code: "blob-corrupt", digest, actual, where, hint: "deploy the version again" });
}

function servedModel(manifest: PackageManifest, onnx: Uint8Array): ServedModel {
  const { model: name, version, digest, signature, logSample } = manifest;
  return { name, version, digest, onnx, signature, logSample };
}

async function readFromAny(digest: Digest, model: string, stores: readonly Store[]): Promise<Result<Buffer>> {
  for (const store of stores) {
    // oxlint-disable-next-line no-await-in-loop -- the next store is asked only when this one lacks it
    const bytes = await store.read(digest);
    if (bytes.ok || bytes.failures[0].code !== "blob-missing") return bytes;
  }
  const where = stores.map(({ url }) => url).join(", ");
  return fail({ code: "blob-missing", digest, neededBy: `model "${model}"`, store: where });
}
