import { z } from "zod";
import { conform, readYaml } from "../../config/index.ts";
import { fail, ok } from "../../core/index.ts";
import type { Result } from "../../core/index.ts";
import type { Source } from "../../git/index.ts";

/** Workflow whose steps the compiled ones take over: what is installed there is installed in every stage's job. */
export const EXPERIMENT = ".github/workflows/lockstep-experiment.yml";

type Step = Readonly<Record<string, unknown>>;

/** What a compiled workflow has from the experiment's. */
export interface Template {
  /** Name that the report workflow listens to. */
  readonly name: string;
  readonly env: Step;
  /** Before the step that runs: checkout, Node, whatever the pipelines need. */
  readonly setup: readonly Step[];
  /** The step with the `run` action, as the team pins it. */
  readonly run: Step;
}

const step = z.record(z.string(), z.unknown());
const workflow = z.looseObject({
  name: z.string().default("Lockstep experiment"),
  env: step.default({}),
  jobs: z.record(z.string(), z.looseObject({ steps: z.array(step).default([]) })),
});

/**
 * Reads the repository's own experiment workflow, or the one that Lockstep brings (`fallback`) where there is none.
 */
export async function readTemplate(source: Source, fallback: string): Promise<Result<Template>> {
  const own = await source.read(EXPERIMENT);
  if (!own.ok) return own;
  const read = readYaml(EXPERIMENT, own.value?.toString("utf8") ?? fallback);
  if (!read.ok) return read;
  const { at } = read.value;
  const file = conform(read.value.value, workflow, at);
  if (!file.ok) return file;
  const { name, env, jobs } = file.value;
  for (const { steps } of Object.values(jobs)) {
    const index = steps.findIndex(({ uses }) => /\/actions\/run(@|$)/.test(String(uses)));
    if (index >= 0) return ok({ name, env, setup: steps.slice(0, index), run: steps[index]! });
  }
  const hint = "`lockstep init` writes one where there is none";
  return fail({ code: "file-invalid", at: at(["jobs"], { key: true }), problem: "no step uses actions/run", hint });
}

/** The steps that bring the code, without what only stages need. */
export function checkoutOf({ setup }: Template): readonly Step[] {
  return setup.filter(({ uses }) => String(uses).startsWith("actions/checkout@"));
}
