import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { parseConfig, settingsSchema } from "../../src/config/index.ts";
import type { Location, RelativePath } from "../../src/core/index.ts";
import { workingTree } from "../../src/git/index.ts";
import { compile, loadPipeline } from "../../src/pipeline/index.ts";
import { jobsOf } from "../../src/pipeline/compile/jobs.ts";
import { LIMITS } from "../../src/pipeline/compile/limits.ts";
import { EXPERIMENT } from "../../src/pipeline/compile/template.ts";
import { workflowText } from "../../src/pipeline/compile/workflow.ts";
import type { Pipeline, Stage } from "../../src/pipeline/stage.ts";
import { evaluateToken } from "../../src/sandbox/actions/evaluate.ts";
import type { Contexts } from "../../src/sandbox/actions/evaluate.ts";
import { expandMatrix } from "../../src/sandbox/actions/matrix.ts";
import { parseWorkflowFile } from "../../src/sandbox/actions/workflow.ts";
import type { JobTemplate } from "../../src/sandbox/actions/workflow.ts";
import { contextIn, write } from "../git/repository.ts";
import { value } from "../helpers/value.ts";
import { CHAIN_FILES, project } from "./project.ts";
import type { Project } from "./project.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const EXPERIMENT_TEXT = readFileSync(join(ROOT, EXPERIMENT), "utf8");
const TEMPLATE = {
  name: "Lockstep experiment",
  env: {},
  jobEnv: undefined,
  permissions: [],
  setup: [],
  run: { uses: "lockstep-ml/lockstep/actions/run@v1" },
};

interface JobFile {
  readonly [field: string]: unknown;
  readonly needs: readonly string[];
  readonly if: string;
  readonly strategy?: { readonly matrix: { readonly stage: readonly string[] } };
  readonly steps: readonly { readonly uses?: string; readonly with?: Record<string, string> }[];
}

async function compiled(at: Project, name = "demo"): Promise<{ text: string; jobs: Record<string, JobFile> }> {
  const source = workingTree(at.context);
  const { text } = value(await compile(source, value(await loadPipeline(source, name)), EXPERIMENT_TEXT));
  return { text, jobs: (parse(text) as { jobs: Record<string, JobFile> }).jobs };
}

/** The workflow as GitHub's parser reads it: its jobs between the first and the last. */
function parsed(text: string): readonly JobTemplate[] {
  return value(parseWorkflowFile(".github/workflows/lockstep-demo.yml", text)).jobs.slice(1, -1);
}

/** The stages that a job runs, when GitHub's expression language has done its work. */
function instances(
  { id, strategy, name: title }: JobTemplate,
  leftOut: Readonly<Record<string, object[]>> = {},
): string[] {
  const contexts: Contexts = { needs: { plan: { outputs: { jobs: JSON.stringify({ [id]: [], ...leftOut }) } } } };
  const scope = { file: "w", contexts };
  if (strategy === undefined) return [value(evaluateToken(title, scope)) as string];
  const { matrix } = value(evaluateToken(strategy, scope)) as { matrix: never };
  return value(expandMatrix(matrix, { file: "w", line: 1, column: 1 })).map(({ stage: name }) => name as string);
}

function stage(name: string, needs: readonly string[] = [], more: Partial<Stage> = {}): Stage {
  const path = `build/${name}` as RelativePath;
  return {
    name,
    file: "pipelines/demo.yaml",
    where: [],
    item: null,
    at: (): Location => ({ file: "pipelines/demo.yaml", line: 1, column: 1 }),
    cmd: ["true"],
    run: null,
    wdir: null,
    deps: [],
    params: [],
    outs: [{ path, where: [], uses: ["out"], cache: true, persist: false }],
    alwaysChanged: false,
    frozen: false,
    checkpoint: null,
    hooks: { before: [], after: [] },
    env: { files: [], vars: [], image: null },
    timeoutMs: null,
    retry: 0,
    resources: {},
    runsOn: [],
    predictions: null,
    profile: null,
    checks: null,
    needs,
    ...more,
  };
}

const pipelineOf = (stages: readonly Stage[]): Pipeline => ({
  name: "demo",
  file: "pipelines/demo.yaml",
  stages,
  hooks: { before: [], after: [] },
  top: { params: [], metrics: [], plots: [], artifacts: [] },
});
const textOf = (stages: readonly Stage[]): string =>
  value(workflowText(pipelineOf(stages), { template: TEMPLATE, runners: undefined }));

test("the digits example", async () => {
  const source = workingTree(contextIn(ROOT));
  const made = value(await compile(source, value(await loadPipeline(source, "digits")), "not read: there is one"));
  expect(made.file).toBe(".github/workflows/lockstep-digits.yml");
  value(parseWorkflowFile(made.file, made.text));
  await expect(made.text).toMatchFileSnapshot("golden/lockstep-digits.yml");
});

test("a chain: a job a stage, each after the one it needs, with the steps of the experiment's own workflow", async () => {
  using at = project(CHAIN_FILES);
  write(at.path, {
    [EXPERIMENT]: EXPERIMENT_TEXT.replace("run@v1", "run@0123456")
      .replace("npm ci", "npm ci --offline")
      .replace("contents: read #", "id-token: write # for the store\n      contents: read #"),
  });
  const { text, jobs } = await compiled(at);
  expect(Object.entries(jobs).map(([id, { needs }]) => [id, needs])).toEqual([
    ["plan", undefined],
    ["prepare", ["plan"]],
    ["train", ["plan", "prepare"]],
    ["evaluate", ["plan", "train"]],
    ["result", ["plan", "prepare", "train", "evaluate"]],
  ]);
  const steps = jobs["train"]!.steps;
  expect(steps.map(({ uses }) => uses)).toEqual([
    "actions/checkout@v6",
    "actions/setup-node@v6",
    undefined,
    "lockstep-ml/lockstep/actions/run@0123456",
  ]);
  expect(text).toContain("npm ci --offline");
  expect(text.match(/^ {6}id-token: write # for the store$/gm)).toHaveLength(5);
  expect(jobs["plan"]!.steps.filter((step) => "run" in step)).toEqual([]);
  expect(steps.at(-1)?.with).toMatchObject({ pipelines: "demo", part: "stage", stage: "train" });
  expect(jobs["result"]!.if).toBe("always()");
  expect(parsed(text).map((job) => instances(job))).toEqual([["prepare"], ["train"], ["evaluate"]]);
});

test("a foreach of 300 is two matrix jobs; what is cached is left out of them", async () => {
  using at = project({
    "pipelines/demo.yaml": `stages:
  one:
    foreach: [${Array.from({ length: 300 }, (_, index) => index).join(", ")}]
    do: {cmd: "touch build/one/\${item}", outs: ["build/one/\${item}"]}
  all: {cmd: touch build/all, deps: [build/one], outs: [build/all]}
`,
  });
  const { text } = await compiled(at);
  const [first, second, last] = parsed(text) as [JobTemplate, JobTemplate, JobTemplate];
  expect([first.id, second.id, last.id]).toEqual(["one", "one-2", "all"]);
  expect(last.needs).toEqual(["plan", "one", "one-2"]);
  const names = [...instances(first), ...instances(second)];
  expect([instances(first).length, instances(second).length]).toEqual([LIMITS.matrix, 300 - LIMITS.matrix]);
  expect(new Set(names)).toEqual(new Set(Array.from({ length: 300 }, (_, at) => `one@${at}`)));
  expect(instances(second, { "one-2": [{ stage: "one@299" }] })).not.toContain("one@299");
});

test("names that mean something to YAML, to expressions or to nobody keep themselves, under ids that are ids", () => {
  const names = [
    "a b",
    "A B",
    "${{ secrets.X }}",
    "it's }} ${{",
    "ünïcode 日本",
    "null",
    "plan",
    "- x: y",
    "x@007",
    "x@7",
    "42",
  ];
  const text = textOf(names.map((name) => stage(name)));
  const jobs = parsed(text);
  expect(jobs.flatMap((job) => instances(job)).sort()).toEqual(names.toSorted());
  for (const { id } of jobs) expect(id).toMatch(/^[A-Za-z][A-Za-z0-9_-]*$/);
  expect(new Set(jobs.map(({ id }) => id.toLowerCase())).size).toBe(jobs.length);
});

test("any graph: every stage once, every edge a need, no cycle, also where groups depend on each other", () => {
  const graph = fc.array(
    fc.record({
      family: fc.constantFrom("a", "b", "c", "d d"),
      needs: fc.array(fc.nat(1000), { maxLength: 3 }),
      gpu: fc.boolean(),
    }),
    { minLength: 1, maxLength: 40 },
  );
  fc.assert(
    fc.property(graph, (nodes) => {
      const names = nodes.map(({ family }, at) => `${family}@${at}`);
      const stages = nodes.map(({ needs, gpu }, at) =>
        stage(names[at]!, [...new Set(at === 0 ? [] : needs.map((need) => names[need % at]!))], {
          runsOn: gpu ? ["self-hosted"] : [],
        }),
      );
      const jobs = jobsOf(pipelineOf(stages));
      expect(jobs.flatMap((job) => job.stages.map(({ name }) => name)).sort()).toEqual(names.toSorted());
      const idOf = new Map(jobs.flatMap(({ id, stages: of }) => of.map(({ name }) => [name, id] as const)));
      const before = new Set<string>();
      for (const { id, needs, stages: of } of jobs) {
        expect(needs.filter((need) => !before.has(need))).toEqual([]);
        for (const { needs: wanted } of of)
          expect(needs).toEqual(expect.arrayContaining(wanted.map((name) => idOf.get(name))));
        before.add(id);
      }
    }),
    { numRuns: 200 },
  );
});

test("what jobs of their own cannot do is refused, all of it: hooks around the run, frozen stages, white space", async () => {
  using at = project({
    "pipelines/demo.yaml": `hooks: {before_run: [echo hello]}
stages:
  " x": {cmd: x, outs: [build/x]}
  still: {cmd: x, outs: [build/y], frozen: true}
`,
  });
  const source = workingTree(at.context);
  const refused = await compile(source, value(await loadPipeline(source, "demo")), EXPERIMENT_TEXT);
  expect(refused).toMatchObject({
    failures: [
      { code: "unsupported", what: expect.stringContaining("a hook around the run") },
      { code: "unsupported", what: expect.stringContaining("white space"), at: { line: 3 } },
      { code: "unsupported", what: expect.stringContaining('the frozen stage "still"'), at: { line: 4 } },
    ],
  });
});

describe("runners", () => {
  const OWN = "github.event.pull_request.head.repo.full_name == github.repository";
  const contextsOf = (fork: boolean, runner = ""): Contexts => ({
    github: {
      event_name: "pull_request",
      repository: "acme/x",
      event: { pull_request: { head: { repo: { full_name: fork ? "mallory/x" : "acme/x" } } } },
    },
    vars: runner === "" ? {} : { LOCKSTEP_RUNNER: runner },
  });
  const runsOn = (job: JobTemplate, fork: boolean, runner?: string): unknown =>
    value(evaluateToken(job.runsOn, { file: "w", contexts: contextsOf(fork, runner) }));

  test("are the stage's, else those of the settings; code of a fork meets none but GitHub's", async () => {
    using at = project({
      ".github/lockstep.yml": "version: 1\nstore: file:x\nrunners: {cpu: big, gpu: [self-hosted, gpu]}\n",
      "pipelines/demo.yaml": `stages:
  plain: {cmd: x, outs: [build/1]}
  own: {cmd: x, outs: [build/2], runs-on: [self-hosted, it's]}
  hosted: {cmd: x, outs: [build/3], runs-on: windows-2025, timeout: 90s, retry: 1}
  gpu: {cmd: x, outs: [build/4], gpu: 1}
`,
    });
    const { text, jobs } = await compiled(at);
    const [plain, own, hosted, gpu] = parsed(text) as [JobTemplate, JobTemplate, JobTemplate, JobTemplate];
    expect([plain, own, hosted, gpu].map((job) => runsOn(job, false))).toEqual([
      "big",
      ["self-hosted", "it's"],
      "windows-2025",
      ["self-hosted", "gpu"],
    ]);
    const stranger = [plain, own, hosted, gpu].map((job) => runsOn(job, true, '"mine"'));
    expect(stranger).toEqual(["ubuntu-latest", "ubuntu-latest", "windows-2025", "ubuntu-latest"]);
    expect(runsOn(plain, false, '["a", "b"]')).toEqual(["a", "b"]);
    expect([jobs["plain"], jobs["hosted"]].map((job) => job?.["timeout-minutes"])).toEqual([360, 63]);
  });

  test("an image is the job's container, with the GPUs of a runner of the team's own", () => {
    const env = { files: [], vars: [], image: "ghcr.io/acme/cuda@sha256:1" };
    const text = textOf([stage("a", [], { env, resources: { gpu: 1 }, runsOn: ["self-hosted"] })]);
    const { container } = (parse(text) as { jobs: Record<string, { container: Record<string, string> }> }).jobs["a"]!;
    expect(container).toEqual({
      image: env.image,
      options: `\${{ (github.event_name != 'pull_request' || ${OWN}) && '--gpus all' || '' }}`,
    });
    // To GitHub's parser it is right; the sandbox then says that it runs no containers.
    const result = parseWorkflowFile("w.yml", text);
    expect(result).toMatchObject({ failures: [{ code: "unsupported", what: expect.stringContaining("container") }] });
  });

  test("a GPU that no runner has is refused", () => {
    const made = workflowText(pipelineOf([stage("a", [], { resources: { gpu: 1 } })]), {
      template: TEMPLATE,
      runners: {},
    });
    expect(made).toMatchObject({ failures: [{ code: "usage", message: expect.stringContaining("wants a GPU") }] });
  });
});

test("a file that compile did not write is left alone; a workflow larger than GitHub takes is refused", async () => {
  using at = project({ ...CHAIN_FILES, ".github/workflows/lockstep-demo.yml": "name: mine\n" });
  const source = workingTree(at.context);
  const pipeline = value(await loadPipeline(source, "demo"));
  expect(await compile(source, pipeline, EXPERIMENT_TEXT)).toMatchObject({ failures: [{ code: "usage" }] });
  const long = { ...pipelineOf([stage("x".repeat(300_000))]), name: "large" };
  const large = await compile(source, long, EXPERIMENT_TEXT);
  expect(large).toMatchObject({ failures: [{ message: expect.stringMatching(/has \d+ bytes; GitHub takes 512000/) }] });
});

test("the guide's settings are settings, its other examples YAML, and its limits those of the code", () => {
  const guide = readFileSync(join(ROOT, "docs", "scale.md"), "utf8");
  const [settings, values] = [...guide.matchAll(/^```yaml\n([^]*?)^```/gm)].map(([, text]) => text!);
  const { runners } = value(parseConfig("lockstep.yml", settings!, settingsSchema)).value;
  expect(
    value(workflowText(pipelineOf([stage("a", [], { resources: { gpu: 1 } })]), { template: TEMPLATE, runners })),
  ).toContain(`["self-hosted","linux","gpu"]`);
  expect(parse(values!)).toMatchObject({ runnerScaleSetName: "gpu-a100", maxRunners: 8 });
  const days = LIMITS.selfHostedMinutes / (24 * 60);
  for (const row of [
    `a matrix | ${LIMITS.matrix} |`,
    `file | ${LIMITS.file / 1024} KB:`,
    `${LIMITS.hostedMinutes / 60} h |`,
    `| ${days} days;`,
  ])
    expect(guide).toContain(row);
});
