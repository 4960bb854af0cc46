import type { ModelLock, Provenance } from "../config/index.ts";
import { canonicalJson, fail, failedIfAny, fileJson, message, ok } from "../core/index.ts";
import type { Context, Digest, Failure, Result } from "../core/index.ts";
import { atRevision, git, resolveCommit, swapBranch } from "../git/index.ts";
import type { Identity, Source } from "../git/index.ts";
import { mergedPullRequest } from "../github/index.ts";
import type { GitHub } from "../github/index.ts";
import { openWorkspace } from "../pipeline/index.ts";
import { measure } from "./candidate.ts";
import type { Made, Measured } from "./candidate.ts";
import { renderCard } from "./card.ts";
import { judgeHeldOut } from "./held-out.ts";
import { countLook } from "./look.ts";
import { judge } from "./judge.ts";
import { make } from "./make.ts";
import { chooseModels, loadModelLock, loadModels, lockPath, productionVersion } from "./models.ts";
import type { Model } from "./models.ts";
import { planPromotion } from "./plan.ts";
import type { PromotionPlan } from "./plan.ts";
import { releaseVersions } from "./release.ts";

export interface PromoteOptions {
  /** Git remote that is pushed to. */
  readonly remote: string;
  /** Default branch. */
  readonly branch: string;
  /** The commit that was pushed; the working tree has to be at it, for a pipeline that must run. */
  readonly commit: string;
  /** Head of the branch before the push: its gates and evaluation judge. Absent (a run by hand): the rules of `commit`. */
  readonly before?: string;
  /** Only these; absent: every model. */
  readonly models?: readonly string[];
  /** Of this run, which is trusted: it goes into the records of what has to be run here. */
  readonly provenance: Provenance;
  readonly author: Identity;
  /** URL of this run, for the version's entry. */
  readonly runUrl: string;
  /** Context whose git may write to the remote; what runs here gets the plain one. */
  readonly forGit: Context;
}

export interface Promotion {
  readonly model: string;
  readonly outcome: "promoted" | "restored" | "current" | "held" | "superseded" | "refused";
  /** The version the candidate is; null when it is none. */
  readonly version: number | null;
  readonly digest: Digest;
  readonly release: string | null;
  readonly releaseUrl: string | null;
  /** What is in production now, whatever became of the candidate; null for nothing. */
  readonly production: { readonly version: number; readonly digest: Digest } | null;
  /** Gates that failed, or why nothing was done, in words. */
  readonly reasons: readonly string[];
  /** False when a stage had to run here. */
  readonly cached: boolean;
}

/**
 * Makes what the default branch now describes the production version of each model: looks the stage keys up among the
 * trusted records (runs the pipeline only where one is missing), judges, appends to `models/<name>/lock.json`, and
 * publishes the release. Every step looks first whether it was done: killed anywhere, run again, it finishes. A model
 * that fails does not keep the others back.
 */
export async function promote(
  context: Context,
  github: GitHub,
  options: PromoteOptions,
): Promise<Result<readonly Promotion[]>> {
  const head = await resolveCommit(context, "HEAD");
  if (!head.ok) return head;
  if (head.value !== options.commit) {
    return fail({ code: "usage", message: `the working tree is at ${head.value}, not at ${options.commit}` });
  }
  const source = await atRevision(context, options.commit);
  if (!source.ok) return source;
  const models = await chooseModels(source.value, options.models);
  if (!models.ok) return models;
  const rules = await rulesBefore(context, options.before);
  if (!rules.ok) return rules;
  const pull = await mergedPullRequest(github, { sha: options.commit, baseBranch: options.branch });
  if (!pull.ok) return pull;
  const all = { ...options, pullRequest: pull.value?.number ?? null };

  const made = new Map<string, Result<Made>>();
  const promotions: Promotion[] = [];
  const failures: Failure[] = [];
  for (const model of models.value) {
    const { pipeline } = model.config.value;
    if (!made.has(pipeline)) made.set(pipeline, await make(context, { ...options, pipeline }));
    const result = made.get(pipeline) as Result<Made>;
    const promotion = result.ok
      ? await promoteModel(context, github, model, rules.value.get(model.name) ?? model, result.value, all)
      : result;
    if (promotion.ok) promotions.push(promotion.value);
    else failures.push(...promotion.failures);
  }
  return failedIfAny(failures) ?? ok(promotions);
}

/** The models as the branch had them, whose gates judge. A file that did not load then has no rules to keep. */
async function rulesBefore(context: Context, before: string | undefined): Promise<Result<ReadonlyMap<string, Model>>> {
  // A push that makes the branch has forty zeros here.
  if (before === undefined || /^0+$/.test(before)) return ok(new Map());
  const source = await atRevision(context, before);
  if (!source.ok) return source.failures[0].code === "unknown-name" ? ok(new Map()) : source;
  const models = await loadModels(source.value);
  return ok(new Map(models.ok ? models.value.map((model) => [model.name, model]) : []));
}

async function promoteModel(
  context: Context,
  github: GitHub,
  model: Model,
  rules: Model,
  made: Made,
  options: PromoteOptions & { readonly pullRequest: number | null },
): Promise<Result<Promotion>> {
  const facts = { commit: options.commit, pullRequest: options.pullRequest, run: options.runUrl };
  const measured = await measure(context, model, made, facts);
  if (!measured.ok) return measured;
  const judged = evaluatedBy(rules, model);
  const seen = judged === model ? measured : await measure(context, judged, made, facts);
  const subject = { model, rules, measured: measured.value, seen, made };

  let decided: Decision | undefined;
  const swapped = await swapBranch(options.forGit, {
    remote: options.remote,
    branch: options.branch,
    author: options.author,
    change: async (current) => {
      if (current === undefined) return fail({ code: "unknown-name", what: "branch", name: options.branch, known: [] });
      const decision = await decide(context, current, subject, options);
      if (!decision.ok) return decision;
      decided = decision.value;
      return ok(commitFor(model, decided));
    },
  });
  if (!swapped.ok) return swapped;
  if (decided === undefined) throw new Error("the branch was not looked at");
  if (swapped.value.changed) context.emit({ type: "effect", name: `${model.name} version committed` });

  const workspace = await openWorkspace(context);
  if (!workspace.ok) return workspace;
  const { records, store } = workspace.value;
  const released = await releaseVersions(github, { model, lock: decided.lock, records, store });
  if (!released.ok) return released;
  const live = productionVersion(decided.lock);
  const version = "version" in decided.plan ? decided.plan.version : undefined;
  return ok({
    model: model.name,
    outcome: OUTCOMES[decided.plan.action],
    version: version?.version ?? null,
    digest: measured.value.candidate.digest,
    production: live === undefined ? null : { version: live.version, digest: live.digest },
    release: version?.release ?? null,
    releaseUrl: version === undefined ? null : (released.value.get(version.version) ?? null),
    reasons:
      decided.plan.action === "refused" ? decided.plan.gates : "reason" in decided.plan ? [decided.plan.reason] : [],
    cached: made.cached,
  });
}

const OUTCOMES = {
  append: "promoted",
  restore: "restored",
  none: "current",
  held: "held",
  superseded: "superseded",
  refused: "refused",
} as const;

interface Decision {
  readonly plan: PromotionPlan | { readonly action: "superseded"; readonly reason: string };
  /** As it is when the plan has been carried out. */
  readonly lock: ModelLock;
}

/** The model with the evaluation of the rules: a change must not redefine what it is judged by, either. */
function evaluatedBy(rules: Model, model: Model): Model {
  const { evaluation } = rules.config.value;
  if (canonicalJson(evaluation) === canonicalJson(model.config.value.evaluation)) return model;
  return { ...model, config: { ...model.config, value: { ...model.config.value, evaluation } } };
}

const UNFIT = "what was made does not fit the evaluation before this push (the new one judges from the next push on):";

interface Subject {
  readonly model: Model;
  readonly rules: Model;
  /** As the model itself is evaluated from now on. */
  readonly measured: Measured;
  /** By the rules' evaluation; a failure when the evaluation before the push does not fit what was made. */
  readonly seen: Result<Measured>;
  readonly made: Made;
}

/** Plans against the branch as it stands now. Called again whenever another writer was faster. */
async function decide(
  context: Context,
  current: Source,
  { model, rules, measured, seen, made }: Subject,
  options: PromoteOptions,
): Promise<Result<Decision>> {
  const lock = await loadModelLock(current, model.name);
  if (!lock.ok) return lock;
  const production = productionVersion(lock.value);
  if (production !== undefined && (await isAncestor(context, options.commit, production.commit))) {
    const reason = `version ${production.version} is of a later commit (${production.commit.slice(0, 12)})`;
    return ok({ plan: { action: "superseded", reason }, lock: lock.value });
  }
  const { digest } = measured.candidate;
  const known = lock.value.versions.some((version) => version.digest === digest);
  const judgement = seen.ok
    ? await judge(context, seen.value, { model, rules, lock: lock.value, store: made.store })
    : ok({ verdict: "no-evidence" as const, failed: [`${UNFIT} ${message(seen.failures[0])}`] });
  if (!judgement.ok) return judgement;
  const removedBefore = known ? ok(false) : await wasIn(context, current, lockPath(model.name), digest);
  if (!removedBefore.ok) return removedBefore;
  const candidate = { ...measured.candidate, verdict: judgement.value.verdict };
  const against = { lock: lock.value, removedBefore: removedBefore.value };
  let plan = planPromotion({ ...against, candidate, failedGates: judgement.value.failed });
  if (plan.action === "append" || plan.action === "refused") {
    const looked = await countLook(made, measured.predictions);
    if (!looked.ok) return looked;
  }
  if (plan.action === "append") {
    const heldOut = await judgeHeldOut({ model, rules, lock: lock.value, made });
    if (!heldOut.ok) return heldOut;
    const { entry, failed } = heldOut.value;
    const measuredToo = entry === undefined ? candidate : { ...candidate, heldOut: entry };
    plan = planPromotion({ ...against, candidate: measuredToo, failedGates: failed });
  }
  return ok({ plan, lock: "lock" in plan ? plan.lock : lock.value });
}

function commitFor(
  model: Model,
  { plan, lock }: Decision,
): { message: string; files: Map<string, Buffer> } | undefined {
  if (plan.action !== "append" && plan.action !== "restore") return undefined;
  const { version } = plan;
  const verb = plan.action === "append" ? "Promote" : "Restore";
  return {
    message: `${verb} ${model.name} v${version.version}\n\n${version.digest}\n${version.run}\n`,
    files: new Map([
      [lockPath(model.name), Buffer.from(fileJson(lock))],
      [`${model.folder}/CARD.md`, Buffer.from(renderCard(model.name, model.config.value, version))],
    ]),
  };
}

/** True when the first commit lies strictly behind the second. A commit that is not here is not known to. */
async function isAncestor(context: Context, commit: string, of: string): Promise<boolean> {
  if (commit === of) return false;
  return (await git(context, ["merge-base", "--is-ancestor", commit, of])).ok;
}

/** True when some commit of the branch added or removed this text in a file. */
async function wasIn(context: Context, branch: Source, file: string, text: string): Promise<Result<boolean>> {
  const log = await git(context, ["log", "-1", "--format=%H", `-S${text}`, branch.commit ?? "HEAD", "--", file]);
  return log.ok ? ok(log.value.trim() !== "") : log;
}
