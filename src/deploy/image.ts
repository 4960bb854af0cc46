import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { attempt, fail, ok } from "../core/index.ts";
import type { Context, Digest, Result } from "../core/index.ts";
import { serverProgram, writePackage } from "../serve/index.ts";
import type { PackageSource } from "../serve/index.ts";
import type { Store } from "../store/index.ts";
import type { Credentials, Engine } from "./engine.ts";
import { packageFolder } from "./packages.ts";

/** Has Node 24 in its PATH and glibc, which ONNX Runtime needs. */
export const DEFAULT_BASE_IMAGE = "docker.io/library/node:24-slim";
/** Port inside the container. */
export const CONTAINER_PORT = 8080;

export interface ImageOptions {
  readonly source: PackageSource;
  readonly stores: readonly Store[];
  readonly baseImage: string | undefined;
  /** The server's program as one file; absent: the bundle Lockstep comes with. */
  readonly program: string | undefined;
}

/** Local tag of a version's image. */
export function imageTag({ name, version }: PackageSource): string {
  return `localhost/lockstep/${name.toLowerCase()}:v${version.version}`;
}

/**
 * Builds the serving image of a version: the base, a layer with the server and ONNX Runtime, a layer with the model.
 * Only the last one differs between versions. Content alone decides the bytes (as far as the engine allows): equal
 * versions on an equal base are equal images.
 */
export async function buildImage(context: Context, engine: Engine, options: ImageOptions): Promise<Result<string>> {
  const program = options.program ?? serverProgram({ bundled: true });
  if (program === undefined || program.endsWith(".ts")) {
    const hint = "the server's program is built by `npm run build`";
    return fail({ code: "file-missing", path: "actions/dist/serve/serve.js", neededBy: "an image", hint });
  }
  const runtime = findPackages(
    ["onnxruntime-node", "onnxruntime-common"],
    [program, join(context.cwd, "package.json")],
  );
  if (!runtime.ok) return runtime;
  const folder = await mkdtemp(join(tmpdir(), "lockstep-image-"));
  try {
    const tag = imageTag(options.source);
    const written = await writeContext(options, program, runtime.value, folder);
    if (!written.ok) return written;
    const built = await engine.build(folder, tag);
    return built.ok ? ok(tag) : built;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeContext(
  { source, stores, baseImage }: ImageOptions,
  program: string,
  packages: ReadonlyMap<string, string>,
  folder: string,
): Promise<Result<void>> {
  const packed = await writePackage(source, stores, join(folder, "model"));
  if (!packed.ok) return packed;
  return attempt(folder, async () => {
    const app = join(folder, "app");
    await mkdir(app, { recursive: true });
    await cp(program, join(app, "serve.js"));
    await writeFile(join(app, "package.json"), '{"type":"module"}\n');
    for (const [name, from] of packages) {
      // oxlint-disable-next-line no-await-in-loop -- two
      await cp(from, join(app, "node_modules", name), { recursive: true, filter: isNeeded(from) });
    }
    await writeFile(join(folder, "Containerfile"), containerfile(source, baseImage ?? DEFAULT_BASE_IMAGE));
  });
}

/** Of ONNX Runtime, what Linux on this processor loads: the package also holds the libraries of other systems. */
function isNeeded(root: string): (path: string) => boolean {
  const ours = join("linux", process.arch);
  return (path) => {
    const inside = path.slice(root.length + 1);
    if (/(^|[\\/])node_modules([\\/]|$)|\.(map|d\.ts|md)$/.test(inside)) return false;
    const binary = /^bin[\\/]napi-v\d+[\\/](.+)$/.exec(inside)?.[1];
    return binary === undefined || binary === "linux" || binary.startsWith(ours);
  };
}

/** The build's recipe. Values come from files that a schema has checked; quoting is JSON's, which is that of a label. */
export function containerfile({ name, version }: PackageSource, base: string): string {
  const labels: Readonly<Record<string, string>> = {
    "org.opencontainers.image.title": name,
    "org.opencontainers.image.version": String(version.version),
    "org.opencontainers.image.revision": version.commit,
    "io.lockstep.model": name,
    "io.lockstep.version": String(version.version),
    "io.lockstep.digest": version.digest,
  };
  const entry = ["node", "/lockstep/serve.js", "--package", "/model", "--modules", "/lockstep"];
  return `${[
    `FROM ${base}`,
    ...Object.entries(labels).map(([key, value]) => `LABEL ${key}=${JSON.stringify(value)}`),
    "ENV NODE_ENV=production",
    "COPY app/ /lockstep/",
    "COPY model/ /model/",
    "WORKDIR /lockstep",
    "USER 65534:65534",
    `EXPOSE ${CONTAINER_PORT}`,
    `ENTRYPOINT ${JSON.stringify(entry)}`,
    `CMD ["--host","0.0.0.0","--port","${CONTAINER_PORT}"]`,
  ].join("\n")}\n`;
}

/** Folders of npm packages, as seen from the first of `from` that has each. */
function findPackages(names: readonly string[], from: readonly string[]): Result<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const starts = [...from];
  for (const name of names) {
    const folder = starts.flatMap((start) => packageFolder(name, start) ?? [])[0];
    if (folder === undefined) {
      const hint = `\`npm install ${names[0]}\``;
      return fail({ code: "external", what: name, problem: "the package is not installed", hint });
    }
    found.set(name, folder);
    starts.push(join(folder, "package.json")); // a dependency may lie inside of the package that needs it
  }
  return ok(found);
}

export interface PushedImage {
  /** `repository@sha256:...` */
  readonly reference: string;
  readonly digest: Digest;
}

/** Pushes a built image and names it by what the registry holds, never by a tag that may move. */
export async function pushImage(
  engine: Engine,
  source: PackageSource,
  repository: string,
  credentials?: Credentials,
): Promise<Result<PushedImage>> {
  const digest = await engine.push(imageTag(source), repository, `v${source.version.version}`, credentials);
  return digest.ok ? ok({ reference: `${repository}@${digest.value}`, digest: digest.value }) : digest;
}
