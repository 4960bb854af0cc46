import { randomUUID } from "node:crypto";
import type { DataLock, ModelConfig } from "../config/index.ts";
import { fail, fileJson, ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { DATA_LOCK, loadDataLock } from "../data/index.ts";
import { atRevision, fetchBranch, git, swapBranch } from "../git/index.ts";
import type { Identity } from "../git/index.ts";
import { newestPullRequest } from "../github/branch.ts";
import { ensurePullRequest } from "../github/index.ts";
import type { GitHub } from "../github/index.ts";
import type { Store } from "../store/index.ts";
import { DEFAULT_MAX_ROWS } from "./check.ts";
import { datasetNamed, growDataset } from "./dataset.ts";
import { code } from "./evidence.ts";
import { shapeOf, trainingRow } from "./labelled.ts";
import type { DayTable } from "./labelled.ts";
import type { LogStore } from "./log-store.ts";
import { durationOf, readWindow } from "./window.ts";

const DEFAULT_WINDOW = "7d";

export interface CollectOptions {
  readonly name: string;
  readonly config: ModelConfig;
  readonly logs: LogStore;
}

export interface Collected {
  readonly tables: readonly DayTable[];
  readonly rows: number;
  /** Labelled requests that cannot be training rows. */
  readonly unusable: number;
}

/** The window's labelled requests, of every version, as files of the dataset. Reads only. */
export async function collectLabelled(context: Context, options: CollectOptions): Promise<Result<Collected>> {
  const { name, config } = options;
  const retrain = config.monitor?.retrain;
  if (retrain === undefined)
    return fail({ code: "unsupported", what: `retraining of "${name}" without monitor.retrain` });
  const shape = shapeOf(config, retrain);
  const since = new Date(context.now().getTime() - durationOf(config.monitor?.window ?? DEFAULT_WINDOW));
  const tables = new Map<string, { path: string; header: readonly string[]; rows: Map<string, readonly string[]> }>();
  let rows = 0;
  let unusable = 0;
  const maxRows = config.monitor?.max_rows ?? DEFAULT_MAX_ROWS;
  for await (const joined of readWindow(options.logs, { model: name, since, maxRows })) {
    if (!joined.ok) return joined;
    if (joined.value.label === undefined) continue;
    const row = trainingRow(joined.value, shape);
    const table = row && (tables.get(row.path) ?? { path: row.path, header: row.header, rows: new Map() });
    // Newest first: a day has the header of its newest row.
    if (row === undefined || table!.header.join("\0") !== row.header.join("\0")) {
      unusable++;
      continue;
    }
    tables.set(row.path, table!);
    table!.rows.set(row.cells[0]!, row.cells);
    rows++;
  }
  return ok({ tables: [...tables.values()], rows, unusable });
}

export interface ProposeOptions extends CollectOptions {
  readonly stores: readonly [Store, ...Store[]];
  readonly remote: string;
  /** Default branch. */
  readonly branch: string;
  /** Commit of it that the proposal starts from. */
  readonly commit: string;
  readonly author: Identity;
  /** Number of the drift issue that asks for it. */
  readonly issue: number | undefined;
}

export interface Proposal {
  /** Null when there is nothing to propose; `reason` says why. */
  readonly pullRequest: { readonly number: number; readonly url: string; readonly action: string } | null;
  readonly reason: string;
  readonly rows: number;
}

/** Branch of a model's retraining pull request. */
export function retrainBranch(model: string): string {
  return `lockstep/retrain-${model}`;
}

/**
 * Keeps one pull request that adds the labelled requests to the dataset. Commits of people on its branch stay: the
 * lockfile's one entry is changed on top of them. One that a person closed is not opened again for them to close.
 */
export async function proposeRetraining(
  context: Context,
  github: GitHub,
  options: ProposeOptions,
): Promise<Result<Proposal>> {
  const { name, config } = options;
  const collected = await collectLabelled(context, options);
  if (!collected.ok) return collected;
  const nothing = (reason: string): Result<Proposal> => ok({ pullRequest: null, reason, rows: collected.value.rows });
  if (collected.value.rows === 0) return nothing("no request of the window has a label yet");
  const retrain = config.monitor!.retrain!;
  const main = await atRevision(context, options.commit);
  if (!main.ok) return main;
  const lock = await loadDataLock(main.value);
  if (!lock.ok) return lock;
  const base = datasetNamed(lock.value, retrain.dataset);
  if (!base.ok) return base;
  const branch = retrainBranch(name);
  const declined = await clearBranch(context, github, options, branch);
  if (!declined.ok) return declined;
  if (declined.value !== undefined) {
    return nothing(`pull request #${declined.value} was closed without a merge; delete ${branch} to be asked again`);
  }
  const swapped = await swapBranch(context, {
    remote: options.remote,
    branch,
    startFrom: options.commit,
    author: options.author,
    change: async (current) => {
      const there = current === undefined ? lock : await loadDataLock(current);
      if (!there.ok) return there;
      const grown = await growDataset(
        context,
        base.value,
        there.value.datasets[retrain.dataset],
        collected.value.tables,
        {
          name: retrain.dataset,
          mode: retrain.mode ?? "combined",
          stores: options.stores,
        },
      );
      if (!grown.ok) return grown;
      if (grown.value.digest === there.value.datasets[retrain.dataset]?.digest) return ok(undefined);
      const next: DataLock = { ...there.value, datasets: { ...there.value.datasets, [retrain.dataset]: grown.value } };
      const message = `Add labelled requests of model ${name} to dataset ${retrain.dataset}`;
      return ok({ message, files: new Map([[DATA_LOCK, Buffer.from(fileJson(next))]]) });
    },
  });
  if (!swapped.ok) return swapped;
  if (swapped.value.changed) context.emit({ type: "effect", name: "retraining branch moved" });
  if (swapped.value.commit === "") return nothing("every labelled request is in the dataset already");
  const pull = await ensurePullRequest(github, {
    head: branch,
    base: options.branch,
    marker: `retrain:${name}`,
    title: `Retrain ${name} on labelled requests`,
    body: renderProposal(options, retrain.dataset, collected.value),
    labels: ["lockstep"],
  });
  if (!pull.ok) return pull;
  context.emit({ type: "effect", name: "retraining pull request written" });
  return ok({
    pullRequest: pull.value,
    reason: "labelled requests are new to the dataset",
    rows: collected.value.rows,
  });
}

/**
 * A branch whose pull request was merged is deleted, with its head as the lease, so that the next proposal starts from
 * the default branch. The number of a pull request that a person declined comes back.
 */
async function clearBranch(
  context: Context,
  github: GitHub,
  { remote, branch: base }: ProposeOptions,
  branch: string,
): Promise<Result<number | undefined>> {
  const scratch = `refs/lockstep/retrain-${randomUUID()}`;
  const head = await fetchBranch(context, remote, branch, scratch);
  if (!head.ok) return head;
  if (head.value === undefined) return ok(undefined);
  const dropped = await git(context, ["update-ref", "-d", scratch]);
  if (!dropped.ok) return dropped;
  const last = await newestPullRequest(github, { head: branch, base });
  if (!last.ok) return last;
  if (last.value === undefined || last.value.state === "open") return ok(undefined);
  if (last.value.state === "closed") return ok(last.value.number);
  if (last.value.headSha !== head.value) return ok(undefined);
  const ref = `refs/heads/${branch}`;
  const deleted = await git(context, ["push", "--quiet", `--force-with-lease=${ref}:${head.value}`, remote, `:${ref}`]);
  return deleted.ok ? ok(undefined) : deleted;
}

function renderProposal(
  { name, issue }: ProposeOptions,
  dataset: string,
  { tables, rows, unusable }: Collected,
): string {
  const days = tables.map(({ path, rows: day }) => `| ${code(path)} | ${day.size} |`).sort();
  return [
    `Requests that model ${code(name)} has answered, and whose truth has arrived, are added to dataset ${code(dataset)}: ${rows} rows of the window${unusable === 0 ? "" : `, ${unusable} more could not be used`}.`,
    ...(issue === undefined ? [] : ["", `Asked for by #${issue}.`]),
    "",
    "| file | rows |",
    "| --- | ---: |",
    ...days,
    "",
    "The experiment on this pull request trains with them and is judged by the same gates as any other. Labels come from whoever may call the feedback endpoint: look at them before you merge. Merging promotes; closing declines, and deleting the branch afterwards allows to be asked again.",
  ].join("\n");
}
