import { z } from "zod";
import { body, numberParam, page, reply, type Call, type Reply } from "../http/call.ts";
import { ApiError, invalidRequest, notFound } from "../http/errors.ts";
import type { Routes } from "../http/route.ts";
import type { CheckAnnotation, CheckRun, Job, WorkflowRun } from "../world.ts";
import { byId, commitBySha, resolveRef } from "./find.ts";
import { isPull } from "./pull-shape.ts";
import { actionsAppJson, nodeId, pageUrl, repositoryUrl, type Json } from "./shape.ts";

/** Longest `output.summary` and `output.text`, in characters. */
const MAX_TEXT = 65_535;
const MAX_ANNOTATIONS = 50;
const CONCLUSIONS = ["action_required", "cancelled", "failure", "neutral", "success", "skipped", "timed_out"] as const;

const Annotation = z.object({
  path: z.string(),
  start_line: z.int(),
  end_line: z.int(),
  start_column: z.int().default(0),
  end_column: z.int().default(0),
  annotation_level: z.enum(["notice", "warning", "failure"]),
  message: z.string().max(64 * 1024),
  title: z.string().max(255).optional(),
  raw_details: z
    .string()
    .max(64 * 1024)
    .optional(),
});
const Output = z.object({
  title: z.string().optional(),
  summary: z.string().max(MAX_TEXT).optional(),
  text: z.string().max(MAX_TEXT).optional(),
  annotations: z.array(Annotation).max(MAX_ANNOTATIONS).optional(),
});
const CheckChange = z.object({
  name: z.string().optional(),
  details_url: z.string().optional(),
  external_id: z.string().optional(),
  status: z.enum(["queued", "in_progress", "completed"]).optional(),
  started_at: z.string().optional(),
  conclusion: z.enum(CONCLUSIONS).optional(),
  completed_at: z.string().optional(),
  output: Output.optional(),
});
const NewCheck = CheckChange.extend({ name: z.string(), head_sha: z.string() });

function checkJson(call: Call, check: CheckRun): Json {
  const { world, repository } = call;
  const url = `${repositoryUrl(world, repository)}/check-runs/${check.id}`;
  return {
    id: check.id,
    head_sha: check.headSha,
    node_id: nodeId("CR", check.id),
    external_id: check.externalId,
    url,
    html_url: `${pageUrl(world, repository)}/runs/${check.id}`,
    details_url: check.detailsUrl,
    status: check.status,
    conclusion: check.conclusion,
    started_at: check.startedAt,
    completed_at: check.completedAt,
    output: {
      ...check.output,
      annotations_count: check.annotations.length,
      annotations_url: `${url}/annotations`,
    },
    name: check.name,
    check_suite: { id: suiteId(check.headSha) },
    app: actionsAppJson(world),
    pull_requests: repository.issues
      .filter(isPull)
      .filter(({ state, pull }) => state === "open" && pull.headSha === check.headSha)
      .map(({ number, pull }) => {
        const repo = { id: repository.id, url: repositoryUrl(world, repository), name: repository.name };
        return {
          id: pull.id,
          number,
          url: `${repositoryUrl(world, repository)}/pulls/${number}`,
          head: { ref: pull.headBranch, sha: pull.headSha, repo },
          base: { ref: pull.baseBranch, sha: pull.baseSha, repo },
        };
      }),
  };
}

/** One suite for each commit: there is one app only. */
const suiteId = (sha: string): number => Number.parseInt(sha.slice(0, 10), 16);

/** Each job of a workflow run is a check run with the job's id. */
function jobCheck(call: Call, run: WorkflowRun, job: Job): CheckRun {
  const completed = job.status === "completed";
  return {
    id: job.id,
    headSha: run.headSha,
    name: job.name,
    status: completed ? "completed" : job.status === "in_progress" ? "in_progress" : "queued",
    conclusion: completed ? job.conclusion : null,
    startedAt: job.startedAt ?? run.createdAt,
    completedAt: job.completedAt,
    detailsUrl: `${pageUrl(call.world, call.repository)}/actions/runs/${run.id}/job/${job.id}`,
    externalId: String(job.id),
    output: { title: null, summary: null, text: null },
    annotations: job.annotations.map((annotation) => ({
      path: annotation.file ?? ".github",
      start_line: annotation.line ?? 1,
      end_line: annotation.line ?? 1,
      start_column: null,
      end_column: null,
      annotation_level: annotation.level,
      message: annotation.message,
      title: annotation.title ?? null,
      raw_details: null,
    })),
  };
}

function allChecks(call: Call): CheckRun[] {
  const jobs = call.repository.runs.flatMap((run) => run.jobs.map((job) => jobCheck(call, run, job)));
  return [...call.repository.checkRuns, ...jobs].toSorted((a, b) => b.id - a.id);
}

function toAnnotations(given: z.infer<typeof Output>["annotations"]): CheckAnnotation[] {
  return (given ?? []).map((annotation) => ({
    ...annotation,
    start_column: annotation.start_column === 0 ? null : annotation.start_column,
    end_column: annotation.end_column === 0 ? null : annotation.end_column,
    title: annotation.title ?? null,
    raw_details: annotation.raw_details ?? null,
  }));
}

/** A conclusion or an end completes; completing needs a conclusion. */
function apply(call: Call, check: CheckRun, change: z.infer<typeof CheckChange>): void {
  const completes =
    change.conclusion !== undefined || change.completed_at !== undefined || change.status === "completed";
  const conclusion = change.conclusion ?? check.conclusion;
  if (completes && conclusion === null) throw invalidRequest(`"conclusion" wasn't supplied.`);
  if (change.name !== undefined) check.name = change.name;
  if (change.details_url !== undefined) check.detailsUrl = change.details_url;
  if (change.external_id !== undefined) check.externalId = change.external_id;
  if (change.started_at !== undefined) check.startedAt = change.started_at;
  if (completes) {
    check.status = "completed";
    check.conclusion = conclusion;
    check.completedAt = change.completed_at ?? call.world.clock.timestamp();
  } else if (change.status !== undefined) {
    Object.assign(check, { status: change.status, conclusion: null, completedAt: null });
  }
  if (change.output !== undefined) {
    check.output = {
      title: change.output.title ?? check.output.title,
      summary: change.output.summary ?? check.output.summary,
      text: change.output.text ?? check.output.text,
    };
    check.annotations.push(...toAnnotations(change.output.annotations));
  }
  call.world.touch();
}

async function create(call: Call): Promise<Reply> {
  const wanted = body(call, NewCheck);
  const commit = await commitBySha(call.repository, wanted.head_sha).catch(() => undefined);
  if (commit === undefined) throw new ApiError(422, `No commit found for SHA: ${wanted.head_sha}`);
  const check: CheckRun = {
    id: call.world.nextId(),
    headSha: wanted.head_sha,
    name: wanted.name,
    status: "queued",
    conclusion: null,
    startedAt: call.world.clock.timestamp(),
    completedAt: null,
    detailsUrl: null,
    externalId: "",
    output: { title: null, summary: null, text: null },
    annotations: [],
  };
  apply(call, check, wanted);
  call.repository.checkRuns.push(check);
  return reply(201, checkJson(call, check));
}

async function list(call: Call): Promise<Reply> {
  const sha = await resolveRef(call.repository, call.params["ref"] ?? "");
  if (sha === undefined) throw new ApiError(422, `No commit found for SHA: ${call.params["ref"]}`);
  const name = call.query.get("check_name");
  const status = call.query.get("status");
  const matching = allChecks(call)
    .filter((check) => check.headSha === sha)
    .filter((check) => name === null || check.name === name)
    .filter((check) => status === null || check.status === status);
  // "latest", which is the default, keeps the newest run of each name.
  const seen = new Set<string>();
  const latest = matching.filter((check) => !seen.has(check.name) && seen.add(check.name));
  const found = call.query.get("filter") === "all" ? matching : latest;
  return page(call, found, (some, total) => ({
    total_count: total,
    check_runs: some.map((check) => checkJson(call, check)),
  }));
}

export const checkRoutes: Routes = {
  "POST /repos/{owner}/{repo}/check-runs": create,
  "GET /repos/{owner}/{repo}/check-runs/{check_run_id}": (call) =>
    reply(200, checkJson(call, byId(call, allChecks(call), "check_run_id"))),
  "PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}": (call) => {
    const id = numberParam(call, "check_run_id");
    const check = call.repository.checkRuns.find((other) => other.id === id);
    if (check === undefined) {
      // What Actions made itself is not for tokens to change.
      if (allChecks(call).some((other) => other.id === id))
        throw new ApiError(403, "Resource not accessible by integration");
      throw notFound();
    }
    apply(call, check, body(call, CheckChange));
    return reply(200, checkJson(call, check));
  },
  "GET /repos/{owner}/{repo}/check-runs/{check_run_id}/annotations": (call) => {
    const check = byId(call, allChecks(call), "check_run_id");
    const blob = (path: string): string => `${pageUrl(call.world, call.repository)}/blob/${check.headSha}/${path}`;
    return page(
      call,
      check.annotations.map((annotation) => ({ ...annotation, blob_href: blob(annotation.path) })),
    );
  },
  "GET /repos/{owner}/{repo}/commits/{ref}/check-runs": list,
};
