/**
 * Writes what is generated from a source of truth: JSON Schemas (from zod) under schemas/, and the tables in the
 * actions' READMEs (from action.yml). With --check it writes nothing and fails where a file is not what it would be.
 */
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import {
  dataLockSchema,
  modelLockSchema,
  modelSchema,
  pipelineEditorSchema,
  resultSchema,
  runRecordSchema,
  settingsSchema,
  stageRecordSchema,
} from "../src/config/index.ts";
import { digest, path, stageKey } from "../src/config/fields.ts";

const ROOT = join(import.meta.dirname, "..");
const WORKFLOW_OF: Record<string, string> = {
  run: "lockstep-experiment.yml",
  report: "lockstep-report.yml",
  promote: "lockstep-promote.yml",
  deploy: "lockstep-promote.yml",
  drift: "lockstep-drift.yml",
};

const SCHEMAS = {
  settings: [settingsSchema, "`.github/lockstep.yml`"],
  pipeline: [pipelineEditorSchema, "`pipelines/<name>.yaml`"],
  model: [modelSchema, "`models/<name>/model.yaml`"],
  "data-lock": [dataLockSchema, "`data.lock.json`"],
  "model-lock": [modelLockSchema, "`models/<name>/lock.json`"],
  "stage-record": [stageRecordSchema, "`stages/<xx>/<key>.json` on the records branch"],
  "run-record": [runRecordSchema, "`runs/<commit>/<pipeline>.json` on the records branch"],
  result: [resultSchema, "`lockstep-result.json`, the artifact of an experiment"],
} as const;

/** What code checks in zod, in JSON Schema's words. */
const STRINGS = new Map<unknown, string>([
  [digest, "^sha256:[0-9a-f]{64}$"],
  [stageKey, "^[0-9a-f]{64}$"],
  [path, "^(?![A-Za-z]:)(?!\\.{1,2}(/|$))[^/\\\\]+(/(?!\\.{1,2}(/|$))[^/\\\\]+)*$"],
]);

function schemaText(name: keyof typeof SCHEMAS): string {
  const [schema, title] = SCHEMAS[name];
  const json = z.toJSONSchema(schema, {
    unrepresentable: "any",
    io: "input",
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema._zod.def.type !== "custom") return;
      jsonSchema.type = "string";
      const pattern = STRINGS.get(zodSchema);
      if (pattern !== undefined) jsonSchema.pattern = pattern;
    },
  });
  return `${JSON.stringify({ ...json, title }, null, 2)}\n`;
}

interface ActionFile {
  readonly name: string;
  readonly description: string;
  readonly inputs?: Record<string, { description: string; default?: string }>;
  readonly outputs?: Record<string, { description: string }>;
}

interface WorkflowFile {
  readonly jobs: Record<string, { permissions?: Record<string, string>; steps: { uses?: string }[] }>;
}

function actionReadme(name: string): string {
  const action = parse(read(`actions/${name}/action.yml`)) as ActionFile;
  const file = WORKFLOW_OF[name] ?? "";
  const text = read(`.github/workflows/${file}`);
  const job = Object.values((parse(text) as WorkflowFile).jobs).find((candidate) =>
    candidate.steps.some((step) => step.uses?.includes(`/actions/${name}@`)),
  );
  const permissions = Object.entries(job?.permissions ?? {}).map(([right, level]) => {
    const reason = new RegExp(`^ +${right}: ${level} # (.+)$`, "m").exec(text)?.[1] ?? "";
    return [`\`${right}: ${level}\``, reason];
  });
  return [
    `# ${action.name}`,
    action.description,
    `Made by \`npm run generate\` from [action.yml](action.yml) and [${file}](../../.github/workflows/${file}).`,
    "## Inputs",
    table(
      ["input", "default", "what"],
      Object.entries(action.inputs ?? {}).map(([key, input]) => [
        `\`${key}\``,
        input.default === undefined || input.default === "" ? "" : `\`${input.default}\``,
        input.description,
      ]),
    ),
    "## Outputs",
    table(
      ["output", "what"],
      Object.entries(action.outputs ?? {}).map(([key, output]) => [`\`${key}\``, output.description]),
    ),
    "## Least permissions",
    table(["permission", "what for"], permissions),
    "",
  ].join("\n\n");
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function read(file: string): string {
  return readFileSync(join(ROOT, file), "utf8");
}

const wanted = new Map<string, string>([
  ...(Object.keys(SCHEMAS) as (keyof typeof SCHEMAS)[]).map((name): [string, string] => [
    `schemas/${name}.schema.json`,
    schemaText(name),
  ]),
  ...Object.keys(WORKFLOW_OF).map((name): [string, string] => [`actions/${name}/README.md`, actionReadme(name)]),
]);

mkdirSync(join(ROOT, "schemas"), { recursive: true });
const stray = readdirSync(join(ROOT, "schemas")).filter((file) => !wanted.has(`schemas/${file}`));
if (process.argv.includes("--check")) {
  const there = (path: string): string => {
    try {
      return read(path);
    } catch {
      return "";
    }
  };
  const wrong = [...wanted].filter(([path, text]) => there(path) !== text).map(([path]) => path);
  wrong.push(...stray.map((file) => `schemas/${file} (nothing generates it)`));
  if (wrong.length > 0) {
    process.stderr.write(`not as \`npm run generate\` writes it:\n${wrong.map((path) => `  ${path}\n`).join("")}`);
    process.exitCode = 1;
  }
} else {
  for (const [path, text] of wanted) writeFileSync(join(ROOT, path), text);
  for (const file of stray) rmSync(join(ROOT, "schemas", file));
}
