import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ok } from "../../src/core/index.ts";
import type { Result } from "../../src/core/index.ts";
import { publishProgress, publishReport, watchProgress } from "../../src/report/index.ts";
import type { Published } from "../../src/report/index.ts";
import { flag, refreshes, secret, text } from "../lib/inputs.ts";
import { prepareToSend, sendFolder } from "../lib/parcels.ts";
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
  const inputs = action.inputs({ "github-token": secret, "bot-login": text, progress: refreshes, watch: flag });
  if (!inputs.ok) return inputs;
  const payload = action.event(event);
  if (!payload.ok) return payload;
  const { action: happened, workflow_run: run } = payload.value;
  const { "github-token": token, "bot-login": login, progress: every, watch } = inputs.value;
  const forGit = await action.withGit(token);
  if (!forGit.ok) return forGit;
  const github = action.github(token, login);
  const about = {
    ...action.defaults,
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
  };
  if (watch) {
    if (every === null) return ok();
    const ended = await watchProgress(forGit.value, github, { ...about, every });
    if (ended.ok) action.context.emit({ type: "note", message: `No more is told: ${ended.value}.` });
    return ended;
  }
  const tell = async (published: Published): Promise<Result<unknown>> => {
    action.output("verdict", published.verdict);
    action.output("comment-url", published.commentUrl ?? "");
    if (published.markdown !== "") await action.summary(published.markdown);
    return ok();
  };
  if (happened === "in_progress") {
    const begun = await publishProgress(forGit.value, github, about);
    if (!begun.ok) return begun;
    const { expected, commentUrl } = begun.value;
    // What is over by the second refresh at the latest is not worth a runner.
    const long = every !== null && commentUrl !== null && (expected === null || expected > 2 * every);
    action.output("long", String(long));
    return tell(begun.value);
  }
  prepareToSend();
  const keepPage = async (html: string): Promise<Result<string>> => {
    const folder = join(action.temp, PAGE);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "report.html"), html);
    const sent = await sendFolder(PAGE, folder);
    // GitHub's page of an artifact is its download.
    return sent.ok ? ok(sent.value === undefined ? action.runUrl : `${action.runUrl}/artifacts/${sent.value}`) : sent;
  };
  const published = await publishReport(forGit.value, github, { ...about, keepPage });
  return published.ok ? tell(published.value) : published;
});
