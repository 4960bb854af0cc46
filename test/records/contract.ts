import { describe, expect, test } from "vitest";
import type { RunRecord } from "../../src/config/index.ts";
import type { Context, Digest, ProgressEvent } from "../../src/core/index.ts";
import { openRecords, runPath, stagePath } from "../../src/records/index.ts";
import type { Look, Records, RecordsOptions } from "../../src/records/index.ts";
import { must } from "../store/contract.ts";
import { BRANCH, COMMIT, key, run, stage } from "./fixture.ts";

/** A machine that reads and writes the records. */
export interface Machine {
  readonly context: Context & { readonly events: ProgressEvent[] };
  readonly options: RecordsOptions;
}

/** A repository with one way to its records branch, and a look at it from behind. */
export interface RecordsRig extends AsyncDisposable {
  machine(): Promise<Machine>;
  /** Output of git in the repository itself; rejects where it fails. */
  git(...args: string[]): Promise<string>;
  /** Makes a branch of these files. */
  plant(branch: string, files: Readonly<Record<string, string>>): Promise<void>;
}

const BROKEN = [
  "",
  "{",
  "null",
  "[1]",
  JSON.stringify(stage(1, true)).slice(0, 200),
  JSON.stringify({ ...stage(1, true), key: key(99) }),
  JSON.stringify({ recordVersion: 9 }),
  `{"__proto__":{"recordVersion":1},${JSON.stringify(stage(1, true)).slice(1, -1)},"extra":1}`,
  `${"[".repeat(100_000)}${"]".repeat(100_000)}`,
  " ".repeat(20_000_000),
];

/** By the API whoever loses a race waits for several times what the attempt took. */
const patient = { timeout: 300_000 };

/** What `Records` promises, whichever way the branch is moved and read. */
export function contract(name: string, start: () => Promise<RecordsRig>, { writers }: { writers: number }): void {
  describe(`records ${name}`, () => {
    test("what one machine publishes another finds, and publishing it again changes nothing", async () => {
      await using rig = await start();
      const one = await open(rig);
      const made = must(await one.publish({ stages: [stage(1, true)], runs: [run(true)] }));
      expect(made).toEqual({ commit: await rig.git("rev-parse", BRANCH), changed: true, kept: [], looks: [] });
      expect(one.events).toContainEqual({ type: "effect", name: "records pushed" });
      expect(must(await one.trustedStage(key(1)))).toEqual(stage(1, true));
      const other = await open(rig);
      must(await other.refresh());
      expect(must(await other.stage(key(1)))).toEqual(stage(1, true));
      expect(must(await other.run(COMMIT, "churn"))).toEqual(run(true));
      expect(must(await other.trustedRun(COMMIT, "churn"))).toEqual(run(true));
      expect(must(await other.stage(key(2)))).toBeUndefined();
      const again = must(await other.publish({ stages: [stage(1, true)], runs: [run(true)] }));
      expect(again).toEqual({ commit: made.commit, changed: false, kept: [], looks: [] });
    });

    test("nothing to publish makes no branch, and a run without a commit is nothing", async () => {
      await using rig = await start();
      const records = await open(rig);
      expect(must(await records.stage(key(1)))).toBeUndefined();
      const nothing = await records.publish({ stages: [], runs: [run(true, { commit: null })] });
      expect(must(nothing)).toMatchObject({ changed: false });
      expect(await rig.git("branch", "--list", BRANCH)).toBe("");
    });

    test("an untrusted record is kept apart: shown, never relied on, never in a trusted one's place", async () => {
      await using rig = await start();
      const records = await open(rig);
      must(await records.publish({ stages: [stage(1, true, "a")], runs: [run(true, { ms: 1 })] }));
      const runs = [run(false, { ms: 2 }), run(false, { ms: 3, pipeline: "other" })];
      must(await records.publish({ stages: [stage(1, false, "b"), stage(2, false)], runs }));
      expect((await rig.git("ls-tree", "-r", "--name-only", BRANCH)).split("\n")).toEqual([
        runPath(COMMIT, "churn"),
        stagePath(key(1)),
        `untrusted/${runPath(COMMIT, "churn")}`,
        `untrusted/${runPath(COMMIT, "other")}`,
        `untrusted/${stagePath(key(1))}`,
        `untrusted/${stagePath(key(2))}`,
      ]);
      for (const look of ["stage", "trustedStage"] as const) {
        expect(must(await records[look](key(1)))).toEqual(stage(1, true, "a"));
        expect(must(await records[look](key(2)))).toBeUndefined();
      }
      expect(must(await records.anyStage(key(2)))).toEqual(stage(2, false));
      expect(must(await records.run(COMMIT, "churn"))).toMatchObject({ ms: 1 });
      expect(must(await records.run(COMMIT, "other"))).toMatchObject({ ms: 3 });
      expect(must(await records.trustedRun(COMMIT, "other"))).toBeUndefined();
    });

    test("the first trusted record of a key stays, and the publisher is told; unless it was made again on purpose", async () => {
      await using rig = await start();
      const records = await open(rig);
      must(await records.publish({ stages: [stage(1, true, "a")], runs: [] }));
      expect(must(await records.publish({ stages: [stage(1, true, "b")], runs: [] }))).toMatchObject({
        changed: false,
        kept: [key(1)],
        looks: [],
      });
      expect(must(await records.trustedStage(key(1)))).toEqual(stage(1, true, "a"));
      expect(must(await records.publish({ stages: [{ ...stage(1, true, "a"), ms: 99 }], runs: [] })).kept).toEqual([]);
      must(await records.publish({ stages: [stage(1, true, "b")], runs: [] }, { replace: true }));
      expect(must(await records.trustedStage(key(1)))).toEqual(stage(1, true, "b"));
    });

    test("a record that is damaged, or forged in a trusted place, is a miss; the next publisher mends it", async () => {
      await using rig = await start();
      const files = BROKEN.map((text, n) => [stagePath(key(n)), text] as const);
      const forged = [stagePath(key(50)), JSON.stringify(stage(50, false, "b"))] as const;
      await rig.plant(BRANCH, { ...Object.fromEntries([...files, forged]), [runPath(COMMIT, "churn")]: "{" });
      const records = await open(rig);
      must(await records.refresh());
      for (const n of BROKEN.keys()) expect(must(await records.stage(key(n))), `${n}`).toBeUndefined();
      const warned = records.events.flatMap((event) => (event.type === "warning" ? [event.message] : []));
      expect(warned).toEqual(files.map(([path]) => expect.stringContaining(`${path} is damaged`)));
      expect(must(await records.stage(key(50)))).toBeUndefined();
      expect(must(await records.trustedStage(key(50)))).toBeUndefined();
      expect(must(await records.trustedRun(COMMIT, "churn"))).toBeUndefined();
      const mended = [stage(1, true), stage(50, true)];
      expect(must(await records.publish({ stages: mended, runs: [run(true)] })).kept).toEqual([]);
      for (const record of mended) expect(must(await records.trustedStage(record.key))).toEqual(record);
      expect(must(await records.trustedRun(COMMIT, "churn"))).toEqual(run(true));
    });

    test(
      "looks at a test set: one for each of the predictions, whoever counts at once, and none is lost",
      patient,
      async () => {
        await using rig = await start();
        const testSet = digestOf("e");
        const at = (day: number): string => `2026-03-0${day}T00:00:00.000Z`;
        const machines = await Promise.all([1, 2, 3].map(() => open(rig)));
        expect(must(await machines[0]!.looks(testSet))).toBeUndefined();
        const runs = [0, 1, 2, 3].map((n) =>
          run(true, {
            commit: String(n).repeat(40),
            startedAt: at(n + 1),
            data: { customers: digestOf(n < 2 ? "a" : "b") },
          }),
        );
        must(await machines[0]!.publish({ stages: [], runs }));
        const look = (n: number): Look => ({ testSet, predictions: digestOf(String(n)), run: runs[n] as RunRecord });
        const counted = await Promise.all(
          machines.map((records, n) => records.publish({ stages: [], runs: [], looks: [look(n + 1), look(0)] })),
        );
        for (const each of counted) expect(must(each).looks).toHaveLength(2);
        const last = await open(rig);
        must(await last.refresh());
        const known = must(await last.looks(testSet));
        expect(known).toMatchObject({ testSet, count: 4, first: at(1), last: at(4) });
        expect(known?.data).toEqual({ customers: { [digestOf("a")]: 2, [digestOf("b")]: 2 } });
        expect(known?.predictions.toSorted()).toEqual(["0", "1", "2", "3"].map(digestOf));
        const head = await rig.git("rev-parse", BRANCH);
        expect(
          must(await last.publish({ stages: [], runs: [], looks: [{ ...look(1), run: runs[3] as RunRecord }] })).looks,
        ).toEqual([known]);
        // Each is written into its run as well, and stays there when the run is published again.
        must(await last.publish({ stages: [], runs: [runs[2] as RunRecord] }));
        expect(await rig.git("rev-parse", BRANCH)).toBe(head);
        const { run: _, ...noted } = look(2);
        expect(must(await last.run("2".repeat(40), "churn"))).toEqual({ ...runs[2], looks: [noted] });
        expect(must(await last.looks(digestOf("a")))).toBeUndefined();
      },
    );

    test(`${writers} writers at once lose nothing, and the history is a line`, patient, async () => {
      await using rig = await start();
      await atOnce(rig, writers);
    });
  });
}

const digestOf = (digit: string): Digest => `sha256:${digit.repeat(64)}` as Digest;

async function open(rig: RecordsRig): Promise<Records & { readonly events: ProgressEvent[] }> {
  const { context, options } = await rig.machine();
  return { ...openRecords(context, options), events: context.events };
}

/** Many machines publish at the same moment; all that they brought must be there, in as many commits in a row. */
export async function atOnce(rig: RecordsRig, writers: number): Promise<void> {
  const machines = await Promise.all(Array.from({ length: writers }, () => open(rig)));
  const commits = machines.map((_, n) => n.toString(16).padStart(40, "0"));
  const published = await Promise.all(
    machines.map((records, n) =>
      records.publish({
        // One of its own, and one that all of them bring; odd ones are untrusted.
        stages: [stage(n, n % 2 === 0), stage(200, true)],
        runs: [run(n % 2 === 0, { commit: commits[n]!, ms: n })],
      }),
    ),
  );
  for (const result of published) must(result);
  const history = (await rig.git("rev-list", "--parents", BRANCH)).split("\n");
  expect(history).toHaveLength(writers);
  expect(history.map((line) => line.split(" ").length - 1).filter((parents) => parents !== 1)).toEqual([0]);
  const at = async (path: string): Promise<unknown> =>
    JSON.parse(await rig.git("show", `${BRANCH}:${path}`)) as unknown;
  for (const [n, commit] of commits.entries()) {
    const folder = n % 2 === 0 ? "" : "untrusted/";
    expect(await at(`${folder}${stagePath(key(n))}`)).toEqual(stage(n, n % 2 === 0));
    expect(await at(`${folder}${runPath(commit, "churn")}`)).toMatchObject({ ms: n });
  }
  expect(await at(stagePath(key(200)))).toEqual(stage(200, true));
}
