import { html, raw } from "hono/html";
import type { Issue } from "../model.ts";
import type { Repository, World } from "../world.ts";
import { conversation, heading, stateOf } from "./conversation.ts";
import { ago, dot, slug } from "./layout.ts";
import type { Html } from "./layout.ts";
import { renderMarkdown } from "./markdown.ts";

/** Issues or pull requests, open ones first, newest first. */
export function issueList(world: World, repository: Repository, pulls: boolean): Html {
  const entries = repository.issues
    .filter((issue) => (issue.pull !== undefined) === pulls)
    .sort((a, b) => (a.state === b.state ? b.number - a.number : a.state === "open" ? -1 : 1));
  if (entries.length === 0) return html`<p class="empty">No ${pulls ? "pull requests" : "issues"} yet.</p>`;
  return html`<ul class="list">
    ${entries.map((issue) => row(world, repository, issue))}
  </ul>`;
}

function row(world: World, repository: Repository, issue: Issue): Html {
  const count = repository.comments.filter((comment) => comment.issue === issue.number).length;
  const path = issue.pull === undefined ? "issues" : "pull";
  return html`<li>
    ${dot(stateOf(issue))}<span class="grow"
      ><a class="title" href="/${slug(repository)}/${path}/${issue.number}">${issue.title}</a>
      ${issue.labels.map((label) => html`<span class="label">${label}</span> `)}<br /><span class="dim"
        >#${issue.number} by ${issue.user} ${ago(world, issue.createdAt)}</span
      ></span
    >${count === 0 ? "" : html`<span class="dim">💬 ${count}</span>`}
  </li>`;
}

export async function issuePage(world: World, repository: Repository, issue: Issue): Promise<Html> {
  return html`${heading(world, issue, html`<b>${issue.user}</b> opened this issue`)}${await conversation(world, repository, issue)}`;
}

export async function releaseList(world: World, repository: Repository): Promise<Html> {
  if (repository.releases.length === 0) return html`<p class="empty">No releases yet.</p>`;
  const newest = [...repository.releases].reverse();
  const boxes = newest.map(
    async (release) =>
      html`<article class="box">
        <div class="body">
          <h1>${release.name ?? release.tagName} ${release.draft ? html`<span class="label">draft</span>` : ""}</h1>
          <p class="dim">
            ${release.author} · <code>${release.tagName}</code> ·
            ${ago(world, release.publishedAt ?? release.createdAt)}
          </p>
          <div class="md">${raw(await renderMarkdown(release.body ?? ""))}</div>
          <h2>Assets</h2>
          <ul class="list">
            ${release.assets.map(
              (asset) =>
                html`<li>
                  <span class="grow"
                    ><a href="/${slug(repository)}/releases/download/${asset.id}/${asset.name}">${asset.name}</a
                    ><br /><code class="dim">${asset.digest ?? ""}</code></span
                  ><span class="dim">${size(asset.size)}</span>
                </li>`,
            )}
          </ul>
        </div>
      </article>`,
  );
  return html`${await Promise.all(boxes)}`;
}

export function deploymentList(world: World, repository: Repository): Html {
  if (repository.deployments.length === 0) return html`<p class="empty">Nothing has been deployed yet.</p>`;
  return html`<ul class="list">
    ${[...repository.deployments].reverse().map((deployment) => {
      const status = deployment.statuses.at(-1);
      const url = status?.environmentUrl ?? "";
      return html`<li>
        ${dot(status?.state ?? "queued")}<span class="grow"
          ><b>${deployment.environment}</b>
          <span class="dim"
            >${status?.state ?? "queued"} · ${deployment.description ?? ""} · ${ago(world, deployment.createdAt)}</span
          ><br />
          ${/^https?:\/\//.test(url) ? html`<a href="${url}">${url}</a> · ` : ""}<code
            >${deployment.sha.slice(0, 7)}</code
          >
          <span class="mono dim">${JSON.stringify(deployment.payload)}</span></span
        >
      </li>`;
    })}
  </ul>`;
}

export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
