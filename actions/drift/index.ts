import { z } from "zod";
import { failedIfAny, ok } from "../../src/core/index.ts";
import type { Failure } from "../../src/core/index.ts";
import { workingTree } from "../../src/git/index.ts";
import { driftCheck } from "../../src/monitor/index.ts";
import type { DriftReport } from "../../src/monitor/index.ts";
import { liveModels } from "../../src/registry/index.ts";
import { names, secret, text } from "../lib/inputs.ts";
import { start } from "../lib/start.ts";

/** The event of a schedule says nothing of the repository; it runs on the default branch. */
const event = z.object({ repository: z.object({ default_branch: z.string() }).optional() });

await start(async (action) => {
  const inputs = action.inputs({ models: names, "github-token": secret, "bot-login": text });
  if (!inputs.ok) return inputs;
  const payload = action.event(event);
  if (!payload.ok) return payload;
  const branch = payload.value.repository?.default_branch ?? action.refName;
  const token = inputs.value["github-token"];
  const github = action.github(token, inputs.value["bot-login"]);
  const forGit = await action.withGit(token);
  if (!forGit.ok) return forGit;
  const models = await liveModels(workingTree(action.context), inputs.value.models);
  if (!models.ok) return models;

  const reports: DriftReport[] = [];
  const failures: Failure[] = [];
  for (const { model } of models.value) {
    const report = await driftCheck(forGit.value, github, { ...action.defaults, model: model.name, branch });
    if (report.ok) reports.push(report.value);
    else failures.push(...report.failures);
  }
  const open = reports.find(({ issue }) => issue !== null && issue.action !== "closed")?.issue;
  action.output("drifted", String(reports.some(({ state }) => state === "drifted")));
  action.output("issue", String(open?.number ?? ""));
  action.output("pull-request", String(reports.find(({ pullRequest }) => pullRequest)?.pullRequest?.number ?? ""));
  action.output("checks", JSON.stringify(reports.map((report) => ({ ...report, columns: undefined }))));
  for (const { model, state, rows, note } of reports) {
    const said = [`${model}: ${state}`, `${rows} rows`, ...(note === null ? [] : [note])].join("; ");
    action.context.emit({ type: "note", message: said });
  }
  return failedIfAny(failures) ?? ok();
});
