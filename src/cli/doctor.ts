import { loadModels } from "../registry/index.ts";
import { loadPipelines } from "../pipeline/index.ts";
import { loadDatasets } from "../data/index.ts";
import { git, workingTree } from "../git/index.ts";
import { blobKey, openStore, storeUrl } from "../store/index.ts";
import { describe, ok, spawn } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";

/** One thing that was looked at. */
export interface Check {
  readonly name: string;
  /** missing: something optional is not there. */
  readonly state: "ok" | "missing" | "failed";
  readonly detail: string;
  /** How to mend it; absent when it is well. */
  readonly mend?: string;
}

const NODE_NEEDED = 24;

/** Looks at everything the loop needs on this machine and in this repository. Changes nothing but a probe in the store. */
export async function examine(context: Context, nodeVersion: string): Promise<Check[]> {
  const source = workingTree(context);
  return Promise.all([
    version("node", nodeVersion, NODE_NEEDED),
    gitVersion(context),
    remote(context),
    parsed("pipelines", loadPipelines(source), (pipelines) => pipelines.map((pipeline) => pipeline.name).join(", ")),
    parsed("models", loadModels(source), (models) => models.map((model) => model.name).join(", ")),
    parsed("datasets", loadDatasets(source), (datasets) => datasets.map(({ name }) => name).join(", ")),
    workflows(context),
    store(context),
    containers(context),
  ]);
}

async function version(name: string, found: string, needed: number): Promise<Check> {
  const major = Number(found.replace(/^v/, "").split(".")[0]);
  if (major >= needed) return { name, state: "ok", detail: found };
  return { name, state: "failed", detail: found, mend: `install Node ${needed} or later` };
}

async function gitVersion(context: Context): Promise<Check> {
  const result = await git(context, ["--version"]);
  if (!result.ok)
    return { name: "git", state: "failed", detail: "it could not be run", mend: "install git 2.38 or later" };
  const text = result.value.trim();
  const [, major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(text) ?? []).map(Number);
  const enough = major > 2 || (major === 2 && minor >= 38);
  return {
    name: "git",
    state: enough ? "ok" : "failed",
    detail: text,
    ...(enough ? {} : { mend: "install git 2.38 or later" }),
  };
}

async function remote(context: Context): Promise<Check> {
  const result = await git(context, ["remote", "get-url", "origin"]);
  if (result.ok) return { name: "remote", state: "ok", detail: result.value.trim().replace(/\/\/[^@/]+@/, "//") };
  return {
    name: "remote",
    state: "missing",
    detail: "no remote named origin",
    mend: "`git remote add origin URL`; until then records stay on this machine",
  };
}

async function parsed<T>(name: string, loading: Promise<Result<T>>, show: (value: T) => string): Promise<Check> {
  const result = await loading;
  if (!result.ok)
    return { name, state: "failed", detail: result.failures.map((failure) => describe(failure)).join("\n") };
  const detail = show(result.value);
  if (detail !== "") return { name, state: "ok", detail };
  return {
    name,
    state: "missing",
    detail: "there are none",
    mend: "`lockstep init` adds a first pipeline with its model",
  };
}

async function workflows(context: Context): Promise<Check> {
  const listed = await workingTree(context).list(".github/workflows");
  const wanted = ["experiment", "report", "promote", "drift"].map((name) => `.github/workflows/lockstep-${name}.yml`);
  const missing = wanted.filter((file) => !listed.ok || !listed.value.includes(file));
  if (missing.length === 0) return { name: "workflows", state: "ok", detail: "the loop is there" };
  return {
    name: "workflows",
    state: "missing",
    detail: `not there: ${missing.join(", ")}`,
    mend: "`lockstep init` adds them",
  };
}

/** Reads, writes and deletes: what a runner will do. */
async function store(context: Context): Promise<Check> {
  const probe = async (): Promise<Result<string>> => {
    const url = await storeUrl(context, workingTree(context));
    if (!url.ok) return url;
    const opened = openStore(context, url.value);
    if (!opened.ok) return opened;
    const put = await opened.value.put(new TextEncoder().encode("lockstep doctor"));
    if (!put.ok) return put;
    const read = await opened.value.read(put.value);
    if (!read.ok) return read;
    const removed = await opened.value.driver.delete(blobKey(put.value));
    return removed.ok ? ok(opened.value.url) : removed;
  };
  const result = await probe();
  if (result.ok) return { name: "store", state: "ok", detail: `${result.value} takes, gives and deletes` };
  return {
    name: "store",
    state: "failed",
    detail: result.failures.map((failure) => describe(failure)).join("\n"),
    mend: "set `store` in .github/lockstep.yml, or LOCKSTEP_STORE",
  };
}

async function containers(context: Context): Promise<Check> {
  const name = "containers";
  for (const program of ["buildah", "podman", "docker"]) {
    const result = await spawn(program, ["--version"], { env: context.env });
    if (result.exitCode === 0) return { name, state: "ok", detail: result.stdout.toString().trim() };
  }
  return {
    name,
    state: "missing",
    detail: "no builder of images",
    mend: "install buildah, podman or docker to deploy containers",
  };
}
