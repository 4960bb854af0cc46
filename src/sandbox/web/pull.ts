import { html } from "hono/html";
import type { Issue, Pull } from "../model.ts";
import type { Repository, World } from "../world.ts";
import { conversation, heading } from "./conversation.ts";
import { commitsBetween, diffBetween } from "./git.ts";
import type { CommitLine } from "./git.ts";
import { ago, dot, slug } from "./layout.ts";
import type { Html } from "./layout.ts";

/** A pull request on one page: what it proposes, what was said, what the machines found, what it changes. */
export async function pullPage(world: World, repository: Repository, issue: Issue, pull: Pull): Promise<Html> {
  const [commits, diff] = await Promise.all([
    commitsBetween(repository, pull.baseSha, pull.headSha),
    diffBetween(repository, pull.baseSha, pull.headSha),
  ]);
  const fork = pull.headRepository === slug(repository) ? "" : `${pull.headRepository.split("/")[0]}:`;
  const verb = pull.merged ? "merged" : "wants to merge";
  const sentence = html`<b>${pull.merged ? pull.mergedBy : issue.user}</b> ${verb} ${commits.length}
    commit${commits.length === 1 ? "" : "s"} into <code>${pull.baseBranch}</code> from
    <code>${fork}${pull.headBranch}</code>`;
  return html`${heading(world, issue, sentence)}
    <div class="columns">
      <div class="wide">
        ${await conversation(world, repository, issue)} ${checks(world, repository, issue, pull)}
        <h2 id="commits">Commits</h2>
        ${commitList(world, commits)}
        <h2 id="files">Files changed</h2>
        ${diffBox(diff)}
      </div>
      <aside>
        <section>
          <h3>Labels</h3>
          ${issue.labels.length === 0 ? "none" : issue.labels.map((label) => html`<span class="label">${label}</span> `)}
        </section>
        <section>
          <h3>On this page</h3>
          <a href="#checks">Checks</a><br /><a href="#commits">Commits</a><br /><a href="#files">Files changed</a>
        </section>
      </aside>
    </div>`;
}

function checks(world: World, repository: Repository, issue: Issue, pull: Pull): Html {
  const base = `/${slug(repository)}`;
  const jobs = repository.runs
    .filter((run) => run.headSha === pull.headSha && run.event.startsWith("pull_request"))
    .flatMap((run) =>
      run.jobs.length === 0
        ? [{ name: run.name, state: run.conclusion ?? run.status, href: `${base}/actions/runs/${run.id}` }]
        : run.jobs.map((job) => ({
            name: `${run.name} / ${job.name}`,
            state: job.conclusion ?? job.status,
            href: `${base}/actions/runs/${run.id}`,
          })),
    );
  const made = repository.checkRuns
    .filter((check) => check.headSha === pull.headSha)
    .map((check) => ({
      name: `${check.name}: ${check.output.title ?? ""}`,
      state: check.conclusion ?? check.status,
      href: check.detailsUrl ?? "",
    }));
  const latest = new Map(
    repository.statuses.filter((status) => status.sha === pull.headSha).map((status) => [status.context, status]),
  );
  const statuses = [...latest.values()].map((status) => ({
    name: `${status.context}: ${status.description ?? ""}`,
    state: status.state,
    href: status.targetUrl ?? "",
  }));
  const entries = [...jobs, ...made, ...statuses];
  const waiting = entries.some((entry) => entry.state === "action_required");
  return html`<section class="box" id="checks">
    <div class="head">
      <b>Checks</b>
      ${entries.length === 0 ? "none yet" : `${entries.filter((entry) => entry.state === "success").length} of ${entries.length} successful`}
    </div>
    <ul class="list" style="border:0;margin:0">
      ${entries.map((entry) => html`<li>${dot(entry.state)}<span class="grow">${link(entry.href, entry.name)}</span></li>`)}
    </ul>
    <div class="body">
      ${waiting ? button(`${base}/pull/${issue.number}/approve`, "Approve workflows to run", false) : ""}
      ${mergeBox(base, issue, pull)}
    </div>
  </section>`;
}

/** A link only where it leads into the web: a check's URL comes from a job and could be anything. */
function link(href: string, text: string): Html {
  return /^(https?:\/\/|\/)/.test(href) ? html`<a href="${href}">${text}</a>` : html`${text}`;
}

function mergeBox(base: string, issue: Issue, pull: Pull): Html {
  if (issue.state === "closed") return html``;
  if (!pull.mergeable) return html`<p>${dot("failure")} This branch has conflicts that must be resolved.</p>`;
  return button(`${base}/pull/${issue.number}/merge`, "Merge pull request", true);
}

function button(action: string, text: string, primary: boolean): Html {
  return html`<form method="post" action="/_sandbox/page${action}" style="display:inline">
    <button class="${primary ? "primary" : ""}">${text}</button>
  </form> `;
}

export function commitList(world: World, commits: readonly CommitLine[]): Html {
  if (commits.length === 0) return html`<p class="empty">No commits.</p>`;
  return html`<ul class="list">
    ${commits.map(
      (commit) =>
        html`<li>
          <span class="grow"
            >${commit.subject} <span class="dim">· ${commit.author} ${ago(world, commit.date)}</span></span
          ><code>${commit.sha.slice(0, 7)}</code>
        </li>`,
    )}
  </ul>`;
}

function diffBox(diff: string): Html {
  if (diff === "") return html`<p class="empty">Nothing changed.</p>`;
  const kind = (line: string): string =>
    line.startsWith("@@") ? "hunk" : /^\+(?!\+\+)/.test(line) ? "add" : /^-(?!--)/.test(line) ? "del" : "";
  return html`<pre class="file diff">
${diff.split("\n").map((line) => html`<span class="${kind(line)}">${line} </span>`)}</pre>`;
}
