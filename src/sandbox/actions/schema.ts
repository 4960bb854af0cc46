import { readFileSync } from "node:fs";
import { findPackageJSON } from "node:module";
import { dirname, join } from "node:path";
import { JSONObjectReader } from "@actions/workflow-parser/templates/json-object-reader";
import { TemplateSchema } from "@actions/workflow-parser/templates/schema/index";

/*
 * GitHub's own description of the syntax of workflow and action files. The package's entry point imports these JSON
 * files without the attribute that Node asks for, so it loads only when bundled. Its modules underneath do load, and
 * the descriptions are read here as the files that they are. That also lets us mend and extend them.
 */

interface Description {
  definitions: Record<string, Definition>;
}

interface Definition {
  mapping?: { properties?: Record<string, unknown> };
  string?: { constant?: string };
  "allowed-values"?: string[];
}

function description(file: string): Description {
  const manifest = findPackageJSON("@actions/workflow-parser", import.meta.url);
  if (manifest === undefined) throw new Error("the package @actions/workflow-parser is not installed");
  return JSON.parse(readFileSync(join(dirname(manifest), "dist", file), "utf8")) as Description;
}

const compile = (source: Description): TemplateSchema =>
  TemplateSchema.load(new JSONObjectReader(undefined, JSON.stringify(source)));

let workflow: TemplateSchema | undefined;
let action: TemplateSchema | undefined;

/** The syntax of workflow files; the root is `workflow-root-strict`. */
export function workflowSchema(): TemplateSchema {
  if (workflow === undefined) {
    const source = description("workflow-v1.0.min.json");
    const { definitions } = source;
    // `cache-mode` (GA in September 2026) is younger than the description.
    definitions["cache-mode"] = { "allowed-values": ["read", "write", "write-only", "none"] };
    for (const name of ["workflow-root-strict", "job-factory"]) {
      const properties = definitions[name]?.mapping?.properties;
      if (properties !== undefined) properties["cache-mode"] = "cache-mode";
    }
    // As published, `on: repository_dispatch` would have to be written `on: branch_protection_rule`.
    const dispatch = definitions["repository-dispatch-string"]?.string;
    if (dispatch !== undefined) dispatch.constant = "repository_dispatch";
    workflow = compile(source);
  }
  return workflow;
}

/** The syntax of `action.yml`; the root is `action-root-strict`. */
export function actionSchema(): TemplateSchema {
  action ??= compile(description("action-v1.0.min.json"));
  return action;
}
