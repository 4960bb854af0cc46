import { expect, test } from "vitest";
import { jobNamed, logOf, Rig } from "./rig.ts";

/*
 * The rig has no server, so `actions/checkout` cannot run: a first step puts the files of the commit into the workspace.
 */
const CHECKOUT = (rig: Rig): string =>
  `{name: files, run: "git --git-dir ${rig.repository.gitDir} archive $GITHUB_SHA | tar x"}`;

const JS_ACTION = `
name: Probe
description: Says what it sees.
inputs:
  who: {default: "\${{ github.actor }}"}
  some words: {}
  kebab-case: {default: k}
outputs: {seen: {}}
runs: {using: node24, main: main.mjs, post: post.mjs, post-if: "always()"}
`;
const MAIN = `
import { appendFileSync } from "node:fs";
const { env } = process;
console.log("main", env["INPUT_WHO"], env["INPUT_SOME_WORDS"], env["INPUT_KEBAB-CASE"], env.GITHUB_ACTION, Boolean(env.ACTIONS_RUNTIME_TOKEN));
appendFileSync(env.GITHUB_OUTPUT, "seen=" + env.INPUT_WHO + "\\n");
appendFileSync(env.GITHUB_STATE, "kept=from main\\n");
`;
const POST = `console.log("post", process.env.STATE_kept, process.env.INPUT_WHO);`;

test("JavaScript actions: inputs, defaults, outputs, state, post in reverse order", async () => {
  await using rig = await Rig.start();
  const files = { "act/action.yml": JS_ACTION, "act/main.mjs": MAIN, "act/post.mjs": POST };
  const run = await rig.run(
    `
jobs:
  one:
    runs-on: x
    steps:
      - ${CHECKOUT(rig)}
      - {id: a, uses: ./act, with: {Some Words: two words, wrong: x}}
      - {uses: ./act/, name: second, with: {who: "\${{ steps.a.outputs.seen }}-again"}}
      - run: echo "token '$ACTIONS_RUNTIME_TOKEN' \${{ steps.a.outputs.seen }}"
`,
    files,
  );
  const job = jobNamed(run, "one");
  const log = logOf(job);
  expect(job.steps.map(({ name }) => name).slice(-3), log).toEqual(["Post second", "Post Run ./act", "Complete job"]);
  expect(log).toContain("main ada two words k a true");
  expect(log).toContain("main ada-again  k __self true");
  expect(log).toContain("post from main ada-again");
  expect(log).toContain("token '' ada");
  expect(log).toContain("Unexpected input(s) 'wrong', valid inputs are ['who', 'some words', 'kebab-case']");
});

test("composite actions: nested, inputs, outputs, environment, failure inside", async () => {
  await using rig = await Rig.start();
  const files = {
    "outer/action.yml": `
name: Outer
description: Uses another.
inputs: {word: {required: true}}
outputs: {echo: {value: "\${{ steps.in.outputs.got }}!"}}
runs:
  using: composite
  steps:
    - {id: in, uses: ./inner, with: {word: "\${{ inputs.word }}"}}
    - {run: 'echo "outer $STEP_ENV \${{ github.action_path == env.GITHUB_ACTION_PATH }} $(basename $GITHUB_ACTION_PATH)"; echo "FROM_COMPOSITE=1" >> $GITHUB_ENV', shell: bash}
    - {if: "inputs.word == 'bad'", run: exit 9, shell: bash}
    - {run: echo after, shell: bash}
    - {if: failure(), run: echo inside failure, shell: bash}
`,
    "inner/action.yml": `
name: Inner
description: Is used.
inputs: {word: {}}
outputs: {got: {value: "\${{ steps.s.outputs.w }}"}}
runs:
  using: composite
  steps:
    - {id: s, shell: python3 {0}, run: "import os; open(os.environ['GITHUB_OUTPUT'], 'a').write('w=<\${{ inputs.word }}>\\\\n')"}
    - {uses: ./js}
`.replace("python3 {0}", "'python3 {0}'"),
    "js/action.yml": JS_ACTION,
    "js/main.mjs": MAIN,
    "js/post.mjs": POST,
  };
  const run = await rig.run(
    `
jobs:
  good:
    runs-on: x
    steps:
      - ${CHECKOUT(rig)}
      - {id: o, uses: ./outer, env: {STEP_ENV: given}, with: {word: hi}}
      - run: echo "\${{ steps.o.outputs.echo }} $FROM_COMPOSITE"
  bad:
    runs-on: x
    steps:
      - ${CHECKOUT(rig)}
      - {uses: ./outer, with: {word: bad}}
      - run: echo not reached
`,
    files,
  );
  const good = logOf(jobNamed(run, "good"));
  expect(jobNamed(run, "good").conclusion, good).toBe("success");
  expect(good).toContain("outer given");
  expect(good).toContain(" outer\n");
  expect(good).toContain("\n<hi>! 1\n");
  expect(good).toContain("post from main ada");
  const bad = logOf(jobNamed(run, "bad"));
  expect(jobNamed(run, "bad").conclusion).toBe("failure");
  expect(bad).toContain("\ninside failure\n");
  expect(bad).not.toContain("\nafter\n");
  expect(bad).not.toContain("\nnot reached\n");
});

test("actions from folders and from repositories of the sandbox; pre before the first step", async () => {
  await using rig = await Rig.start({ actionsDir: "/nonexistent" });
  await rig.commit(
    {
      "act/action.yml": JS_ACTION.replace("main: main.mjs", "pre: pre.mjs, main: main.mjs"),
      "act/pre.mjs": `console.log("pre", process.env.INPUT_WHO);`,
      "act/main.mjs": MAIN,
      "act/post.mjs": POST,
    },
    "v1",
  );
  const run = await rig.run(`
jobs:
  one:
    runs-on: x
    steps:
      - run: echo first
      - {uses: ada/digits/act@v1, name: remote}
  two: {runs-on: x, steps: [{run: echo never}, {uses: nobody/nothing@v1}]}
  three: {runs-on: x, steps: [{uses: ./not/there}]}
`);
  const one = jobNamed(run, "one");
  expect(one.steps.map(({ name }) => name)).toEqual([
    "Set up job",
    "Pre remote",
    "Run echo first",
    "remote",
    "Post remote",
    "Complete job",
  ]);
  expect(logOf(one)).toContain("pre ada");
  const two = jobNamed(run, "two");
  expect(two.conclusion).toBe("failure");
  expect(two.annotations[0]?.message).toContain(
    ".github/workflows/test.yml:9:48: unable to resolve action `nobody/nothing@v1`: repository not found",
  );
  expect(logOf(two)).not.toContain("never");
  expect(jobNamed(run, "three").annotations[0]?.message).toContain("./not/there/action.yml does not exist");
});
