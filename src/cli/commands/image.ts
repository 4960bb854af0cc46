import { Command } from "commander";
import { ok } from "../../core/index.ts";
import type { Result } from "../../core/index.ts";
import type { Answer, Edge } from "../command.ts";

export function build(edge: Edge): Command {
  const image = new Command("image").summary("build serving images").description("OCI images that serve a model.");
  image
    .command("build")
    .description("Builds the serving image of a version with buildah, podman or docker.")
    .argument("<model>", "name, name@alias or name@version (churn@3, churn@v3); production when none is said")
    .option("--push <repository>", "push it there, and name it by digest")
    .option("--base <image>", "base image; model.yaml's serving.base_image, or Node's own, when absent")
    .action(async (model: string, options: BuildOptions) => edge.out.answer(await buildOne(edge, model, options)));
  image
    .command("base")
    .description("Builds a base image out of this machine's Node and libraries, for where none can be pulled.")
    .argument("<tag>", "local name, as in localhost/lockstep/base")
    .action(async (tag: string) => edge.out.answer(await buildBaseImage(edge, tag)));
  return image;
}

interface BuildOptions {
  readonly push?: string;
  readonly base?: string;
}

async function buildOne(edge: Edge, reference: string, { push, base }: BuildOptions): Promise<Result<Answer>> {
  const context = edge.context();
  const { buildImage, findEngine, pushImage } = await import("../../deploy/index.ts");
  const { resolveModel } = await import("../../serve/index.ts");
  const { workingTree } = await import("../../git/index.ts");
  const { localCache, openStore, storeUrl } = await import("../../store/index.ts");
  const source = workingTree(context);
  const resolved = await resolveModel(source, reference);
  if (!resolved.ok) return resolved;
  const url = await storeUrl(context, source);
  if (!url.ok) return url;
  const store = openStore(context, url.value);
  if (!store.ok) return store;
  const engine = await findEngine(context);
  if (!engine.ok) return engine;
  const built = await buildImage(context, engine.value, {
    source: resolved.value,
    stores: [localCache(context), store.value],
    baseImage: base ?? resolved.value.config.value.serving?.base_image,
    program: undefined,
  });
  if (!built.ok) return built;
  if (push === undefined) return ok({ json: { tag: built.value, image: null }, text: built.value });
  const pushed = await pushImage(engine.value, resolved.value, push);
  if (!pushed.ok) return pushed;
  return ok({ json: { tag: built.value, image: pushed.value.reference }, text: pushed.value.reference });
}

async function buildBaseImage(edge: Edge, tag: string): Promise<Result<Answer>> {
  const context = edge.context();
  const { buildBase, findEngine } = await import("../../deploy/index.ts");
  const engine = await findEngine(context);
  if (!engine.ok) return engine;
  const built = await buildBase(context, engine.value, tag);
  return built.ok ? ok({ json: { tag: built.value }, text: built.value }) : built;
}
