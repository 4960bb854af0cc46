import { isScalar } from "yaml";
import { z } from "zod";
import { conform, readDocument } from "../../config/index.ts";
import { fail, ok } from "../../core/index.ts";
import type { Result } from "../../core/index.ts";
import type { Source } from "../../git/index.ts";

/** Workflow whose steps the compiled ones take over: what is installed there is installed in every stage's job. */
export const EXPERIMENT = ".github/workflows/lockstep-experiment.yml";

type Fields = Readonly<Record<string, unknown>>;

/** What a compiled workflow has from the experiment's. */
export interface Template {
  /** Name that the report workflow listens to. */
  readonly name: string;
  readonly env: Fields;
  readonly jobEnv: Fields | undefined;
  readonly permissions: readonly { readonly right: string; readonly level: unknown; readonly reason: string }[];
  /** Before the step that runs: checkout, Node, whatever the pipelines need. */
  readonly setup: readonly Fields[];
  /** The step with the `run` action, as the team pins it. */
  readonly run: Fields;
}

const fields = z.record(z.string(), z.unknown());
const workflow = z.looseObject({
  name: z.string().default("Lockstep experiment"),
  env: fields.default({}),
  jobs: z.record(
    z.string(),
    z.looseObject({ env: fields.optional(), permissions: fields.default({}), steps: z.array(fields).default([]) }),
  ),
});

/** Reads the repository's own experiment workflow, or the one that Lockstep brings (`fallback`) where there is none. */
export async function readTemplate(source: Source, fallback: string): Promise<Result<Template>> {
  const own = await source.read(EXPERIMENT);
  if (!own.ok) return own;
  const read = readDocument(EXPERIMENT, own.value?.toString("utf8") ?? fallback, {});
  if (!read.ok) return read;
  const { document, at } = read.value;
  const file = conform(document.toJS({ maxAliasCount: 100 }), workflow, at);
  if (!file.ok) return file;
  const { name, env, jobs } = file.value;
  for (const [id, job] of Object.entries(jobs)) {
    const index = job.steps.findIndex(({ uses }) => /\/actions\/run(@|$)/.test(String(uses)));
    if (index < 0) continue;
    const permissions = Object.entries(job.permissions).map(([right, level]) => {
      const node = document.getIn(["jobs", id, "permissions", right], true);
      return { right, level, reason: (isScalar(node) && node.comment) || " as in the experiment's own workflow" };
    });
    const { steps } = job;
    return ok({ name, env, jobEnv: job.env, permissions, setup: steps.slice(0, index), run: steps[index]! });
  }
  const hint = "`lockstep init` writes one where there is none";
  return fail({ code: "file-invalid", at: at(["jobs"], { key: true }), problem: "no step uses actions/run", hint });
}

/** The steps that bring the code and the credentials, without the scripts that install what stages need. */
export function shortSetup({ setup }: Template): readonly Fields[] {
  return setup.filter((step) => !("run" in step));
}

/** All steps, the scripts only where an expression holds. */
export function setupWhere({ setup }: Template, expression: string): readonly Fields[] {
  return setup.map((step) => {
    if (!("run" in step)) return step;
    const { name, if: own, ...rest } = step;
    const plain = typeof own === "string" ? own.replace(/^\s*\$\{\{([\s\S]*)\}\}\s*$/, "$1").trim() : undefined;
    const condition = plain === undefined ? expression : `(${plain}) && ${expression}`;
    return { ...(name === undefined ? {} : { name }), if: condition, ...rest };
  });
}
