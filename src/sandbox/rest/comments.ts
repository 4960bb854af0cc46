import { z } from "zod";
import { actor, body, mover, numberParam, page, reply, type Call, type Reply } from "../http/call.ts";
import { ApiError, checkBody, invalidRequest } from "../http/errors.ts";
import type { Routes } from "../http/route.ts";
import type { Comment, Issue } from "../world.ts";
import { triggerOnDefaultBranch } from "./events.ts";
import { byId, issueByNumber } from "./find.ts";
import {
  association,
  issueJson,
  nodeId,
  pageUrl,
  reactionsJson,
  repositoryUrl,
  roleOf,
  userJson,
  viaApp,
  type Json,
} from "./shape.ts";

const Body = z.object({ body: z.string().optional() });

function commentJson(call: Pick<Call, "world" | "repository">, comment: Comment): Json {
  const { world, repository } = call;
  const api = repositoryUrl(world, repository);
  const url = `${api}/issues/comments/${comment.id}`;
  const isPull = repository.issues.some((issue) => issue.number === comment.issue && issue.pull !== undefined);
  const kind = isPull ? "pull" : "issues";
  return {
    id: comment.id,
    node_id: nodeId("IC", comment.id),
    url,
    html_url: `${pageUrl(world, repository)}/${kind}/${comment.issue}#issuecomment-${comment.id}`,
    issue_url: `${api}/issues/${comment.issue}`,
    user: userJson(world, comment.user),
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
    body: comment.body,
    author_association: association(repository, comment.user),
    performed_via_github_app: viaApp(world, comment.user),
    reactions: reactionsJson(url),
  };
}

/** The text of the request: present, not blank, not too long. */
function text(call: Call): string {
  const { body: wanted } = body(call, Body);
  if (wanted === undefined) throw invalidRequest(`"body" wasn't supplied.`);
  if (wanted.trim() === "") {
    throw new ApiError(422, "Validation Failed", {
      errors: [{ resource: "IssueComment", code: "unprocessable", field: "data", message: "Body cannot be blank" }],
    });
  }
  checkBody("IssueComment", wanted);
  return wanted;
}

async function trigger(call: Call, issue: Issue, comment: Comment, action: string): Promise<void> {
  const { world, repository } = call;
  const payload = { issue: issueJson(world, repository, issue), comment: commentJson(call, comment) };
  await triggerOnDefaultBranch(world, repository, { name: "issue_comment", action, payload, mover: mover(call) });
}

async function create(call: Call): Promise<Reply> {
  const { world, repository } = call;
  const issue = issueByNumber(call, numberParam(call, "issue_number"), "write");
  // Who may write to the repository still may; an App, a job's token among them, may not.
  const mayAlways =
    call.token?.permissions === undefined && ["admin", "write"].includes(roleOf(repository, actor(call)) ?? "");
  if (issue.lockReason !== undefined && !mayAlways) {
    throw new ApiError(403, "Unable to create comment because issue is locked.");
  }
  const now = world.clock.timestamp();
  const comment: Comment = {
    id: world.nextId(),
    issue: issue.number,
    user: actor(call),
    body: text(call),
    createdAt: now,
    updatedAt: now,
  };
  repository.comments.push(comment);
  issue.updatedAt = now;
  world.touch();
  await trigger(call, issue, comment, "created");
  const json = commentJson(call, comment);
  return reply(201, json, { location: String(json["url"]) });
}

/** A comment its caller may change: their own, or any with write access. */
function editable(call: Call): { comment: Comment; issue: Issue } {
  const comment = byId(call, call.repository.comments, "comment_id");
  const issue = issueByNumber(call, comment.issue, "write");
  const role = roleOf(call.repository, actor(call));
  const may =
    call.token?.permissions !== undefined || comment.user === actor(call) || role === "admin" || role === "write";
  if (!may) throw new ApiError(403, "Must have admin rights to Repository.");
  return { comment, issue };
}

export const commentRoutes: Routes = {
  "GET /repos/{owner}/{repo}/issues/{issue_number}/comments": (call) => {
    const issue = issueByNumber(call, numberParam(call, "issue_number"), "read");
    const since = call.query.get("since");
    const found = call.repository.comments
      .filter((comment) => comment.issue === issue.number && (since === null || comment.updatedAt >= since))
      .map((comment) => commentJson(call, comment));
    return page(call, found);
  },
  "POST /repos/{owner}/{repo}/issues/{issue_number}/comments": create,
  "GET /repos/{owner}/{repo}/issues/comments/{comment_id}": (call) => {
    const comment = byId(call, call.repository.comments, "comment_id");
    issueByNumber(call, comment.issue, "read");
    return reply(200, commentJson(call, comment));
  },
  "PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}": async (call) => {
    const { comment, issue } = editable(call);
    comment.body = text(call);
    comment.updatedAt = call.world.clock.timestamp();
    call.world.touch();
    await trigger(call, issue, comment, "edited");
    return reply(200, commentJson(call, comment));
  },
  "DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}": async (call) => {
    const { comment, issue } = editable(call);
    call.repository.comments.splice(call.repository.comments.indexOf(comment), 1);
    call.world.touch();
    await trigger(call, issue, comment, "deleted");
    return reply(204);
  },
};
