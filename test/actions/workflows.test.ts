import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { evaluateToken } from "../../src/sandbox/actions/evaluate.ts";
import { parseWorkflowFile } from "../../src/sandbox/actions/workflow.ts";
import { value } from "../helpers/value.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const FOLDER = join(ROOT, ".github", "workflows");
const files = readdirSync(FOLDER).filter((file) => file.startsWith("lockstep-"));

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Record<string, string>;
}
interface Job {
  readonly permissions?: Record<string, string>;
  readonly steps: readonly Step[];
}
interface WorkflowFile {
  readonly permissions: unknown;
  readonly on: Record<string, unknown>;
  readonly jobs: Record<string, Job>;
}
const read = (file: string): { text: string; workflow: WorkflowFile } => {
  const text = readFileSync(join(FOLDER, file), "utf8");
  return { text, workflow: parse(text) as WorkflowFile };
};

describe.each(files)("%s", (file) => {
  const { text, workflow } = read(file);
  const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);

  it("is a workflow to GitHub's own parser", () => {
    expect(value(parseWorkflowFile(`.github/workflows/${file}`, text)).jobs.length).toBeGreaterThan(0);
  });

  it("gives no right at the top, and to each job only what it says a reason for", () => {
    expect(workflow.permissions).toEqual({});
    for (const { permissions } of Object.values(workflow.jobs)) {
      expect(Object.keys(permissions ?? {}).length).toBeGreaterThan(0);
      for (const [right, level] of Object.entries(permissions ?? {})) {
        expect(text).toMatch(new RegExp(`^ +${right}: ${level} # \\S.+$`, "m"));
      }
    }
  });

  it("puts no expression into a script, and leaves no credential in a working tree", () => {
    expect(steps.filter((step) => step.run?.includes("${{"))).toEqual([]);
    for (const step of steps.filter(({ uses }) => uses?.startsWith("actions/checkout@"))) {
      expect(step.with).toMatchObject({ "persist-credentials": false });
    }
  });

  it("uses actions that are there", () => {
    const ours = steps.flatMap(
      ({ uses }) => /^lockstep-ml\/lockstep\/(actions\/[a-z]+)@v1$/.exec(uses ?? "")?.[1] ?? [],
    );
    expect(ours.length).toBeGreaterThan(0);
    for (const folder of ours) expect(existsSync(join(ROOT, folder, "action.yml"))).toBe(true);
  });
});

describe("the trust model in the files", () => {
  it("lets what runs a pull request's code read, and nothing else", () => {
    const { workflow } = read("lockstep-experiment.yml");
    expect(Object.keys(workflow.on).sort()).toEqual(["pull_request", "workflow_dispatch"]);
    expect(Object.values(workflow.jobs).map(({ permissions }) => permissions)).toEqual([{ contents: "read" }]);
  });

  it("has code of a fork run on a hosted runner, whatever runner the repository names", () => {
    const file = ".github/workflows/lockstep-experiment.yml";
    const [job] = value(parseWorkflowFile(file, read("lockstep-experiment.yml").text)).jobs;
    const runner = (event: string, head: string): unknown => {
      const payload = { pull_request: { head: { repo: { full_name: head } } } };
      const github = { event_name: event, repository: "acme/digits", event: payload };
      const contexts = { github, vars: { LOCKSTEP_RUNNER: '["self-hosted","gpu"]' } };
      return value(evaluateToken(job?.runsOn, { file, contexts }));
    };
    expect(runner("pull_request", "mallory/digits")).toBe("ubuntu-latest");
    expect(runner("pull_request", "acme/digits")).toEqual(["self-hosted", "gpu"]);
    expect(runner("workflow_dispatch", "")).toEqual(["self-hosted", "gpu"]);
  });

  it("lets what writes about a pull request run no script and check out no commit of it", () => {
    const { workflow } = read("lockstep-report.yml");
    const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);
    expect(steps.filter((step) => step.run !== undefined)).toEqual([]);
    expect(steps[0]?.with?.["ref"]).toBe("${{ github.event.repository.default_branch }}");
  });
});

it("tables and schemas are what is generated", () => {
  expect(() =>
    execFileSync(process.execPath, ["scripts/generate.ts", "--check"], { cwd: ROOT, stdio: "pipe" }),
  ).not.toThrow();
});
