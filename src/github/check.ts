import { ok } from "../core/index.ts";
import type { Result } from "../core/index.ts";
import { call } from "./client.ts";
import type { GitHub } from "./client.ts";
import { ensure, ONCE } from "./ensure.ts";
import { fit, fitLine, LIMITS } from "./limits.ts";
import { isOlder, markerLine, orderOf } from "./marker.ts";
import type { Order } from "./marker.ts";

export interface CheckAnnotation {
  readonly path: string;
  readonly line: number;
  readonly level: "notice" | "warning" | "failure";
  readonly message: string;
  readonly title?: string;
}

export interface UpsertCheckOptions {
  readonly name: string;
  readonly headSha: string;
  /** Tells ours apart: the same id on the same commit is the same check run. */
  readonly externalId: string;
  /** Whose result it is: that of a later run stays. Stands in the summary's first line, unseen. */
  readonly order: Order;
  readonly conclusion: "success" | "failure" | "neutral" | "cancelled" | "skipped" | "timed_out" | "action_required";
  readonly title: string;
  /** Markdown, each shortened to what GitHub takes. */
  readonly summary: string;
  readonly text?: string;
  readonly annotations?: readonly CheckAnnotation[];
  readonly detailsUrl?: string;
}

/** Writes the one check run of a name and external id on a commit. */
export async function upsertCheck(
  gh: GitHub,
  options: UpsertCheckOptions,
): Promise<Result<{ id: number; url: string; created: boolean; superseded: boolean }>> {
  const { owner, repo } = gh;
  const annotations = (options.annotations ?? []).map((annotation) => ({
    path: annotation.path,
    start_line: annotation.line,
    end_line: annotation.line,
    annotation_level: annotation.level,
    message: fit(annotation.message, LIMITS.checkText, "…"),
    ...(annotation.title === undefined ? {} : { title: fitLine(annotation.title, LIMITS.title) }),
  }));
  const output = {
    title: fitLine(options.title, LIMITS.title),
    summary: fit(`${markerLine(options.externalId, options.order)}\n${options.summary}`, LIMITS.checkText),
    ...(options.text === undefined ? {} : { text: fit(options.text, LIMITS.checkText) }),
    ...(annotations.length === 0 ? {} : { annotations: annotations.slice(0, LIMITS.checkAnnotations) }),
  };
  const fields = {
    status: "completed" as const,
    conclusion: options.conclusion,
    output,
    ...(options.detailsUrl === undefined ? {} : { details_url: options.detailsUrl }),
  };
  const written = await ensure<FoundCheck>(
    () => findCheck(gh, options),
    async () => {
      const { name, headSha: head_sha, externalId: external_id } = options;
      const made = await call(
        gh.octokit.rest.checks.create({ owner, repo, name, head_sha, external_id, ...fields, ...ONCE }),
      );
      return made.ok
        ? ok({ id: made.value.id, url: made.value.html_url ?? "", order: options.order, summary: "" })
        : made;
    },
  );
  if (!written.ok) return written;
  const { created } = written.value;
  const { id, url, order } = written.value.value;
  if (order !== undefined && isOlder(options.order, order)) return ok({ id, url, created, superseded: true });
  const update = async (part: Partial<typeof fields>): Promise<Result<unknown>> =>
    call(gh.octokit.rest.checks.update({ owner, repo, check_run_id: id, ...part }));
  if (!created) {
    const updated = await update(fields);
    if (!updated.ok) return updated;
  }
  for (let from = LIMITS.checkAnnotations; from < annotations.length; from += LIMITS.checkAnnotations) {
    // Annotations of further requests are added to those that are there.
    const more = await update({
      output: { ...output, annotations: annotations.slice(from, from + LIMITS.checkAnnotations) },
    });
    if (!more.ok) return more;
  }
  return ok({ id, url, created, superseded: false });
}

export interface FoundCheck {
  readonly id: number;
  readonly url: string;
  /** Whose result it holds; undefined when it does not say. */
  readonly order: Order | undefined;
  /** Markdown, without the line that says whose it is. */
  readonly summary: string;
}

/** The check run of a name and external id on a commit; undefined when there is none yet. */
export async function findCheck(
  gh: GitHub,
  options: Pick<UpsertCheckOptions, "name" | "headSha" | "externalId">,
): Promise<Result<FoundCheck | undefined>> {
  const { owner, repo } = gh;
  const runs = await call(
    gh.octokit.rest.checks.listForRef({
      owner,
      repo,
      ref: options.headSha,
      check_name: options.name,
      filter: "all",
      per_page: LIMITS.page,
    }),
  );
  if (!runs.ok) return runs;
  const [first] = runs.value.check_runs
    .filter((run) => run.external_id === options.externalId)
    .sort((a, b) => a.id - b.id);
  if (first === undefined) return ok(undefined);
  const summary = first.output.summary ?? "";
  const order = orderOf(summary);
  return ok({ id: first.id, url: first.html_url ?? "", order, summary: summary.slice(summary.indexOf("\n") + 1) });
}

export interface SetStatusOptions {
  readonly sha: string;
  /** The name that branch protection asks for. */
  readonly context: string;
  readonly state: "error" | "failure" | "pending" | "success";
  readonly description: string;
  readonly targetUrl?: string;
}

/** Sets a commit status. GitHub keeps a list per context of which the newest counts, so that repeating is harmless. */
export async function setStatus(gh: GitHub, options: SetStatusOptions): Promise<Result<void>> {
  const set = await call(
    gh.octokit.rest.repos.createCommitStatus({
      owner: gh.owner,
      repo: gh.repo,
      sha: options.sha,
      context: options.context,
      state: options.state,
      description: fitLine(options.description, LIMITS.description),
      ...(options.targetUrl === undefined ? {} : { target_url: options.targetUrl }),
    }),
  );
  return set.ok ? ok() : set;
}
