import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RunRecord } from "../../src/config/index.ts";
import { openWorkspace, sendRuns } from "../../src/pipeline/index.ts";
import type { Workspace } from "../../src/pipeline/index.ts";
import { contextIn, origin, sh, temporary, write } from "../git/repository.ts";
import { lockstep } from "../helpers/cli.ts";
import { value } from "../helpers/value.ts";
import { CHAIN_FILES, runDemo } from "../pipeline/project.ts";
import { run } from "../records/fixture.ts";

const folder = temporary();
const store = `file://${join(folder.path, "store")}`;
let path: string;
let bare: string;

beforeAll(() => {
  bare = origin(folder.path);
  path = join(folder.path, "work");
  sh(folder.path, "clone", "--quiet", bare, path);
  write(path, { ...CHAIN_FILES, ".github/lockstep.yml": `version: 1\nstore: ${store}\n` });
  sh(path, "add", "--all");
  sh(path, "commit", "--quiet", "--message=pipeline");
  sh(path, "push", "--quiet");
});
afterAll(() => folder[Symbol.dispose]());

async function workspace(): Promise<Workspace & { context: ReturnType<typeof contextIn> }> {
  const context = contextIn(path, { GIT_AUTHOR_NAME: "Ada" });
  return { ...value(await openWorkspace(context)), context };
}

async function runHere(commit: string | null): Promise<void> {
  const { context, records, store: team } = await workspace();
  await runDemo(context, { records, store: team, commit: async () => commit, force: true });
}

test("runs of commits are sent with their bytes, as untrusted, once", async () => {
  const commit = sh(path, "rev-parse", "HEAD");
  await runHere(commit);
  await runHere(null);
  const { context, records, store: team } = await workspace();
  const sent = value(await sendRuns(context, { records, store: team }));
  expect(sent).toMatchObject({ stages: 3, changed: true, left: [{ commit: null, reason: "its tree is no commit" }] });
  expect(sent.runs).toMatchObject([{ commit, provenance: { trusted: false, event: "local" } }]);
  expect(sh(bare, "ls-tree", "-r", "--name-only", "lockstep-records").split("\n")).toEqual([
    `untrusted/runs/${commit}/demo.json`,
    ...sent.runs[0]!.stages.map(({ key }) => `untrusted/stages/${key?.slice(0, 2)}/${key}.json`).sort(),
  ]);
  for (const { key } of sent.runs[0]!.stages) {
    const record = value(await records.anyStage(key!));
    for (const { digest } of record!.outs) expect(value(await team.has(digest))).toBe(true);
  }
  const again = value(await sendRuns(context, { records, store: team }));
  expect(again).toMatchObject({ runs: [], changed: false });
  expect(sh(bare, "rev-list", "--count", "lockstep-records")).toBe("1");
  // It is one run, and stands on the branch now.
  const listed = value(await records.list());
  expect(listed.map(({ standing, commit: of }) => [standing, of])).toEqual(
    expect.arrayContaining([
      ["untrusted", commit],
      ["here", null],
    ]),
  );
  expect(listed).toHaveLength(2);
  // Never what a promotion, or a run elsewhere, may use.
  rmSync(join(path, ".lockstep/records"), { recursive: true });
  expect(value(await records.stage(sent.runs[0]!.stages[0]!.key!))).toBeUndefined();
});

test("a run whose bytes are gone stays here", async () => {
  write(path, { "src/rows.txt": "three\n" });
  sh(path, "commit", "--quiet", "--all", "--message=rows");
  const commit = sh(path, "rev-parse", "HEAD");
  await runHere(commit);
  rmSync(join(path, ".lockstep/cache"), { recursive: true });
  const pushed = await lockstep(path, "runs", "push");
  expect(pushed).toMatchObject({ exitCode: 0 });
  expect(pushed.stdout).toBe(
    `no runs to send\n  not sent: demo at ${commit.slice(0, 12)}, its output build/split is in no store\n`,
  );
});

test("list, show and diff, by any name of a commit, and names that cannot move the cursor", async () => {
  const [one, two] = ["HEAD~1", "HEAD"].map((name) => sh(path, "rev-parse", name));
  const records = [
    run(null, {
      pipeline: "churn",
      commit: one!,
      startedAt: "2026-01-02T00:00:00Z",
      params: { "p.yaml": { lr: 0.1 } },
    }),
    run(null, {
      pipeline: "churn",
      commit: two!,
      ok: false,
      startedAt: "2026-01-03T00:00:00Z",
      params: { "p.yaml": { lr: 0.2, "bad\u001b[2J\nname": "x\u202ey" } },
      metrics: { "m.json": { auc: 0.75 } } as unknown as RunRecord["metrics"],
    }),
  ];
  rmSync(join(path, ".lockstep"), { recursive: true });
  for (const record of records) {
    write(path, { [`.lockstep/records/runs/${record.commit}/churn.json`]: JSON.stringify(record) });
  }
  const asJson = async (...args: string[]): Promise<unknown> =>
    JSON.parse((await lockstep(path, "--json", ...args)).stdout);
  const listed = await lockstep(
    path,
    "runs",
    "list",
    "--pipeline",
    "churn",
    "--sort",
    "lr",
    "--reverse",
    "--columns",
    "lr,auc",
  );
  expect(listed.stdout).toBe(
    [
      "started              pipeline  commit        status  duration  standing  lr   auc",
      `2026-01-02T00:00:00  churn     ${one!.slice(0, 12)}  ok      12 ms     here      0.1`,
      `2026-01-03T00:00:00  churn     ${two!.slice(0, 12)}  failed  12 ms     here      0.2  0.75`,
      "",
    ].join("\n"),
  );
  expect(await asJson("runs", "list", "--metric", "auc>0.7", "--limit", "1")).toMatchObject({
    total: 1,
    runs: [{ commit: two, metrics: { "m.json:auc": 0.75 } }],
  });
  expect((await lockstep(path, "runs", "list", "--status", "well")).exitCode).toBe(2);
  expect(await asJson("runs", "show", "HEAD", "churn")).toEqual({ runs: [records[1]] });
  expect((await lockstep(path, "runs", "show", "HEAD", "other")).exitCode).toBe(2);
  const diff = await lockstep(path, "runs", "diff", one!.slice(0, 8), "HEAD");
  expect(diff.stdout.split("\n").map((line) => line.trimEnd())).toEqual([
    `churn                         ${one!.slice(0, 12)}         ${two!.slice(0, 12)}`,
    "started                       2026-01-02T00:00:00  2026-01-03T00:00:00",
    "status                        ok                   failed",
    "duration                      12 ms                12 ms",
    "p.yaml:bad\\u{1b}[2J\\u{a}name  -                    x\\u{202e}y",
    "p.yaml:lr                     0.1                  0.2",
    "m.json:auc                    -                    0.75",
    "",
  ]);
});
