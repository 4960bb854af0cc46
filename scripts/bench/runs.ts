import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RunRecord } from "../../src/config/index.ts";
import { fileJson } from "../../src/core/index.ts";
import type { StageKey } from "../../src/core/index.ts";
import { runPath } from "../../src/records/index.ts";
import { underSeconds } from "./aim.ts";
import type { Case } from "./cases.ts";
import { CommandFailed } from "./measure.ts";
import type { Place } from "./place.ts";

const BRANCH = "lockstep-records";

/** As a team's runs are: eleven parameters, six metrics, five stages, two pipelines, some failed, some of forks. */
export function teamRun(n: number): RunRecord {
  const trusted = n % 5 !== 0;
  const commit = n.toString(16).padStart(40, "0");
  const stages = ["prepare", "featurise", "train", "evaluate", "report"].map((stage, at) => ({
    stage,
    key: at.toString(16).padStart(64, "0") as StageKey,
    status: (n + at) % 3 === 0 ? ("cached" as const) : ("run" as const),
    ms: ((n * 7919 + at) % 90_000) + 1,
    reason: "params.yaml: train.lr 0.01 -> 0.02",
    needs: at === 0 ? [] : ["prepare"],
  }));
  const params = Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`option${at}`, (n * at) % 17]));
  const metrics = Object.fromEntries(
    Array.from({ length: 6 }, (_, at) => [`metric${at}`, ((n * (at + 3)) % 997) / 997]),
  );
  return {
    recordVersion: 1,
    pipeline: n % 2 === 0 ? "churn" : "digits",
    commit,
    startedAt: new Date(Date.UTC(2026, 0, 1) + n * 60_000).toISOString(),
    ms: n,
    ok: n % 11 !== 0,
    stages,
    params: { "params.yaml": { train: { lr: (n % 100) / 1000, ...params } } },
    metrics: { "build/metrics.json": metrics } as unknown as RunRecord["metrics"],
    data: {},
    provenance: {
      trusted,
      event: "pull_request",
      repository: "acme/churn",
      headRepository: trusted ? "acme/churn" : "mallory/churn",
      workflow: ".github/workflows/lockstep-experiment.yml",
      workflowCommit: commit,
      runId: `${n}`,
      runAttempt: 1,
      actor: "ada",
    },
  };
}

/** What `git fast-import` makes a records branch with so many runs of. */
export function branchOf(runs: number): string {
  const files = Array.from({ length: runs }, (_, n) => {
    const record = teamRun(n);
    const text = fileJson(record);
    const at = `${record.provenance!.trusted ? "" : "untrusted/"}${runPath(record.commit, record.pipeline)}`;
    return `M 100644 inline ${at}\ndata ${Buffer.byteLength(text)}\n${text}\n`;
  });
  return `commit refs/heads/${BRANCH}\ncommitter Ada <ada@example.com> 1 +0000\ndata 0\n${files.join("")}`;
}

/** What is asked of many runs, once they are known. */
export function runsCase(place: Place, program: string, scale: number): Case {
  const runs = Math.max(100, Math.round(30_000 * scale));
  const folder = join(place.folder, "runs");
  const filter = ["--param", "train.lr=0.049", "--metric", "metric3>0.5", "--sort", "metric3"];
  const list = place.command(folder, [process.execPath, program, "--json", "runs", "list", "--trusted", ...filter]);
  return {
    name: "runs-list",
    title: `runs list of ${runs.toLocaleString("en")} runs, by parameter and metric, sorted`,
    entrants: [
      {
        name: "lockstep runs list",
        role: "ours",
        setup() {
          mkdirSync(folder);
          place.run(place.command(folder, ["git", "init", "--quiet"]));
          const stream = join(place.folder, "branch");
          writeFileSync(stream, branchOf(runs));
          place.run(place.shell(folder, "git fast-import --quiet < ../branch"));
          place.run(list);
        },
        commands: () => [list],
        check() {
          const { total } = JSON.parse(place.run(list)) as { total: number };
          if (total === 0 && scale === 1) throw new CommandFailed("it found no run");
        },
      },
    ],
    aims: [underSeconds(1)],
  };
}
