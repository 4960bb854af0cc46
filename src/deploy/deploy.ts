import { fail, message, ok } from "../core/index.ts";
import type { Context, Digest, Result } from "../core/index.ts";
import { workingTree } from "../git/index.ts";
import { deploymentStatus, ensureDeployment } from "../github/index.ts";
import type { GitHub } from "../github/index.ts";
import { resolveModel, serverProgram } from "../serve/index.ts";
import type { ResolvedModel } from "../serve/index.ts";
import { localCache, openStore, storeUrl } from "../store/index.ts";
import type { Store } from "../store/index.ts";
import { deployContainer } from "./container.ts";
import { absoluteStore, deploymentFolder } from "./home.ts";
import { deployProcess } from "./process.ts";

export interface DeployOptions {
  /** Name of the model, with `@alias` or `@version` where it is not production's. */
  readonly model: string;
  /** Of `environments` in model.yaml. */
  readonly environment: string;
  /** Commit whose tree is deployed; what the GitHub Deployment is of. */
  readonly commit: string;
  /** `owner/name`; names the folder of a process. Absent: the repository of `github`, or this folder alone. */
  readonly repository?: string;
  /** Page of the run that deploys. */
  readonly logUrl?: string;
  /** The server's program; absent: the one Lockstep comes with. */
  readonly program?: string;
}

export interface Deployed {
  readonly model: string;
  readonly environment: string;
  readonly target: "process" | "container";
  readonly version: number;
  readonly digest: Digest;
  /** False: it was at work already. */
  readonly changed: boolean;
  /** Where it answers; null for an image that was only pushed. */
  readonly url: string | null;
  /** `repository@sha256:...`; null for a process. */
  readonly image: string | null;
  /** Number of the GitHub Deployment; null without GitHub. */
  readonly deployment: number | null;
}

/**
 * Puts a version of a model to work in one environment and tells GitHub about it: a Deployment that goes from
 * in_progress to success with its URL, or to failure. When the version is at work already, nothing happens.
 */
export async function deploy(
  context: Context,
  github: GitHub | undefined,
  options: DeployOptions,
): Promise<Result<Deployed>> {
  const source = workingTree(context);
  const resolved = await resolveModel(source, options.model);
  if (!resolved.ok) return resolved;
  const { name, version, config } = resolved.value;
  const environments = config.value.environments ?? {};
  const environment = Object.hasOwn(environments, options.environment) ? environments[options.environment] : undefined;
  if (environment === undefined) {
    const known = Object.keys(environments);
    return fail({ code: "unknown-name", what: `environment of model "${name}"`, name: options.environment, known });
  }
  const url = await storeUrl(context, source);
  if (!url.ok) return url;
  const store = openStore(context, url.value);
  if (!store.ok) return store;
  const logUrl = absoluteStore(context, url.value);
  if (!logUrl.ok) return logUrl;

  let deployment: number | null = null;
  const announce = async (): Promise<Result<number | null>> => {
    if (github === undefined) return ok(null);
    const announced = await startDeployment(github, options, resolved.value);
    if (announced.ok) deployment = announced.value;
    return announced;
  };
  const stores: readonly Store[] = [localCache(context), store.value];
  const folder = folderOf(context, github, options, name);
  const shared = {
    source: resolved.value,
    stores,
    folder,
    logUrl: logUrl.value,
    port: environment.port ?? 0,
    announce,
  };
  const outcome =
    environment.target === "process"
      ? await onProcess(context, { ...shared, program: options.program })
      : await deployContainer(context, {
          ...shared,
          environment: options.environment,
          repository: environment.image,
          baseImage: config.value.serving?.base_image,
          program: options.program,
        });
  if (!outcome.ok) {
    if (github !== undefined && deployment !== null) {
      const description = message(outcome.failures[0]);
      // The failure itself is the answer; that it could not be told as well must not hide it.
      const told = await deploymentStatus(github, { deployment, state: "failure", description, ...logged(options) });
      if (!told.ok) context.emit({ type: "warning", message: message(told.failures[0]) });
    }
    return outcome;
  }
  const { changed } = outcome.value;
  if (github !== undefined && outcome.value.deployment !== null) {
    const told = await deploymentStatus(github, {
      deployment: outcome.value.deployment,
      state: "success",
      description: `version ${version.version} is at work`,
      ...(outcome.value.url === null ? {} : { environmentUrl: outcome.value.url }),
      ...logged(options),
    });
    if (!told.ok) return told;
  }
  return ok({
    model: name,
    environment: options.environment,
    target: environment.target,
    version: version.version,
    digest: version.digest,
    changed,
    url: outcome.value.url,
    image: outcome.value.image,
    deployment: outcome.value.deployment,
  });
}

async function onProcess(
  context: Context,
  options: Omit<Parameters<typeof deployProcess>[1], "program"> & { readonly program: string | undefined },
): Promise<Result<{ url: string; image: null; changed: boolean; deployment: number | null }>> {
  const program = options.program ?? serverProgram();
  if (program === undefined) {
    const hint = "the server's program is built by `npm run build`";
    return fail({ code: "file-missing", path: "actions/dist/serve/serve.js", neededBy: "a deployment", hint });
  }
  const outcome = await deployProcess(context, { ...options, program });
  return outcome.ok ? ok({ ...outcome.value, image: null }) : outcome;
}

async function startDeployment(
  github: GitHub,
  options: DeployOptions,
  { name, version }: ResolvedModel,
): Promise<Result<number>> {
  const made = await ensureDeployment(github, {
    ref: options.commit,
    environment: options.environment,
    fingerprint: `${name}@${version.digest}`,
    description: `model ${name} version ${version.version}`,
    payload: { model: name, version: version.version, digest: version.digest },
  });
  if (!made.ok) return made;
  const deployment = made.value.id;
  const description = `version ${version.version} is on its way`;
  const told = await deploymentStatus(github, { deployment, state: "in_progress", description, ...logged(options) });
  return told.ok ? ok(deployment) : told;
}

function logged({ logUrl }: DeployOptions): { logUrl?: string } {
  return logUrl === undefined ? {} : { logUrl };
}

function folderOf(
  context: Context,
  github: GitHub | undefined,
  { repository, environment }: Pick<DeployOptions, "repository" | "environment">,
  model: string,
): string {
  const of = repository ?? (github === undefined ? undefined : `${github.owner}/${github.repo}`);
  return deploymentFolder(context, of, model, environment);
}
