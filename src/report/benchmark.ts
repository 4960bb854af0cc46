import { asksForPerformance } from "../config/index.ts";
import type { Against, Gate, Performance, ResultDocument, RunRecord, StageRecord } from "../config/index.ts";
import { describe, fail, ok } from "../core/index.ts";
import type { Context, Digest, Result, StageKey } from "../core/index.ts";
import { atRevision, workingTree } from "../git/index.ts";
import type { Source } from "../git/index.ts";
import { measureSpeed } from "../performance/index.ts";
import type { Network } from "../performance/index.ts";
import { openWorkspace } from "../pipeline/index.ts";
import type { Workspace } from "../pipeline/index.ts";
import { chooseModels, findVersion, loadModelLock, loadModels, productionVersion } from "../registry/index.ts";
import type { Model } from "../registry/index.ts";
import { localCache } from "../store/index.ts";
import type { Store } from "../store/index.ts";
import { findSide, noResult, sideAt, sideOf } from "./side.ts";
import type { Side } from "./side.ts";
import { networkOf, networkOfVersion } from "./speed.ts";

/** Characters of what went wrong. */
const LONGEST_PROBLEM = 2_000;

/**
 * Measures, after an experiment, each model whose gates ask for latency or throughput, beside what these gates hold it
 * against. Gates are HEAD's and those of the commit before: what a change takes out of them is still judged by. What
 * cannot be measured is told in the entry, and fails the gate.
 */
export async function measureModels(
  context: Context,
  document: ResultDocument,
): Promise<NonNullable<ResultDocument["performance"]>> {
  const workspace = await openWorkspace(context);
  if (!workspace.ok) return [];
  const before = await atRevision(context, "HEAD^1");
  const base = before.ok ? before.value : undefined;
  const proposed = await loadModels(workspace.value.source);
  const known = base === undefined ? undefined : await loadModels(base);
  const models = [...(proposed.ok ? proposed.value : []), ...(known?.ok === true ? known.value : [])];
  const entries: NonNullable<ResultDocument["performance"]> = [];
  for (const name of new Set(models.map((model) => model.name))) {
    const [model, ...rest] = models.filter((one) => one.name === name) as [Model, ...Model[]];
    const gates = [model, ...rest].flatMap(({ config }) => config.value.gates ?? []).filter(asksForPerformance);
    const run = document.runs.find(({ pipeline, ok: ended }) => ended && pipeline === model.config.value.pipeline);
    if (gates.length === 0 || run === undefined) continue;
    const measured = await measureModel(context, workspace.value, { model, gates, run, document, base });
    if (measured.ok) entries.push(...measured.value);
    else entries.push({ model: name, problem: describe(measured.failures[0]).slice(0, LONGEST_PROBLEM) });
  }
  return entries;
}

interface Measuring {
  readonly model: Model;
  readonly gates: readonly Gate[];
  readonly run: RunRecord;
  readonly document: ResultDocument;
  /** The tree before the change; undefined in a clone without it. */
  readonly base: Source | undefined;
}

async function measureModel(
  context: Context,
  { source, records, store }: Workspace,
  { model, gates, run, document, base }: Measuring,
): Promise<Result<Performance[]>> {
  const { value: config } = model.config;
  const stores = [localCache(context), store];
  const made = new Map(document.stages.map((record) => [record.key, record]));
  const head = await sideOf(run, async (key: StageKey): Promise<Result<StageRecord | undefined>> => ok(made.get(key)));
  if (!head.ok) return head;
  const candidate = await network(model, networkOf(head.value, config), stores);
  if (!candidate.ok) return candidate;
  const found: [Against, Digest | undefined][] = [];
  const wanted = referencesOf(gates);
  if (wanted.has("production")) {
    const lock = await loadModelLock(base ?? source, model.name);
    if (!lock.ok) return lock;
    found.push(["production", networkOfVersion(productionVersion(lock.value), config)]);
  }
  if (wanted.has("base") && base?.commit != null) {
    const side = await findSide(context, base.commit, { records, pipeline: run.pipeline, trusted: true });
    if (!side.ok) return side;
    found.push(["base", networkOf(side.value, config)]);
  }
  const references = found.flatMap(([what, digest]) => (digest === undefined ? [] : [{ what, digest }]));
  const measured: Performance[] = [];
  for (const reference of references.length === 0 ? [undefined] : references) {
    const beside = reference === undefined ? undefined : await network(model, reference.digest, stores);
    if (beside?.ok === false) return beside;
    const one = await measureSpeed(context, {
      model: model.name,
      candidate: candidate.value,
      ...(reference === undefined || beside === undefined
        ? {}
        : { reference: { ...beside.value, what: reference.what } }),
    });
    if (!one.ok) return one;
    measured.push(one.value);
  }
  return ok(measured);
}

/** What gates hold a ratio against. */
function referencesOf(gates: readonly Gate[]): Set<Against> {
  return new Set(
    gates.flatMap((gate) => {
      if ("latency" in gate) return gate.max_ratio === undefined ? [] : [gate.against ?? "production"];
      if (!("throughput" in gate)) return [];
      return gate.throughput.min_ratio === undefined ? [] : [gate.throughput.against ?? "production"];
    }),
  );
}

export interface BenchmarkOptions {
  /** `churn` (what the working tree's pipeline has made), `churn@production` or `churn@3`. */
  readonly model: string;
  /** Alias or number of the version that it is measured beside; null: alone. */
  readonly against: string | null;
  readonly budgetMs?: number;
}

/** Measures one model on this machine, beside a version of it. */
export async function benchmarkModel(context: Context, options: BenchmarkOptions): Promise<Result<Performance>> {
  const [name = "", at] = options.model.split("@");
  const source = workingTree(context);
  const models = await chooseModels(source, [name]);
  if (!models.ok) return models;
  const [model] = models.value as [Model];
  const workspace = await openWorkspace(context);
  if (!workspace.ok) return workspace;
  const stores = [localCache(context), workspace.value.store];
  const digestAt = async (reference: string): Promise<Result<Digest | undefined>> => {
    const found = await findVersion(source, reference);
    return found.ok ? ok(networkOfVersion(found.value.version, model.config.value)) : found;
  };
  const made = async (): Promise<Result<Digest | undefined>> => {
    const { pipeline } = model.config.value;
    const side: Result<Side | undefined> = await sideAt(context, source, {
      records: workspace.value.records,
      pipeline,
      trusted: false,
    });
    if (!side.ok) return side;
    return side.value === undefined ? noResult(source) : ok(networkOf(side.value, model.config.value));
  };
  const digest = at === undefined ? await made() : await digestAt(options.model);
  if (!digest.ok) return digest;
  const candidate = await network(model, digest.value, stores);
  if (!candidate.ok) return candidate;
  let reference: (Network & { readonly what: Against }) | undefined;
  if (options.against !== null) {
    const other = await digestAt(`${name}@${options.against}`);
    if (!other.ok) return other;
    const beside = await network(model, other.value, stores);
    if (!beside.ok) return beside;
    reference = { ...beside.value, what: "production" };
  }
  const { budgetMs } = options;
  return measureSpeed(context, {
    model: name,
    candidate: candidate.value,
    ...(reference === undefined ? {} : { reference }),
    ...(budgetMs === undefined ? {} : { budgetMs }),
  });
}

async function network(model: Model, digest: Digest | undefined, stores: readonly Store[]): Promise<Result<Network>> {
  if (digest === undefined) {
    const known = Object.keys(model.config.value.files);
    const hint = "only an ONNX file can be measured; `serving: {file: ...}` says which one is served";
    return fail({ code: "unknown-name", what: "served ONNX file of model", name: model.name, known, hint });
  }
  for (const store of stores) {
    const bytes = await store.read(digest);
    if (bytes.ok) return ok({ digest, onnx: bytes.value });
    if (bytes.failures[0].code !== "blob-missing") return bytes;
  }
  const store = stores.map(({ url }) => url).join(", ");
  return fail({ code: "blob-missing", digest, neededBy: `model "${model.name}"`, store });
}
