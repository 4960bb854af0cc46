import { ok } from "../core/index.ts";
import type { Result } from "../core/index.ts";
import { call } from "./client.ts";
import type { GitHub } from "./client.ts";
import { ensure, ONCE } from "./ensure.ts";
import { fit, fitLine, LIMITS } from "./limits.ts";

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
): Promise<Result<{ id: number; url: string; created: boolean }>> {
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
    summary: fit(options.summary, LIMITS.checkText),
    ...(options.text === undefined ? {} : { text: fit(options.text, LIMITS.checkText) }),
    ...(annotations.length === 0 ? {} : { annotations: annotations.slice(0, LIMITS.checkAnnotations) }),
  };
  const fields = {
    status: "completed" as const,
    conclusion: options.conclusion,
    output,
    ...(options.detailsUrl === undefined ? {} : { details_url: options.detailsUrl }),
  };
  const written = await ensure(
    () => find(gh, options),
    async () =>
      call(
        gh.octokit.rest.checks.create({
          owner,
          repo,
          name: options.name,
          head_sha: options.headSha,
          external_id: options.externalId,
          ...fields,
          ...ONCE,
        }),
      ),
  );
  if (!written.ok) return written;
  const { created } = written.value;
  const { id, html_url: url } = written.value.value;
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
  return ok({ id, url: url ?? "", created });
}

async function find(
  gh: GitHub,
  options: UpsertCheckOptions,
): Promise<Result<{ id: number; html_url: string | null } | undefined>> {
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
  const ours = runs.value.check_runs.filter((run) => run.external_id === options.externalId);
  return ok(ours.sort((a, b) => a.id - b.id)[0]);
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
