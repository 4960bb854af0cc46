import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { jobNamed, logOf, Rig } from "./rig.ts";

test("conditions, continue-on-error and what follows from a failure", async () => {
  await using rig = await Rig.start();
  const run = await rig.run(`
jobs:
  one:
    runs-on: x
    steps:
      - {id: soft, run: exit 3, continue-on-error: true}
      - run: echo "\${{ steps.soft.outcome }} \${{ steps.soft.conclusion }}"
      - {if: failure(), run: echo never}
      - {name: hard, run: exit 4}
      - {name: after, run: echo never}
      - {name: on failure, if: "failure() && github.actor == 'ada'", run: "echo \${{ job.status }}"}
      - {name: always, if: always(), run: echo always}
  dependent: {needs: one, runs-on: x, steps: [{run: echo}]}
  further: {needs: dependent, runs-on: x, steps: [{run: echo}]}
  cleanup: {needs: [one, dependent], if: always(), runs-on: x, steps: [{run: "echo '\${{ needs.one.result }} \${{ needs.dependent.result }}'"}]}
  alarm: {needs: further, if: failure(), runs-on: x, steps: [{run: echo alarm}]}
`);
  const one = jobNamed(run, "one");
  expect(one.steps.map(({ name, conclusion }) => `${name}: ${conclusion}`)).toEqual([
    "Set up job: success",
    "Run exit 3: success",
    'Run echo "${{ steps.soft.outcome }} ${{ steps.soft.conclusion }}": success',
    "Run echo never: skipped",
    "hard: failure",
    "after: skipped",
    "on failure: success",
    "always: success",
    "Complete job: success",
  ]);
  expect(logOf(one)).toContain("\nfailure success\n");
  expect(one.steps[6]?.log).toContain("\nfailure\n");
  expect(one.annotations.map(({ message }) => message)).toEqual([
    "Process completed with exit code 3.",
    "Process completed with exit code 4.",
  ]);
  const results = Object.fromEntries(run.jobs.map(({ name, conclusion }) => [name, conclusion]));
  expect(results).toEqual({
    one: "failure",
    dependent: "skipped",
    further: "skipped",
    cleanup: "success",
    alarm: "success",
  });
  expect(logOf(jobNamed(run, "cleanup"))).toContain("failure skipped");
  expect(run.conclusion).toBe("failure");
});

test("a matrix: names, contexts, outputs, fail-fast and what it ends", async () => {
  await using rig = await Rig.start({ parallel: 2 });
  const run = await rig.run(`
jobs:
  grid:
    strategy: {max-parallel: 1, matrix: {size: [1, 2], include: [{size: 2, extra: yes}]}}
    runs-on: x
    steps: [{run: 'echo "size \${{ matrix.size }}\${{ matrix.extra }} \${{ strategy.job-index }}/\${{ strategy.job-total }}"'}]
  list: {runs-on: x, outputs: {all: "\${{ steps.l.outputs.all }}"}, steps: [{id: l, run: "echo 'all=[\\"a\\",\\"b\\"]' >> $GITHUB_OUTPUT"}]}
  dynamic:
    needs: list
    name: item \${{ matrix.item }}
    strategy: {matrix: {item: "\${{ fromJSON(needs.list.outputs.all) }}"}}
    runs-on: x
    steps: [{run: "echo \${{ matrix.item }}"}]
  fast:
    needs: dynamic
    strategy: {matrix: {n: [1, 2]}}
    runs-on: x
    steps: [{run: "if [ \${{ matrix.n }} = 1 ]; then exit 1; else exec sleep 60; fi"}]
  patient:
    needs: dynamic
    continue-on-error: true
    strategy: {fail-fast: false, matrix: {n: [1, 2]}}
    runs-on: x
    steps: [{run: "[ \${{ matrix.n }} = 2 ]"}]
`);
  const results = Object.fromEntries(run.jobs.map(({ name, conclusion }) => [name, conclusion]));
  expect(results).toEqual({
    "grid (1)": "success",
    "grid (2, yes)": "success",
    list: "success",
    "item a": "success",
    "item b": "success",
    "fast (1)": "failure",
    "fast (2)": "cancelled",
    "patient (1)": "failure",
    "patient (2)": "success",
  });
  expect(logOf(jobNamed(run, "grid (2, yes)"))).toContain("size 2yes 1/2");
  expect(run.conclusion).toBe("failure");
});

test("time limits of a step and of a job, and what is still done after them", async () => {
  await using rig = await Rig.start();
  const run = await rig.run(`
jobs:
  step:
    runs-on: x
    steps:
      - {name: slow, timeout-minutes: 0.01, run: sleep 60}
      - {if: failure(), run: echo noticed}
  job:
    runs-on: x
    timeout-minutes: 0.01
    steps:
      - run: sleep 60 & sleep 60
      - {if: always(), run: echo tidy}
`);
  const step = jobNamed(run, "step");
  expect(step.conclusion).toBe("failure");
  expect(logOf(step)).toContain("The action 'slow' has timed out after 0.01 minutes.");
  expect(logOf(step)).toContain("\nnoticed\n");
  const job = jobNamed(run, "job");
  expect(job.conclusion).toBe("cancelled");
  expect(logOf(job)).toContain("has exceeded the maximum execution time of 0.01 minutes");
  expect(logOf(job)).toContain("\ntidy\n");
});

test("cancel ends the step's whole process group; a run again starts afresh", async () => {
  await using rig = await Rig.start();
  const started = join(rig.folder, "started");
  const sha = await rig.commit({
    ".github/workflows/test.yml": `on: push
jobs:
  one:
    runs-on: x
    steps:
      - run: "[ \${{ github.run_attempt }} = 2 ] && exit 0; touch ${started}; sleep 60"
      - {if: cancelled(), run: echo stopped}
      - {if: success(), run: echo went on}
  two: {needs: one, runs-on: x, steps: [{run: echo}]}
`,
  });
  rig.world.trigger(rig.event("push", sha));
  await rig.until(() => existsSync(started));
  const [run] = rig.taken();
  if (run === undefined) throw new Error("nothing ran");
  expect([run.status, run.jobs[0]?.status]).toEqual(["in_progress", "in_progress"]);
  await rig.executor.cancel(run.id);
  await rig.executor.idle();
  expect([run.status, run.conclusion]).toEqual(["completed", "cancelled"]);
  expect(logOf(jobNamed(run, "one"))).toContain("\nstopped\n");
  expect(logOf(jobNamed(run, "one"))).not.toContain("\nwent on\n");
  expect(jobNamed(run, "two").conclusion).toBe("cancelled");
  await rig.executor.rerun(run.id);
  await rig.executor.idle();
  expect([run.attempt, run.conclusion]).toEqual([2, "success"]);
  expect(logOf(jobNamed(run, "one"))).toContain("\nwent on\n");
});

test("what a job leaves running ends with it, unless it says that it is to stay", async () => {
  await using rig = await Rig.start();
  const pids = join(rig.folder, "pids");
  const run = await rig.run(`
jobs:
  one:
    runs-on: x
    steps:
      - run: |
          sleep 300 > /dev/null 2>&1 & echo $! >> ${pids}
          RUNNER_TRACKING_ID="" setsid sleep 300 > /dev/null 2>&1 & echo $! >> ${pids}
      - run: kill -0 $(head -n 1 ${pids}) && echo still there
`);
  const [orphan, daemon] = readFileSync(pids, "utf8").trim().split("\n").map(Number) as [number, number];
  expect(logOf(run.jobs[0])).toContain("\nstill there\n");
  expect(logOf(run.jobs[0])).toContain(`Terminate orphan process: ${orphan}`);
  const alive = (pid: number): boolean => {
    try {
      return !/^State:\s+Z/mu.test(readFileSync(`/proc/${pid}/status`, "utf8"));
    } catch {
      return false;
    }
  };
  expect([alive(orphan), alive(daemon)]).toEqual([false, true]);
  process.kill(daemon);
});

test("masks, annotations, summaries and outputs that hold a secret", async () => {
  await using rig = await Rig.start({ secrets: { PASSWORD: "hunter22" } });
  const run = await rig.run(`
jobs:
  one:
    runs-on: x
    outputs: {safe: "\${{ steps.s.outputs.safe }}", leak: "\${{ steps.s.outputs.leak }}"}
    steps:
      - id: s
        env: {PASSWORD: "\${{ secrets.PASSWORD }}", TOKEN: "\${{ github.token }}"}
        run: |
          echo "it is $PASSWORD and $TOKEN"
          echo "::add-mask::other-secret"
          echo "other-secret"
          echo "::error file=src/a.ts,line=7,title=Broken::do not $PASSWORD" >&2
          echo "::notice::by the way"
          echo "::set-output name=old::1"
          echo "safe=1" >> $GITHUB_OUTPUT
          echo "leak=$PASSWORD" >> $GITHUB_OUTPUT
          echo "**$PASSWORD**" >> $GITHUB_STEP_SUMMARY
          for i in $(seq 20); do echo "::warning::w$i"; done
`);
  const job = jobNamed(run, "one");
  expect(JSON.stringify(run.jobs)).not.toContain("hunter22");
  expect(logOf(job)).toContain("it is *** and ***");
  expect(logOf(job)).toContain("::add-mask::***\n***\n");
  expect(job.outputs).toEqual({ safe: "1" });
  expect(job.steps[1]?.summary).toContain("*****");
  expect(job.annotations).toContainEqual({
    level: "failure",
    message: "do not ***",
    title: "Broken",
    file: "src/a.ts",
    line: 7,
  });
  expect(job.annotations.filter(({ message }) => /^w\d/.test(message))).toHaveLength(9);
  expect(job.annotations.at(-1)?.message).toBe("Skip output 'leak' since it may contain secret.");
  expect(run.conclusion).toBe("success");
});

test("concurrency of a workflow and of a job", async () => {
  await using rig = await Rig.start({ parallel: 4 });
  const go = join(rig.folder, "go");
  const workflow = (setting: string): string => `on: push
concurrency: ${setting}
jobs: {a: {runs-on: x, steps: [{run: "until [ -e ${go} ]; do sleep 0.02; done"}]}}`;
  const push = async (setting: string): Promise<void> => {
    const sha = await rig.commit({ ".github/workflows/test.yml": workflow(setting) });
    rig.world.trigger(rig.event("push", sha));
    await rig.executor.handled();
  };
  for (const _ of [1, 2, 3]) await push("{group: '${{ github.workflow }}'}");
  const first = rig.taken();
  await rig.until(() => first[0]?.status === "in_progress" && first[1]?.status === "completed");
  writeFileSync(go, "");
  await rig.executor.idle();
  expect(first.map(({ conclusion }) => conclusion)).toEqual(["success", "cancelled", "success"]);
  rmSync(go);
  for (const _ of [1, 2]) await push("{group: g, cancel-in-progress: true}");
  const second = rig.taken();
  await rig.until(() => second[0]?.status === "completed" && second[1]?.status === "in_progress");
  writeFileSync(go, "");
  await rig.executor.idle();
  expect(second.map(({ conclusion }) => conclusion)).toEqual(["cancelled", "success"]);
});
