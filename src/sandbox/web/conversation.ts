import { html, raw } from "hono/html";
import type { Issue } from "../model.ts";
import type { Repository, World } from "../world.ts";
import { ago, dot } from "./layout.ts";
import type { Html } from "./layout.ts";
import { renderMarkdown } from "./markdown.ts";

/** An issue's or pull request's head line: number, state, who and when. */
export function heading(world: World, issue: Issue, sentence: Html): Html {
  const state = stateOf(issue);
  const colour = { open: "green", closed: issue.pull === undefined ? "purple" : "red", merged: "purple" }[state];
  return html`<h1>${issue.title} <small>#${issue.number}</small></h1>
    <p class="dim">
      <span class="badge" style="background:var(--${colour})">${state}</span> ${sentence} ·
      ${ago(world, issue.createdAt)}
    </p>`;
}

export function stateOf(issue: Issue): "open" | "closed" | "merged" {
  return issue.pull?.merged === true ? "merged" : issue.state;
}

/** Description and comments, oldest first, and how it ended. */
export async function conversation(world: World, repository: Repository, issue: Issue): Promise<Html> {
  const comments = repository.comments.filter((comment) => comment.issue === issue.number);
  const boxes = await Promise.all([
    box(world, issue.user, issue.body ?? "", issue.createdAt, issue.updatedAt, "description"),
    ...comments.map(async ({ id, user, body, createdAt, updatedAt }) =>
      box(world, user, body, createdAt, updatedAt, `issuecomment-${id}`),
    ),
  ]);
  return html`${boxes}${ending(world, issue)}`;
}

async function box(
  world: World,
  user: string,
  body: string,
  created: string,
  updated: string,
  id: string,
): Promise<Html> {
  const bot = world.users.get(user)?.type === "Bot";
  const text = body.trim() === "" ? "*No description provided.*" : body;
  return html`<article class="box" id="${id}">
    <div class="head">
      <b>${user.replace("[bot]", "")}</b>${bot ? html`<span class="bot">bot</span>` : ""}
      <a class="dim" href="#${id}">${ago(world, created)}</a
      >${updated > created && id !== "description" ? html`<span>· edited</span>` : ""}
    </div>
    <div class="body md">${raw(await renderMarkdown(text))}</div>
  </article>`;
}

function ending(world: World, issue: Issue): Html {
  const { pull } = issue;
  if (pull?.merged === true) {
    return html`<p class="event">
      ${dot("merged")} ${pull.mergedBy} merged this as <code>${pull.mergeCommitSha?.slice(0, 7)}</code> into
      <code>${pull.baseBranch}</code> ${ago(world, pull.mergedAt)}
    </p>`;
  }
  if (issue.state === "closed")
    return html`<p class="event">
      ${dot("closed")} ${issue.closedBy ?? "somebody"} closed this ${ago(world, issue.closedAt)}
    </p>`;
  return html``;
}
