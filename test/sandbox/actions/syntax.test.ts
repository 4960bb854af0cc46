import { expect, test } from "vitest";
import { describe } from "../../../src/core/index.ts";
import { parseActionFile } from "../../../src/sandbox/actions/action.ts";
import { parseWorkflowFile } from "../../../src/sandbox/actions/workflow.ts";

const PATH = ".github/workflows/x.yml";

function problems(source: string): string[] {
  const result = parseWorkflowFile(PATH, source);
  return result.ok ? [] : result.failures.map((failure) => describe(failure).split("\n")[0] ?? "");
}

test("what it reads", () => {
  const result = parseWorkflowFile(
    PATH,
    `
name: Everything
on:
  push: {branches: [main, 'release/**'], paths-ignore: [docs/**]}
  pull_request: {types: [opened, labeled]}
  workflow_run: {workflows: [CI], types: [completed]}
  schedule:
    - {cron: '17 5 * * *', timezone: Europe/Berlin}
  repository_dispatch: {types: [go]}
  workflow_dispatch:
    inputs:
      size: {type: number, default: 3}
      kind: {type: choice, options: [a, b], required: true}
permissions: {}
cache-mode: read
concurrency: {group: g, queue: max}
jobs:
  build:
    runs-on: [self-hosted, gpu]
    permissions: {contents: write}
    cache-mode: none
    if: github.actor != 'nobody'
    environment: {name: production, deployment: false}
    steps:
      - uses: actions/checkout@v7
      - run: echo hi
        if: failure()
`,
  );
  expect(result.ok ? [] : result.failures).toEqual([]);
  if (!result.ok) return;
  const { value } = result;
  expect(value.name).toBe("Everything");
  expect(value.permissions).toEqual({});
  expect(value.on.schedule).toEqual([{ cron: "17 5 * * *", timezone: "Europe/Berlin" }]);
  expect(value.inputs.get("size")).toEqual({ type: "number", required: false, default: 3, options: [] });
  expect(value.jobs[0]?.condition).toBe("success() && (github.actor != 'nobody')");
  expect(value.jobs[0]?.steps.map(({ kind, condition }) => [kind, condition])).toEqual([
    ["uses", "success()"],
    ["run", "failure()"],
  ]);
  expect([value.cacheMode, value.jobs[0]?.cacheMode]).toEqual(["read", "none"]);
});

test("every problem of a file comes at once, each with its place", () => {
  const found = problems(`on: push
jobs:
  a:
    runs-on: x
    colour: red
    steps:
      - run: echo \${{ nothing.here }}
      - ruN: echo
      - uses: checkout
  b:
    needs: c
    runs-on: x
    container: node:24
    steps: [{uses: "docker://alpine"}, {run: sleep 1, background: true}]
  d:
    uses: ./.github/workflows/other.yml
`);
  expect(found.join("\n")).toContain(`${PATH}:5:5: Unexpected value 'colour'`);
  expect(found.join("\n")).toContain(`${PATH}:7:19: Unrecognized named-value: 'nothing'`);
  expect(found.join("\n")).toContain(`${PATH}:8:9: Unexpected value 'ruN'`);
});

test("what it does not do is said, never left out", () => {
  const found = problems(`on: push
jobs:
  b:
    runs-on: x
    container: node:24
    services: {db: postgres}
    steps:
      - uses: docker://alpine
      - uses: checkout
  d:
    uses: ./.github/workflows/other.yml
`);
  expect(found).toEqual([
    `${PATH}:5:16: a job \`container\` is not supported`,
    `${PATH}:6:15: \`services\` is not supported`,
    `${PATH}:8:15: a \`docker://\` action is not supported`,
    `${PATH}:9:15: \`checkout\` names no action: write \`./path\` or \`owner/repository[/path]@ref\``,
    `${PATH}:11:11: calling a reusable workflow is not supported`,
  ]);
});

test.each([
  ["no YAML", "on: [push", "1:10"],
  ["no mapping", "hello", "1:1"],
  ["an event that is not there", "on: pushed\njobs: {a: {runs-on: x, steps: [{run: y}]}}", "1:5"],
  [
    "a job that is not there",
    "on: push\njobs:\n  a: {runs-on: x, steps: [{run: y}]}\n  b: {needs: c, runs-on: x, steps: [{run: y}]}",
    "4:14",
  ],
  [
    "jobs in a circle",
    "on: push\njobs:\n  z: {runs-on: x, steps: []}\n  a: {needs: b, runs-on: x, steps: []}\n  b: {needs: a, runs-on: x, steps: []}",
    "4:14",
  ],
  ["a cron line that is none", "on: {schedule: [{cron: '61 * * * *'}]}\njobs: {a: {runs-on: x, steps: []}}", "1:24"],
  ["a secret in a condition", "on: push\njobs: {a: {runs-on: x, steps: [{run: y, if: secrets.X}]}}", "2:45"],
  [
    "a step that runs in the background",
    "on: push\njobs: {a: {runs-on: x, steps: [{run: y, background: true}]}}",
    "2:41",
  ],
  ["a step that waits", "on: push\njobs: {a: {runs-on: x, steps: [{id: s, run: y}, {wait: s}]}}", "2:50"],
  ["a scope that is not there", "on: push\npermissions: {content: read}\njobs: {a: {runs-on: x, steps: []}}", "2:15"],
  ["a reusable workflow", "on: workflow_call\njobs: {a: {runs-on: x, steps: []}}", "1:5"],
])("refuses %s", (_, source, place) => {
  expect(problems(source)[0]).toMatch(new RegExp(`^${PATH.replaceAll(".", "\\.")}:${place}: `));
});

test("an action file", () => {
  const read = (source: string) => {
    const result = parseActionFile("a/action.yml", source);
    return result.ok ? result.value : result.failures.map((failure) => describe(failure).split("\n")[0]);
  };
  expect(
    read("name: A\ndescription: d\ninputs: {x: {default: 1}}\nruns: {using: node24, main: m.js, post: p.js}"),
  ).toMatchObject({
    runs: { kind: "node", main: "m.js", pre: undefined, post: "p.js", postIf: "always()" },
  });
  expect(read("name: A\ndescription: d\nruns: {using: composite, steps: [{run: x}]}")).toEqual([
    expect.stringContaining("a/action.yml:3:34: Required property is missing: shell"),
  ]);
  expect(read("name: A\ndescription: d\nruns: {using: docker, image: x}")).toEqual([
    "a/action.yml:3:15: a Docker action is not supported",
  ]);
});
