import { name } from "../../config/fields.ts";
import { parseConfig, settingsSchema } from "../../config/index.ts";
import { fail, ok } from "../../core/index.ts";
import type { Result } from "../../core/index.ts";
import type { Source } from "../../git/index.ts";
import type { Pipeline } from "../stage.ts";
import { LIMITS } from "./limits.ts";
import { readTemplate } from "./template.ts";
import { MADE_BY, workflowText } from "./workflow.ts";

const SETTINGS = ".github/lockstep.yml";

/** A pipeline's workflow as it should be, beside what is there. */
export interface Compiled {
  readonly pipeline: string;
  /** Path of the workflow file. */
  readonly file: string;
  readonly text: string;
  /** The file's text now; undefined: there is none. */
  readonly before: string | undefined;
}

/**
 * Makes the workflow of a pipeline. A file of that name which `compile` did not write is a `usage` failure: it is
 * somebody's own.
 * @param fallback the experiment workflow that Lockstep brings, for a repository without one
 */
export async function compile(source: Source, pipeline: Pipeline, fallback: string): Promise<Result<Compiled>> {
  const file = workflowFile(pipeline.name);
  if (!name.safeParse(pipeline.name).success) {
    const message = `"${pipeline.name}" cannot name a workflow: a name is letters, digits, _ . -`;
    return fail({ code: "usage", message, hint: "rename the pipeline's file" });
  }
  const before = await source.read(file);
  if (!before.ok) return before;
  if (before.value !== undefined && !isCompiled(before.value)) {
    const message = `${file} is there, and \`lockstep compile\` did not write it`;
    return fail({ code: "usage", message, hint: `rename the file, or the pipeline "${pipeline.name}"` });
  }
  const template = await readTemplate(source, fallback);
  if (!template.ok) return template;
  const settings = await source.read(SETTINGS);
  if (!settings.ok) return settings;
  const parsed = settings.value && parseConfig(SETTINGS, settings.value.toString(), settingsSchema);
  if (parsed?.ok === false) return parsed;
  const text = workflowText(pipeline, { template: template.value, runners: parsed?.value.value.runners });
  if (!text.ok) return text;
  const size = Buffer.byteLength(text.value);
  if (size > LIMITS.file) {
    const message = `the workflow of pipeline "${pipeline.name}" has ${size} bytes; GitHub takes ${LIMITS.file}`;
    return fail({ code: "usage", message, hint: "make two pipelines of it, or leave it to the experiment's one job" });
  }
  return ok({ pipeline: pipeline.name, file, text: text.value, before: before.value?.toString("utf8") });
}

/** True when a pipeline has a compiled workflow in a tree: the experiment leaves it to that. */
export async function hasWorkflow(source: Source, pipeline: string): Promise<Result<boolean>> {
  const text = await source.read(workflowFile(pipeline));
  return text.ok ? ok(text.value !== undefined && isCompiled(text.value)) : text;
}

function workflowFile(pipeline: string): string {
  return `.github/workflows/lockstep-${pipeline}.yml`;
}

function isCompiled(text: Buffer): boolean {
  return text.subarray(0, MADE_BY.length).toString() === MADE_BY;
}
