import { convertOn } from "@actions/workflow-parser/model/converter/events";
import { handleTemplateTokenErrors } from "@actions/workflow-parser/model/converter/handle-errors";
import { convertJobs } from "@actions/workflow-parser/model/converter/jobs";
import { isString } from "@actions/workflow-parser/templates/tokens/type-guards";
import type { EventsConfig } from "@actions/workflow-parser/model/workflow-template";
import { failedIfAny, ok, type Result } from "../../core/index.ts";
import { readDispatchInputs, type DispatchInput } from "./dispatch.ts";
import { texts } from "./evaluate.ts";
import { literal, literalText } from "./literal.ts";
import type { PermissionSetting } from "./permissions.ts";
import { workflowSchema } from "./schema.ts";
import { readSteps, type StepTemplate } from "./steps.ts";
import { HAPPENING } from "./triggers.ts";
import { fields, TemplateFile, type Token } from "./template.ts";

export interface JobTemplate {
  readonly id: string;
  readonly token: Token;
  readonly name: Token | undefined;
  readonly needs: readonly string[];
  /** Expression without its braces; always has a status function in it. */
  readonly condition: string;
  readonly strategy: Token | undefined;
  readonly runsOn: Token | undefined;
  readonly timeoutMinutes: Token | undefined;
  readonly continueOnError: Token | undefined;
  readonly env: Token | undefined;
  readonly environment: Token | undefined;
  readonly permissions: PermissionSetting | undefined;
  readonly concurrency: Token | undefined;
  readonly outputs: Token | undefined;
  readonly defaults: Token | undefined;
  readonly cacheMode: string | undefined;
  readonly steps: readonly StepTemplate[];
}

/** A workflow file whose syntax holds. What may hold an expression is still a token. */
export interface Workflow {
  readonly path: string;
  readonly name: string;
  readonly runName: Token | undefined;
  readonly on: EventsConfig;
  /** Events of `on:` that never happen in the sandbox. */
  readonly silent: readonly string[];
  /** Of `on.workflow_dispatch`. */
  readonly inputs: ReadonlyMap<string, DispatchInput>;
  readonly env: Token | undefined;
  readonly defaults: Token | undefined;
  readonly permissions: PermissionSetting | undefined;
  readonly concurrency: Token | undefined;
  readonly cacheMode: string | undefined;
  readonly jobs: readonly JobTemplate[];
}

/** What the description allows and this executor does not do. */
const UNSUPPORTED_IN_JOB = new Map([
  ["container", "a job `container`"],
  ["services", "`services`"],
  ["snapshot", "`snapshot`"],
  ["uses", "calling a reusable workflow"],
  ["cancel-timeout-minutes", "`cancel-timeout-minutes`"],
]);

function permissions(token: Token | undefined): PermissionSetting | undefined {
  if (token === undefined) return undefined;
  if (isString(token)) return token.value === "write-all" ? "write-all" : "read-all";
  return texts(literal(token)) as PermissionSetting;
}

/** Reads a workflow file; what is wrong with it, or is not supported here, comes with file, line and column. */
export function parseWorkflowFile(path: string, source: string): Result<Workflow> {
  const file = new TemplateFile(path, source, workflowSchema(), "workflow-root-strict");
  const broken = failedIfAny(file.failures());
  if (broken !== undefined || file.root === undefined) return broken as NonNullable<typeof broken>;
  const { context, root } = file;
  const top = fields(root);
  const onToken = top.get("on") as Token;
  const on = handleTemplateTokenErrors(root, context, {} as EventsConfig, () => convertOn(context, onToken));
  const silent = Object.keys(on).filter((event) => !HAPPENING.has(event));
  if (silent.length > 0 && silent.length === Object.keys(on).length) {
    file.unsupported(onToken, `\`on: ${silent.join(", ")}\``);
  }
  const jobsToken = top.get("jobs") as Token;
  const converted = new Map(
    handleTemplateTokenErrors(root, context, [], () => convertJobs(context, jobsToken)).map((job) => [
      job.id.value,
      job,
    ]),
  );
  const jobs: JobTemplate[] = [];
  for (const [id, token] of fields(jobsToken)) {
    const job = fields(token);
    const known = converted.get(id);
    for (const [key, what] of UNSUPPORTED_IN_JOB) {
      const found = job.get(key);
      if (found !== undefined) file.unsupported(found, what);
    }
    jobs.push({
      id,
      token,
      name: job.get("name"),
      needs: known?.needs?.map((need) => need.value) ?? [],
      condition: known?.if.expression ?? "success()",
      strategy: job.get("strategy"),
      runsOn: job.get("runs-on"),
      timeoutMinutes: job.get("timeout-minutes"),
      continueOnError: job.get("continue-on-error"),
      env: job.get("env"),
      environment: job.get("environment"),
      permissions: permissions(job.get("permissions")),
      concurrency: job.get("concurrency"),
      outputs: job.get("outputs"),
      defaults: job.get("defaults"),
      cacheMode: literalText(job.get("cache-mode")),
      steps: readSteps(file, job.get("steps"), known?.type === "job" ? known.steps : []),
    });
  }
  const name = literalText(top.get("name"));
  return (
    failedIfAny(file.failures()) ??
    ok({
      path,
      name: name === undefined || name === "" ? path : name,
      runName: top.get("run-name"),
      on,
      silent,
      inputs: readDispatchInputs(onToken),
      env: top.get("env"),
      defaults: top.get("defaults"),
      permissions: permissions(top.get("permissions")),
      concurrency: top.get("concurrency"),
      cacheMode: literalText(top.get("cache-mode")),
      jobs,
    })
  );
}
