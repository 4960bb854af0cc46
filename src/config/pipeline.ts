import { z } from "zod";
import { name } from "./fields.ts";

/** Relative to the stage's `wdir`, or to the file's folder; `..` may lead through the repository, not out of it. */
const path = z.string().min(1);
const annotation = {
  desc: z.string().optional(),
  type: z.string().optional(),
  labels: z.array(z.string()).optional(),
  meta: z.unknown().optional(),
};
/** DVC's output flags; `cache: false` keeps an output in git instead of the store. */
const flags = {
  cache: z.boolean().optional(),
  persist: z.boolean().optional(),
  remote: z.string().optional(),
  push: z.boolean().optional(),
  ...annotation,
};
const plotFields = { x_label: z.string().optional(), y_label: z.string().optional(), title: z.string().optional() };
const output = z.union([path, z.record(path, z.strictObject(flags))]);
const plotOutput = z.union([
  path,
  z.record(
    path,
    z.strictObject({
      ...flags,
      ...plotFields,
      template: z.string().optional(),
      x: z.string().optional(),
      y: z.string().optional(),
      header: z.boolean().optional(),
    }),
  ),
]);
const duration = z.string().regex(/^\d+(\.\d+)?(s|m|h|d)$/, "a duration is a number and s, m, h or d, as in 90s or 2h");

/** How the engine reads what a function takes and writes what it returns; else the path's ending says. */
const format = z.enum(["csv", "json", "jsonl", "parquet", "text", "bytes", "files"]);
export type DataFormat = z.infer<typeof format>;
const use = z.enum(["out", "metric", "plot", "predictions", "profile", "checks"]);
/** As a member of an object is written in code, so that functions can take it apart. */
const identifier = z.string().regex(/^[A-Za-z_$][\w$]*$/, "a name as in code: letters, digits, _ and $");
const functionInput = z.union([path, z.strictObject({ path, format: format.optional() })]);
const functionOutput = z.union([
  path,
  z.strictObject({
    path,
    format: format.optional(),
    use: use.optional(),
    cache: z.boolean().optional(),
    persist: z.boolean().optional(),
  }),
]);

/** A shell command, or several that run in turn. */
const commands = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);

/** One stage, its expressions filled in. Fields and meanings are DVC's; `env` and everything below it are additions. */
export const stageSchema = z.strictObject({
  /** This or `run`. */
  cmd: commands.optional(),
  /** An exported function, `path/file.ts#name`, that takes `inputs` and `params` and returns `outputs`. */
  run: z
    .string()
    .regex(/^[^#]+\.(ts|mts|js|mjs)#[A-Za-z_$][\w$]*$/, "a function is named file#export, as in prepare.ts#prepare")
    .optional(),
  inputs: z.record(identifier, functionInput).optional(),
  outputs: z.record(identifier, functionOutput).optional(),
  wdir: path.optional(),
  deps: z.array(path).optional(),
  /** `key` in params.yaml, or `{file: [keys]}`; no keys (null or []) means the whole file. */
  params: z.array(z.union([z.string().min(1), z.record(path, z.array(z.string()).nullable())])).optional(),
  outs: z.array(output).optional(),
  metrics: z.array(output).optional(),
  plots: z.array(plotOutput).optional(),
  frozen: z.boolean().optional(),
  always_changed: z.boolean().optional(),
  desc: z.string().optional(),
  meta: z.unknown().optional(),
  /** What of the environment enters the key. */
  env: z
    .strictObject({
      files: z.array(path).optional(),
      vars: z.array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/)).optional(),
      image: z.string().optional(),
    })
    .optional(),
  "runs-on": z.union([z.string(), z.array(z.string())]).optional(),
  gpu: z.number().int().min(0).optional(),
  /** What a stage takes of the machine it runs on, besides `gpu`: `cpu`, or any name. */
  resources: z.record(name, z.number().int().min(1)).optional(),
  timeout: duration.optional(),
  retry: z.number().int().min(0).max(10).optional(),
  /** A folder with what the stage needs to go on after it was ended too early; stored every so often (10m). */
  checkpoint: z.union([path, z.strictObject({ path, every: duration.optional() })]).optional(),
  /** Commands right before and after it, where it runs. */
  hooks: z.strictObject({ before: commands.optional(), after: commands.optional() }).optional(),
  /** A CSV with one row per example of the evaluation; an output. */
  predictions: path.optional(),
  /** A CSV of model inputs and predictions as of training; an output, sketched into the reference profile. */
  profile: path.optional(),
  /** JSON with the results of data checks, `{checks: [{name, passed, found}]}`; an output that gates may name. */
  checks: path.optional(),
});
export type StageConfig = z.infer<typeof stageSchema>;

/** Parameter files (`file` or `file:key,key`) and dictionaries whose members `${...}` may name. */
const vars = z.array(z.union([z.string().min(1), z.record(z.string(), z.json())]));
const plotAxis = z.union([
  z.string(),
  z.array(z.string()),
  z.record(z.string(), z.union([z.string(), z.array(z.string())])),
]);
const plot = z.strictObject({
  ...plotFields,
  template: z.string().optional(),
  x: plotAxis.optional(),
  y: plotAxis.optional(),
});
/** Plots beside the stages, as DVC has them: files, or names with what is drawn. */
export const topPlotsSchema = z.array(z.union([z.string(), z.record(z.string(), plot.nullable())]));
const topLevel = {
  version: z.literal(1).optional(),
  vars: vars.optional(),
  params: z.array(z.string()).optional(),
  metrics: z.array(z.string()).optional(),
  plots: topPlotsSchema.optional(),
  artifacts: z.record(z.string(), z.strictObject({ path: z.string(), ...annotation })).optional(),
  datasets: z.array(z.unknown()).optional(),
  /** Commands around a run of the pipeline, and around each stage of the file. */
  hooks: z
    .strictObject({
      before_run: commands.optional(),
      after_run: commands.optional(),
      before_stage: commands.optional(),
      after_stage: commands.optional(),
    })
    .optional(),
};
const stageName = z
  .string()
  .regex(/^[^\p{C}/:@\\]{1,100}$/u, "a stage's name has at most 100 characters, and none of / : @ \\");

/** A pipeline file before its expressions are filled in: what a stage holds is judged when they are. */
export const pipelineSchema = z.strictObject({
  ...topLevel,
  stages: z.record(stageName, z.record(z.string(), z.json())).optional(),
});
export type PipelineConfig = z.infer<typeof pipelineSchema>;

const expression = z.string().regex(/\$\{/);
const fillable = Object.fromEntries(
  Object.entries(stageSchema.shape).map(([field, schema]) => [
    field,
    z.union([schema.unwrap(), expression]).optional(),
  ]),
);
const template = { ...fillable, vars: vars.optional() };
const matrix = z.record(z.string(), z.union([expression, z.array(z.json())]));

/** The same as an editor should know it: every field of a stage, of `foreach` and of `matrix`. */
export const pipelineEditorSchema = z.strictObject({
  ...topLevel,
  stages: z.record(
    name,
    z.union([
      z.strictObject({ ...template, matrix: matrix.optional() }),
      z.strictObject({
        foreach: z.union([expression, z.array(z.json()), z.record(z.string(), z.json())]),
        do: z.strictObject(template),
      }),
    ]),
  ),
});
