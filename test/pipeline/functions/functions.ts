import { message } from "../../../src/core/index.ts";
import type { RunOutcome } from "../../../src/pipeline/index.ts";
import { project } from "../project.ts";
import type { Project } from "../project.ts";

/** Three rows in, two tables out, a metric of them: two stages that are functions. */
const FUNCTIONS = {
  "params.yaml": "prepare: {share: 0.34, seed: 1}\n",
  "data/people.csv": 'id,name\n1,Ann\n2,"B, ob"\n3,Cy\n',
  "code/prepare.ts": `import { part } from "./lib/part.ts";
import type { Nobody } from "./nowhere.ts";

interface Person { readonly id: string; readonly name: string }

export function prepare({ people }: { people: Person[] }, params: { prepare: { share: number } }): object {
  console.log(\`\${people.length} people, \${JSON.stringify(params)}\`);
  const [few, rest] = part(people, params.prepare.share);
  return { few, rest: rest.map(({ id, name }) => ({ id: Number(id), name })) };
}
`,
  "code/lib/part.ts": `export const part = <T,>(list: T[], share: number): [T[], T[]] => {
  const at = Math.round(list.length * share);
  return [list.slice(0, at), list.slice(at)];
};
`,
  "code/count.mjs":
    "export const count = async ({ few, rest }) => ({ metrics: { few: few.length, ids: rest[0].id } });\n",
  "pipelines/demo.yaml": `stages:
  prepare:
    run: code/prepare.ts#prepare
    inputs: {people: data/people.csv}
    params: [prepare.share]
    outputs: {few: build/few.csv, rest: {path: build/rest.parquet}}
  count:
    run: code/count.mjs#count
    inputs: {few: build/few.csv, rest: build/rest.parquet}
    outputs: {metrics: {path: build/metrics.json, use: metric}}
`,
};

export function functions(files: Readonly<Record<string, string>> = {}): Project {
  return project({ ...FUNCTIONS, ...files });
}

/** One stage whose function has this body, told what it takes and gives. */
export function body(
  text: string,
  fields = "outputs: {x: build/x.json}",
  more: Readonly<Record<string, string>> = {},
): Project {
  return project({
    "code/a.ts": `export async function a(inputs: any): Promise<any> {\n  ${text}\n}\n`,
    "pipelines/demo.yaml": `stages:\n  a: {run: code/a.ts#a, ${fields}}\n`,
    ...more,
  });
}

export function said({ failures }: RunOutcome): string[] {
  return failures.map((failure) => {
    const at =
      "at" in failure && failure.at !== undefined ? `${failure.at.file}:${failure.at.line}:${failure.at.column} ` : "";
    return `${at}${message(failure)}${failure.hint === undefined ? "" : ` (${failure.hint})`}`;
  });
}
