import { html, raw } from "hono/html";
import type { Job, Repository, WorkflowRun, World } from "../world.ts";
import { ago, dot, slug, took } from "./layout.ts";
import type { Html } from "./layout.ts";
import { renderMarkdown } from "./markdown.ts";

export function runList(world: World, repository: Repository): Html {
  if (repository.runs.length === 0) return html`<p class="empty">No workflow has run yet.</p>`;
  return html`<ul class="list">
    ${[...repository.runs].reverse().map(
      (run) =>
        html`<li>
          ${dot(run.conclusion ?? run.status)}<span class="grow"
            ><a class="title" href="/${slug(repository)}/actions/runs/${run.id}">${run.name} #${run.runNumber}</a><br />
            <span class="dim"
              >${run.event} · <code>${run.headBranch}</code> <code>${run.headSha.slice(0, 7)}</code> ·
              ${run.actor}</span
            ></span
          >
          <span class="dim"
            >${ago(world, run.createdAt)}<br />${took(run.createdAt, run.status === "completed" ? run.updatedAt : null)}</span
          >
        </li>`,
    )}
  </ul>`;
}

/** One run: its jobs, their summaries and annotations, each step with its log. */
export async function runPage(world: World, repository: Repository, run: WorkflowRun): Promise<Html> {
  const jobs = await Promise.all(run.jobs.map(jobBox));
  return html`<h1>${dot(run.conclusion ?? run.status)} ${run.name} <small>#${run.runNumber}</small></h1>
    <p class="dim">
      ${run.event} · <code>${run.headBranch}</code> <code>${run.sha.slice(0, 7)}</code> · ${run.actor} ·
      ${ago(world, run.createdAt)} · attempt ${run.attempt} · <code>${run.path}</code>
    </p>
    ${run.status === "action_required" ? html`<form method="post" action="/_sandbox/page/${slug(repository)}/actions/runs/${run.id}/approve"><button class="primary">Approve and run</button></form>` : ""}
    ${jobs}`;
}

async function jobBox(job: Job): Promise<Html> {
  const summaries = job.steps.map((step) => step.summary).filter((summary) => summary !== "");
  const permissions = Object.entries(job.permissions).filter(([, level]) => level !== "none");
  return html`<section class="box">
    <div class="head">
      ${dot(job.conclusion ?? job.status)}<b>${job.name}</b> ${took(job.startedAt, job.completedAt)}
      <span
        >· token:
        ${permissions.length === 0 ? "no rights" : permissions.map(([name, level]) => `${name}: ${level}`).join(", ")}</span
      >
    </div>
    <div class="body">
      ${job.annotations.map(
        (note) =>
          html`<div
            class="alert alert-${note.level === "failure" ? "caution" : note.level === "warning" ? "warning" : "note"}"
          >
            <p class="alert-title">${note.title ?? note.level}</p>
            <p>${note.file === undefined ? "" : html`<code>${note.file}:${note.line ?? 1}</code> `}${note.message}</p>
          </div>`,
      )}
      ${job.steps.map(
        (step) =>
          html`<details class="log" ${step.conclusion === "failure" ? raw("open") : ""}>
            <summary>
              ${dot(step.conclusion ?? step.status)} ${step.name}<span class="ms"
                >${took(step.startedAt, step.completedAt)}</span
              >
            </summary>
            <pre class="log">${step.log === "" ? "(no output)" : step.log}</pre>
          </details>`,
      )}
      ${await Promise.all(
        summaries.map(
          async (summary) =>
            html`<h2>Summary</h2>
              <div class="md">${raw(await renderMarkdown(summary))}</div>`,
        ),
      )}
    </div>
  </section>`;
}
