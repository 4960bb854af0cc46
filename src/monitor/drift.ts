import { ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { resolveCommit, workingTree } from "../git/index.ts";
import type { Identity } from "../git/index.ts";
import { closeIssue, findIssue, upsertIssue } from "../github/index.ts";
import type { GitHub } from "../github/index.ts";
import { loadModelLock, productionVersion } from "../registry/index.ts";
import { localCache, openStore, storeUrl } from "../store/index.ts";
import type { Store } from "../store/index.ts";
import { check } from "./check.ts";
import type { ColumnDrift } from "./compare.ts";
import { decide } from "./decide.ts";
import type { Decision } from "./decide.ts";
import { renderFinding } from "./evidence.ts";
import { openLogs } from "./log-store.ts";
import type { LogStore } from "./log-store.ts";
import { findModel } from "./models.ts";
import type { Performance } from "./performance.ts";
import { proposeRetraining } from "./retrain.ts";
import type { Proposal } from "./retrain.ts";

export interface DriftOptions {
  /** Name of the model; its production version is judged. */
  readonly model: string;
  /** Git remote that the retraining branch is pushed to. */
  readonly remote: string;
  /** Default branch. */
  readonly branch: string;
  /** Commit of the default branch; HEAD when absent. */
  readonly commit?: string;
  readonly author: Identity;
}

export interface DriftReport extends Decision {
  readonly model: string;
  /** Null when nothing is in production yet: then the state is `unknown`. */
  readonly version: number | null;
  readonly rows: number;
  readonly columns: readonly ColumnDrift[];
  readonly performance: Performance | null;
  /** The open issue, or the one this check has closed. */
  readonly issue: { readonly number: number; readonly url: string; readonly action: string } | null;
  readonly pullRequest: Proposal["pullRequest"];
  /** Why there is no retraining pull request, where one could have been. */
  readonly note: string | null;
}

/**
 * One check of one model. With GitHub: the issue is opened, brought up to date or closed, and the retraining pull
 * request opened or refreshed; running it twice on the same log changes nothing. Without: reads only.
 */
export async function driftCheck(
  context: Context,
  github: GitHub | undefined,
  options: DriftOptions,
): Promise<Result<DriftReport>> {
  const source = workingTree(context);
  const model = await findModel(source, options.model);
  if (!model.ok) return model;
  const { name } = model.value;
  const config = model.value.config.value;
  const lock = await loadModelLock(source, name);
  if (!lock.ok) return lock;
  const version = productionVersion(lock.value);
  if (version === undefined) return ok(unjudged(name, "no version is in production"));
  const opened = await openWindow(context);
  if (!opened.ok) return opened;
  const { logs, stores } = opened.value;
  const checked = await check(context, { name, config, version, stores, logs });
  if (!checked.ok) return checked;
  const { evidence, rules, from, to } = checked.value;
  const marker = `drift:${name}`;
  const open = github === undefined ? ok(undefined) : await findIssue(github, marker);
  if (!open.ok) return open;
  const decision = decide(evidence, rules, open.value !== undefined);
  const report: DriftReport = {
    ...decision,
    model: name,
    version: version.version,
    rows: evidence.rows,
    columns: evidence.columns,
    performance: evidence.performance ?? null,
    issue: open.value === undefined ? null : { number: open.value.number, url: open.value.url, action: "unchanged" },
    pullRequest: null,
    note: null,
  };
  if (github === undefined || decision.state === "unknown") return ok(report);
  if (decision.state === "healthy") {
    const comment = `Recovered: by ${evidence.rows} requests, version ${version.version} meets the data it was trained on.`;
    const closed = open.value === undefined ? undefined : await closeIssue(github, { marker, comment });
    if (closed?.ok === false) return closed;
    return ok(report.issue === null ? report : { ...report, issue: { ...report.issue, action: "closed" } });
  }
  const finding = { model: name, version: version.version, evidence, decision, from, to, minRows: rules.minRows };
  const issue = await upsertIssue(github, {
    marker,
    title: `Model ${name} has drifted`,
    body: renderFinding(finding),
    labels: ["lockstep", "drift"],
  });
  if (!issue.ok) return issue;
  context.emit({ type: "effect", name: "drift issue written" });
  const written: DriftReport = { ...report, issue: issue.value };
  if (config.monitor?.retrain?.when !== "drift") return ok(written);
  const commit = options.commit === undefined ? await resolveCommit(context, "HEAD") : ok(options.commit);
  if (!commit.ok) return commit;
  const proposed = await proposeRetraining(context, github, {
    name,
    config,
    logs,
    stores,
    remote: options.remote,
    branch: options.branch,
    commit: commit.value,
    author: options.author,
    issue: issue.value.number,
  });
  if (!proposed.ok) return proposed;
  const { pullRequest, reason } = proposed.value;
  return ok({ ...written, pullRequest, note: pullRequest === null ? reason : null });
}

/** The log and the stores of a repository; the team's store comes last. */
export async function openWindow(
  context: Context,
): Promise<Result<{ logs: LogStore; stores: readonly [Store, Store] }>> {
  const url = await storeUrl(context, workingTree(context));
  if (!url.ok) return url;
  const logs = openLogs(context, url.value);
  if (!logs.ok) return logs;
  const store = openStore(context, url.value);
  return store.ok ? ok({ logs: logs.value, stores: [localCache(context), store.value] }) : store;
}

function unjudged(model: string, reason: string): DriftReport {
  const nothing = { share: 0, dataDrift: false, predictionDrift: false, conceptDrift: false, rows: 0, columns: [] };
  const none = { performance: null, issue: null, pullRequest: null, note: null };
  return { ...nothing, ...none, model, version: null, state: "unknown", reasons: [reason] };
}
