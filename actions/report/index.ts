import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ok } from "../../src/core/index.ts";
import { publishProgress, publishReport } from "../../src/report/index.ts";
import { secret, text } from "../lib/inputs.ts";
import { sendFolder } from "../lib/parcels.ts";
import { start } from "../lib/start.ts";

/** What is used of the event `workflow_run`. GitHub fills it in, not the pull request. */
const event = z.object({
  action: z.enum(["in_progress", "completed"]),
  workflow_run: z.object({
    id: z.number(),
    run_attempt: z.number(),
    html_url: z.string(),
    event: z.string(),
    path: z.string(),
    head_sha: z.string().regex(/^[0-9a-f]{40}$/),
    head_branch: z.string(),
    head_repository: z.object({ full_name: z.string() }),
    actor: z.object({ login: z.string() }),
    conclusion: z.string().nullable(),
    run_started_at: z.iso.datetime(),
  }),
});

/** The artifact with the whole report, of the run that reports. */
const PAGE = "lockstep-report";

await start(async (action) => {
  const inputs = action.inputs({ "github-token": secret, "bot-login": text });
  if (!inputs.ok) return inputs;
  const payload = action.event(event);
  if (!payload.ok) return payload;
  const { action: happened, workflow_run: run } = payload.value;
  const token = inputs.value["github-token"];
  const forGit = await action.withGit(token);
  if (!forGit.ok) return forGit;

  const publish = happened === "completed" ? publishReport : publishProgress;
  const published = await publish(forGit.value, action.github(token, inputs.value["bot-login"]), {
    ...action.defaults,
    keepPage: async (html) => {
      const folder = join(action.temp, PAGE);
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, "report.html"), html);
      const sent = await sendFolder(PAGE, folder);
      // GitHub's page of an artifact is its download.
      return sent.ok ? ok(sent.value === undefined ? action.runUrl : `${action.runUrl}/artifacts/${sent.value}`) : sent;
    },
    run: {
      id: run.id,
      attempt: run.run_attempt,
      url: run.html_url,
      event: run.event,
      workflow: run.path,
      headSha: run.head_sha,
      headBranch: run.head_branch,
      headRepository: run.head_repository.full_name,
      actor: run.actor.login,
      conclusion: run.conclusion,
      startedAt: run.run_started_at,
    },
  });
  if (!published.ok) return published;
  action.output("verdict", published.value.verdict);
  action.output("comment-url", published.value.commentUrl ?? "");
  if (published.value.markdown !== "") await action.summary(published.value.markdown);
  return ok();
});
