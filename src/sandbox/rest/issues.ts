import { z } from "zod";
import { actor, body, mover, numberParam, page, reply, type Call, type Reply } from "../http/call.ts";
import { checkBody, invalidRequest } from "../http/errors.ts";
import type { Routes } from "../http/route.ts";
import type { Issue } from "../world.ts";
import { triggerOnDefaultBranch } from "./events.ts";
import { issueByNumber } from "./find.ts";
import { ensureLabels } from "./labels.ts";
import { isPull } from "./pull-shape.ts";
import { mayEdit, setPullState } from "./pulls.ts";
import { issueJson, roleOf } from "./shape.ts";

const LabelName = z.union([z.string(), z.object({ name: z.string() }).transform(({ name }) => name)]);
const NewIssue = z.object({
  title: z.union([z.string(), z.number().transform(String)]).optional(),
  body: z.string().nullish(),
  labels: z.array(LabelName).optional(),
  assignees: z.array(z.string()).optional(),
});
const IssueChange = NewIssue.extend({
  state: z.enum(["open", "closed"]).optional(),
  state_reason: z.enum(["completed", "not_planned", "duplicate", "reopened"]).nullish(),
});

/** People without write access may open issues, but not label or assign them: GitHub drops those silently. */
function mayTriage(call: Call): boolean {
  const role = roleOf(call.repository, actor(call));
  return call.token?.permissions !== undefined || role === "admin" || role === "write";
}

function list(call: Call): Reply {
  const { query, world, repository } = call;
  const state = query.get("state") ?? "open";
  const labels = (query.get("labels") ?? "").split(",").filter((label) => label !== "");
  const creator = query.get("creator");
  const since = query.get("since");
  const by = query.get("sort") === "updated" ? "updatedAt" : "createdAt";
  const found = repository.issues
    .filter((issue) => state === "all" || issue.state === state)
    .filter((issue) => labels.every((label) => issue.labels.includes(label)))
    .filter((issue) => creator === null || issue.user === creator)
    .filter((issue) => since === null || issue.updatedAt >= since)
    .toSorted((a, b) => (a[by] === b[by] ? a.number - b.number : a[by] < b[by] ? -1 : 1));
  const ordered = query.get("direction") === "asc" ? found : found.toReversed();
  return page(
    call,
    ordered.map((issue) => issueJson(world, repository, issue)),
  );
}

async function trigger(call: Call, issue: Issue, action: string): Promise<void> {
  const { world, repository } = call;
  const payload = { issue: issueJson(world, repository, issue) };
  await triggerOnDefaultBranch(world, repository, { name: "issues", action, payload, mover: mover(call) });
}

async function create(call: Call): Promise<Reply> {
  const { world, repository } = call;
  const wanted = body(call, NewIssue);
  if (wanted.title === undefined) throw invalidRequest(`"title" wasn't supplied.`);
  checkBody("Issue", wanted.body);
  const now = world.clock.timestamp();
  const labels = mayTriage(call) ? (wanted.labels ?? []) : [];
  ensureLabels(call, labels);
  const issue: Issue = {
    id: world.nextId(),
    number: repository.nextNumber,
    title: wanted.title,
    body: wanted.body ?? null,
    state: "open",
    stateReason: null,
    user: actor(call),
    labels: [...new Set(labels)],
    assignees: mayTriage(call) ? (wanted.assignees ?? []) : [],
    createdAt: now,
    updatedAt: now,
    closedAt: null,
    closedBy: null,
  };
  repository.nextNumber += 1;
  repository.issues.push(issue);
  world.touch();
  await trigger(call, issue, "opened");
  const json = issueJson(world, repository, issue);
  return reply(201, json, { location: String(json["url"]) });
}

async function update(call: Call): Promise<Reply> {
  const { world, repository } = call;
  const issue = issueByNumber(call, numberParam(call, "issue_number"), "write");
  mayEdit(call, issue);
  const wanted = body(call, IssueChange);
  checkBody("Issue", wanted.body);
  if (wanted.title !== undefined) issue.title = wanted.title;
  if (wanted.body !== undefined) issue.body = wanted.body ?? null;
  if (wanted.labels !== undefined && mayTriage(call)) {
    ensureLabels(call, wanted.labels);
    issue.labels = [...new Set(wanted.labels)];
  }
  if (wanted.assignees !== undefined && mayTriage(call)) issue.assignees = wanted.assignees;
  issue.updatedAt = world.clock.timestamp();
  world.touch();
  if (isPull(issue)) await setPullState(call, issue, wanted.state);
  else await setIssueState(call, issue, wanted.state, wanted.state_reason ?? undefined);
  return reply(200, issueJson(world, repository, issue));
}

async function setIssueState(
  call: Call,
  issue: Issue,
  state: Issue["state"] | undefined,
  reason: string | undefined,
): Promise<void> {
  if (state === undefined || state === issue.state) return;
  const closes = state === "closed";
  issue.state = state;
  issue.stateReason = closes ? (reason === "not_planned" ? "not_planned" : "completed") : "reopened";
  issue.closedAt = closes ? call.world.clock.timestamp() : null;
  issue.closedBy = closes ? actor(call) : null;
  await trigger(call, issue, closes ? "closed" : "reopened");
}

const LockBody = z.object({ lock_reason: z.enum(["off-topic", "too heated", "resolved", "spam"]).nullish() }).nullish();

function lock(call: Call, locks: boolean): Reply {
  const issue = issueByNumber(call, numberParam(call, "issue_number"), "write");
  if (locks) issue.lockReason = body(call, LockBody)?.lock_reason ?? null;
  else delete issue.lockReason;
  call.world.touch();
  return reply(204);
}

export const issueRoutes: Routes = {
  "GET /repos/{owner}/{repo}/issues": list,
  "POST /repos/{owner}/{repo}/issues": create,
  "GET /repos/{owner}/{repo}/issues/{issue_number}": (call) => {
    const issue = issueByNumber(call, numberParam(call, "issue_number"), "read");
    return reply(200, issueJson(call.world, call.repository, issue));
  },
  "PATCH /repos/{owner}/{repo}/issues/{issue_number}": update,
  "PUT /repos/{owner}/{repo}/issues/{issue_number}/lock": (call) => lock(call, true),
  "DELETE /repos/{owner}/{repo}/issues/{issue_number}/lock": (call) => lock(call, false),
};
