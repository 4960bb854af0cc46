import { asksForPerformance, servedFile } from "../config/index.ts";
import type { Against, Gate, Performance, ResultDocument, RunRecord, StageRecord } from "../config/index.ts";
import { describe, fail, ok } from "../core/index.ts";
import type { Context, Result, StageKey } from "../core/index.ts";
import { atRevision, workingTree } from "../git/index.ts";
import type { Source } from "../git/index.ts";
import { measureSpeed } from "../performance/index.ts";
import type { Network } from "../performance/index.ts";
import { openWorkspace } from "../pipeline/index.ts";
import type { Workspace } from "../pipeline/index.ts";
import { loadSettings } from "../records/index.ts";
import { chooseModels, findVersion, loadModelLock, loadModels, productionVersion } from "../registry/index.ts";
import type { Model } from "../registry/index.ts";
import { localCache, readContent } from "../store/index.ts";
import type { FileIn, Store } from "../store/index.ts";
import { findSide, noResult, sideAt, sideOf } from "./side.ts";
import type { Side } from "./side.ts";
import { networkOf, networkOfVersion } from "./speed.ts";
import { sectionsOf } from "./views.ts";

/** Characters of what went wrong. */
const LONGEST_PROBLEM = 2_000;

/**
 * Measures, after an experiment, each model whose gates ask for latency or throughput, beside what these gates hold it
 * against, and each ONNX model where reports show what serving takes. Gates are HEAD's and those of the commit before: what a change takes out of them is still judged by. What
 * cannot be measured is told in the entry, and fails the gate.
 */
export async function measureModels(
  context: Context,
  document: ResultDocument,
): Promise<NonNullable<ResultDocument["performance"]>> {
  const workspace = await openWorkspace(context);
  if (!workspace.ok) return [];
  const { base, asked } = await whatIsAsked(context, workspace.value.source);
  const entries: NonNullable<ResultDocument["performance"]> = [];
  for (const { model, ...why } of asked) {
    const { name } = model;
    const run = document.runs.find(({ pipeline, ok: ended }) => ended && pipeline === model.config.value.pipeline);
    if (run === undefined) continue;
    const measured = await measureModel(context, workspace.value, { model, ...why, run, document, base });
    if (measured.ok) entries.push(...measured.value);
    else entries.push({ model: name, problem: describe(measured.failures[0]).slice(0, LONGEST_PROBLEM) });
  }
  return entries;
}

/** True when some model of a pipeline has to be measured: a gate asks, before HEAD's change or after it, or the report. */
export async function asksToMeasure(context: Context, pipeline: string): Promise<boolean> {
  const { asked } = await whatIsAsked(context, workingTree(context));
  return asked.some(({ model }) => model.config.value.pipeline === pipeline);
}

/** A model that has to be measured. */
interface Asked {
  readonly model: Model;
  /** On latency and throughput. */
  readonly gates: readonly Gate[];
  /** The report shows it, beside all there is to compare with. */
  readonly shown: boolean;
}

async function whatIsAsked(
  context: Context,
  source: Source,
): Promise<{ base: Source | undefined; asked: readonly Asked[] }> {
  const before = await atRevision(context, "HEAD^1");
  const base = before.ok ? before.value : undefined;
  const proposed = await loadModels(source);
  const known = base === undefined ? undefined : await loadModels(base);
  const models = [...(proposed.ok ? proposed.value : []), ...(known?.ok === true ? known.value : [])];
  const settings = await loadSettings(base ?? source);
  const view = sectionsOf(settings.ok ? settings.value : undefined).includes("serving");
  const asked = [...Map.groupBy(models, ({ name }) => name).values()].map((same): Asked => {
    const { files, serving } = same[0]!.config.value;
    const gates = same.flatMap(({ config }) => config.value.gates ?? []).filter(asksForPerformance);
    const shown = view && servedFile(Object.keys(files), serving)?.endsWith(".onnx") === true;
    return { model: same[0]!, gates, shown };
  });
  return { base, asked: asked.filter(({ gates, shown }) => shown || gates.length > 0) };
}

interface Measuring extends Asked {
  readonly run: RunRecord;
  readonly document: ResultDocument;
  /** The tree before the change; undefined in a clone without it. */
  readonly base: Source | undefined;
}

async function measureModel(
  context: Context,
  { source, records, store }: Workspace,
  { model, gates, shown, run, document, base }: Measuring,
): Promise<Result<Performance[]>> {
  const { value: config } = model.config;
  const stores = [localCache(context), store];
  const made = new Map(document.stages.map((record) => [record.key, record]));
  const head = await sideOf(run, async (key: StageKey): Promise<Result<StageRecord | undefined>> => ok(made.get(key)));
  if (!head.ok) return head;
  const served = await networkOf(head.value, config, stores);
  const candidate = served.ok ? await network(model, served.value, stores) : served;
  if (!candidate.ok) return candidate;
  const references: { readonly what: Against; readonly file: Where }[] = [];
  const wanted = shown ? new Set<Against>(["production", "base"]) : referencesOf(gates);
  if (wanted.has("production")) {
    const lock = await loadModelLock(base ?? source, model.name);
    if (!lock.ok) return lock;
    const digest = networkOfVersion(productionVersion(lock.value), config);
    if (digest !== undefined) references.push({ what: "production", file: { digest } });
  }
  if (wanted.has("base") && base?.commit != null) {
    const side = await findSide(context, base.commit, { records, pipeline: run.pipeline, trusted: true });
    if (!side.ok) return side;
    const file = await networkOf(side.value, config, stores);
    if (!file.ok) return file;
    if (file.value !== undefined) references.push({ what: "base", file: file.value });
  }
  const measured: Performance[] = [];
  for (const reference of references.length === 0 ? [undefined] : references) {
    const known = measured.find(({ against }) => against !== null && against.digest === reference?.file.digest);
    if (known?.against != null && reference !== undefined) {
      measured.push({ ...known, against: { ...known.against, what: reference.what } });
      continue;
    }
    const beside = reference === undefined ? undefined : await network(model, reference.file, stores);
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
  const versionAt = async (reference: string): Promise<Result<Where | undefined>> => {
    const found = await findVersion(source, reference);
    if (!found.ok) return found;
    const digest = networkOfVersion(found.value.version, model.config.value);
    return ok(digest && { digest });
  };
  const made = async (): Promise<Result<Where | undefined>> => {
    const { pipeline } = model.config.value;
    const side: Result<Side | undefined> = await sideAt(context, source, {
      records: workspace.value.records,
      pipeline,
      trusted: false,
    });
    if (!side.ok) return side;
    return side.value === undefined ? noResult(source) : networkOf(side.value, model.config.value, stores);
  };
  const served = at === undefined ? await made() : await versionAt(options.model);
  if (!served.ok) return served;
  const candidate = await network(model, served.value, stores);
  if (!candidate.ok) return candidate;
  let reference: (Network & { readonly what: Against }) | undefined;
  if (options.against !== null) {
    const other = await versionAt(`${name}@${options.against}`);
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

/** Of a version only the digest is known: its files are blobs of their own. */
type Where = Pick<FileIn, "digest"> & Partial<FileIn>;

async function network(model: Model, file: Where | undefined, stores: readonly Store[]): Promise<Result<Network>> {
  if (file === undefined) {
    const known = Object.keys(model.config.value.files);
    const hint = "only an ONNX file can be measured; `serving: {file: ...}` says which one is served";
    return fail({ code: "unknown-name", what: "served ONNX file of model", name: model.name, known, hint });
  }
  const { digest, root, size } = file;
  const label = `model "${model.name}"`;
  if (root !== undefined && size !== undefined) {
    const bytes = await readContent(stores, root, { digest, size, label, maxBytes: size });
    return bytes.ok ? ok({ digest, onnx: bytes.value }) : bytes;
  }
  for (const store of stores) {
    const bytes = await store.read(digest);
    if (bytes.ok) return ok({ digest, onnx: bytes.value });
    if (bytes.failures[0].code !== "blob-missing") return bytes;
  }
  const store = stores.map(({ url }) => url).join(", ");
  return fail({ code: "blob-missing", digest, neededBy: label, store });
}
