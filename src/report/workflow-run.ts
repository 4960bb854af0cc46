import { ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { atRevision } from "../git/index.ts";
import { findPullRequestBySha } from "../github/index.ts";
import type { GitHub, Order, PullRequest } from "../github/index.ts";
import type { Report } from "./schema.ts";

/** A workflow run as the `workflow_run` event (so GitHub, not the pull request) tells of it. */
export interface WorkflowRun {
  readonly id: number;
  readonly attempt: number;
  readonly url: string;
  readonly event: string;
  /** Path of the workflow file. */
  readonly workflow: string;
  readonly headSha: string;
  readonly headBranch: string;
  /** `owner/name` */
  readonly headRepository: string;
  readonly actor: string;
  /** How it ended, as in `success` or `cancelled`; null while it goes on. */
  readonly conclusion: string | null;
  /** When this attempt began: an ISO 8601 instant. */
  readonly startedAt: string;
}

export interface PublishOptions {
  readonly run: WorkflowRun;
  /** Git remote of the repository. */
  readonly remote: string;
  /** Who commits to the records branch. */
  readonly author?: { readonly name: string; readonly email: string };
  /** Puts the page of the whole report where people can fetch it, and gives its URL; absent: the comment links to none. */
  readonly keepPage?: (html: string) => Promise<Result<string>>;
}

export interface Published {
  readonly verdict: Report["verdict"];
  readonly conclusion: Report["conclusion"];
  /** Null when no open pull request has this head any more: nothing was done. */
  readonly pullRequest: number | null;
  readonly commentUrl: string | null;
  /** The comment's text, for a job summary. */
  readonly markdown: string;
}

/** What a report is found again by. */
export interface Names {
  /** The one pipeline of a compiled workflow; null: the experiment's, with all that have no workflow of their own. */
  readonly pipeline: string | null;
  readonly marker: string;
  readonly check: string;
  readonly status: string;
}

/**
 * Each workflow has a report of its own: `lockstep-digits.yml`, which `lockstep compile` wrote, one about its pipeline,
 * and `lockstep-experiment.yml` one about the rest. GitHub, not the pull request, says which file it was; undefined for
 * another file, which only calls itself like the experiment.
 */
export function namesOf(workflow: string): Names | undefined {
  const name = /^\.github\/workflows\/lockstep-([A-Za-z0-9._-]+)\.yml$/.exec(workflow)?.[1];
  if (name === undefined) return undefined;
  if (name === "experiment") return { pipeline: null, marker: "report", check: "lockstep", status: "lockstep/gates" };
  const [check, status] = [`lockstep (${name})`, `lockstep/gates (${name})`];
  return { pipeline: name, marker: `report:${name}`, check, status };
}

/** Where a run stands in time; `going`: while it had not ended. */
export const orderOf = ({ id, attempt }: WorkflowRun, going = false): Order => ({
  runId: id,
  attempt,
  ...(going ? { going } : {}),
});

export const NOTHING: Omit<Published, "pullRequest"> = {
  verdict: "none",
  conclusion: "neutral",
  commentUrl: null,
  markdown: "",
};

/**
 * The open pull request that a run is about, and what its report is called. Undefined, with a note, when its head has
 * moved on, or when the workflow is none of ours: a fork does not get a report by bringing a workflow along.
 */
export async function pullRequestOf(
  context: Context,
  github: GitHub,
  run: WorkflowRun,
): Promise<Result<{ pull: PullRequest; names: Names } | undefined>> {
  const note = (message: string): Result<undefined> => {
    context.emit({ type: "note", message });
    return ok(undefined);
  };
  const names = namesOf(run.workflow);
  if (names === undefined) return note(`${run.workflow} is not a workflow of Lockstep; nothing to report on`);
  const [headOwner = ""] = run.headRepository.split("/");
  const found = await findPullRequestBySha(github, { sha: run.headSha, headOwner, headBranch: run.headBranch });
  if (!found.ok) return found;
  const pull = found.value;
  if (pull === undefined) return note(`no open pull request has ${run.headSha} as its head; nothing to report on`);
  if (!pull.fork) return ok({ pull, names });
  const here = await atRevision(context, "HEAD");
  if (!here.ok) return here;
  const known = await here.value.read(run.workflow);
  if (!known.ok) return known;
  return known.value === undefined
    ? note(`${run.workflow} is the fork's own and not on the default branch; nothing to report on`)
    : ok({ pull, names });
}
