import { expect, test } from "vitest";
import { matches } from "../../../src/sandbox/actions/patterns.ts";
import { asksToSkip, triggered } from "../../../src/sandbox/actions/triggers.ts";
import { parseWorkflowFile } from "../../../src/sandbox/actions/workflow.ts";
import type { TriggerEvent } from "../../../src/sandbox/world.ts";

test.each([
  ["*", "main", true],
  ["*", "a/b", false],
  ["**", "a/b", true],
  ["feature/*", "feature/x", true],
  ["feature/*", "feature/x/y", false],
  ["feature/**", "feature/x/y", true],
  ["v[12].[0-9]+", "v1.10", true],
  ["v[12].[0-9]+", "v3.1", false],
  ["*.jsx?", "page.js", true],
  ["docs/**", "docs/a/b.md", true],
  ["**.js", "src/x.js", true],
  ["**/README.md", "README.md", true],
  ["**/README.md", "a/b/README.md", true],
  ["a.b", "axb", false],
  ["1\\.0", "1.0", true],
  ["release$", "release$", true],
])("pattern %s and %s: %s", (pattern, name, expected) => {
  expect(matches([pattern], name)).toBe(expected);
});

test("the last pattern that says something decides", () => {
  expect(matches(["**", "!docs/**"], "docs/a")).toBe(false);
  expect(matches(["**", "!docs/**", "docs/b"], "docs/b")).toBe(true);
  expect(matches(["!docs/**"], "src/a")).toBe(false);
});

const event = (name: string, extra: Partial<TriggerEvent> = {}): TriggerEvent => ({
  name,
  repository: "a/b",
  payload: {},
  ref: "refs/heads/main",
  sha: "s",
  headSha: "s",
  headBranch: "main",
  headRepository: "a/b",
  actor: "ada",
  byJobToken: false,
  ...extra,
});
const pull = (action: string, base: string, changedPaths: string[] = []): TriggerEvent =>
  event("pull_request", { action, changedPaths, payload: { pull_request: { base: { ref: base } } } });
const after = (name: string, action: string, branch: string): TriggerEvent =>
  event("workflow_run", { action, payload: { workflow: { name }, workflow_run: { head_branch: branch } } });

test.each<[string, TriggerEvent, boolean]>([
  ["push", event("push"), true],
  ["push", event("push", { payload: { deleted: true } }), false],
  ["[push, pull_request]", pull("synchronize", "main"), true],
  ["pull_request", pull("labeled", "main"), false],
  ["{pull_request: {types: [labeled]}}", pull("labeled", "main"), true],
  ["{pull_request: {branches: [main]}}", pull("opened", "other"), false],
  ["{pull_request: {paths: ['src/**']}}", pull("opened", "main", ["docs/a"]), false],
  ["{pull_request: {paths: ['src/**']}}", pull("opened", "main", ["docs/a", "src/b"]), true],
  ["{pull_request: {paths-ignore: ['docs/**']}}", pull("opened", "main", ["docs/a"]), false],
  ["{pull_request: {paths-ignore: ['docs/**']}}", pull("opened", "main", ["docs/a", "src/b"]), true],
  ["{push: {branches: ['release/**']}}", event("push", { ref: "refs/heads/release/1/2" }), true],
  ["{push: {branches: [main]}}", event("push", { ref: "refs/tags/v1" }), false],
  ["{push: {tags: ['v*']}}", event("push", { ref: "refs/tags/v1" }), true],
  ["{push: {tags: ['v*']}}", event("push"), false],
  ["push", event("push", { ref: "refs/tags/v1" }), true],
  ["{push: {branches-ignore: [main]}}", event("push"), false],
  ["{workflow_run: {workflows: [CI], types: [completed]}}", after("CI", "completed", "x"), true],
  ["{workflow_run: {workflows: [CI], types: [completed]}}", after("Other", "completed", "x"), false],
  ["{workflow_run: {workflows: [CI], types: [requested]}}", after("CI", "completed", "x"), false],
  ["{workflow_run: {workflows: [CI], branches: [main]}}", after("CI", "completed", "x"), false],
  ["{schedule: [{cron: '0 5 * * *'}]}", event("schedule", { schedule: "0 5 * * *" }), true],
  ["{schedule: [{cron: '0 5 * * *'}]}", event("schedule", { schedule: "0 6 * * *" }), false],
  ["workflow_dispatch", event("workflow_dispatch", { payload: { workflow: ".github/workflows/x.yml" } }), true],
  ["workflow_dispatch", event("workflow_dispatch", { payload: { workflow: ".github/workflows/y.yml" } }), false],
  ["{issue_comment: {types: [created]}}", event("issue_comment", { action: "deleted" }), false],
  ["{issue_comment: {types: [created]}}", event("issue_comment", { action: "created" }), true],
  ["repository_dispatch", event("repository_dispatch", { action: "go" }), true],
  ["{repository_dispatch: {types: [go]}}", event("repository_dispatch", { action: "stop" }), false],
])("on: %s", (on, happened, expected) => {
  const path = ".github/workflows/x.yml";
  const file = parseWorkflowFile(path, `on: ${on}\njobs: {a: {runs-on: x, steps: [{run: y}]}}`);
  if (!file.ok) throw new Error(JSON.stringify(file.failures));
  expect(triggered(file.value.on, path, happened)).toBe(expected);
});

test("a commit message may ask for no runs", () => {
  expect(asksToSkip("docs [skip ci]")).toBe(true);
  expect(asksToSkip("skip ci")).toBe(false);
});
