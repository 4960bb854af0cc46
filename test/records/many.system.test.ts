import { once } from "node:events";
import { execFile, spawn } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BIN } from "../helpers/cli.ts";
import type { RunRecord } from "../../src/config/index.ts";
import { fileJson } from "../../src/core/index.ts";
import { openRecords, runPath } from "../../src/records/index.ts";
import { contextIn, repository, temporary } from "../git/repository.ts";
import { must } from "../store/contract.ts";
import { BRANCH, key, run } from "./fixture.ts";

const RUNS = 30_000;
const folder = temporary();
const path = join(folder.path, "r");

/** As a team's runs are: eleven parameters, six metrics, five stages, two pipelines, some failed, some of forks. */
function made(n: number): RunRecord {
  const stages = ["prepare", "featurise", "train", "evaluate", "report"].map((stage, at) => ({
    stage,
    key: key(at),
    status: (n + at) % 3 === 0 ? ("cached" as const) : ("run" as const),
    ms: ((n * 7919 + at) % 90_000) + 1,
    reason: "params.yaml: train.lr 0.01 -> 0.02",
    needs: at === 0 ? [] : ["prepare"],
  }));
  const params = Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`option${at}`, (n * at) % 17]));
  const metrics = Object.fromEntries(
    Array.from({ length: 6 }, (_, at) => [`metric${at}`, ((n * (at + 3)) % 997) / 997]),
  );
  return run(n % 5 !== 0, {
    commit: n.toString(16).padStart(40, "0"),
    pipeline: n % 2 === 0 ? "churn" : "digits",
    ok: n % 11 !== 0,
    ms: n,
    startedAt: new Date(Date.UTC(2026, 0, 1) + n * 60_000).toISOString(),
    stages,
    params: { "params.yaml": { train: { lr: (n % 100) / 1000, ...params } } },
    metrics: { "build/metrics.json": metrics } as unknown as RunRecord["metrics"],
  });
}

beforeAll(async () => {
  repository(path, { ".gitignore": ".lockstep/\n" });
  const { env } = contextIn(path);
  const git = spawn("git", ["fast-import", "--quiet"], {
    cwd: path,
    env: env as NodeJS.ProcessEnv,
    stdio: "pipe",
  });
  git.stdin.write(`commit refs/heads/${BRANCH}\ncommitter Ada <ada@example.com> 1 +0000\ndata 0\n`);
  for (let n = 0; n < RUNS; n++) {
    const record = made(n);
    const text = fileJson(record);
    const at = `${n % 5 === 0 ? "untrusted/" : ""}${runPath(record.commit, record.pipeline)}`;
    if (!git.stdin.write(`M 100644 inline ${at}\ndata ${text.length}\n${text}\n`)) await once(git.stdin, "drain");
  }
  git.stdin.end();
  await once(git, "close");
}, 300_000);
afterAll(() => folder[Symbol.dispose]());

/** Seconds of wall and processor time and the most memory (MB) of a command line, as a new process. */
async function measured(...args: string[]): Promise<{ wall: number; cpu: number; memory: number; json: unknown }> {
  const told = "process.on('exit',()=>{const u=process.resourceUsage();console.error(JSON.stringify(u))})";
  const { env } = contextIn(path);
  const from = performance.now();
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ["--import", `data:text/javascript,${encodeURIComponent(told)}`, BIN, "--json", "runs", "list", ...args],
    { cwd: path, env: env as NodeJS.ProcessEnv, maxBuffer: 1e9 },
  );
  const wall = (performance.now() - from) / 1000;
  const used = JSON.parse(stderr.trim().split("\n").at(-1)!) as NodeJS.ResourceUsage;
  const cpu = (used.userCPUTime + used.systemCPUTime) / 1e6;
  return { wall, cpu, memory: used.maxRSS / 1024, json: JSON.parse(stdout) };
}

test("30,000 runs are found, filtered and sorted, and one more is seen", { timeout: 300_000 }, async () => {
  const first = await measured();
  const lines: [string, Awaited<ReturnType<typeof measured>>][] = [["first", first]];
  const filters = ["--trusted", "--status", "ok", "--param", "train.lr=0.049", "--metric", "metric3>0.5"];
  for (const args of [
    [],
    [...filters, "--sort", "metric3"],
    ["--pipeline", "digits", "--sort", "duration", "--limit", "5"],
  ]) {
    // oxlint-disable-next-line no-await-in-loop -- one at a time is what is measured
    lines.push([args.join(" ") || "again", await measured(...args)]);
  }
  for (const [name, { wall, cpu, memory }] of lines) {
    console.log(`${name}: ${wall.toFixed(2)} s, ${cpu.toFixed(2)} s of processor, ${memory.toFixed(0)} MB`);
  }
  expect(first.json).toMatchObject({ total: RUNS });
  const expected = Array.from({ length: RUNS }, (_, n) => made(n)).filter(
    ({ ok, provenance, params, metrics }) =>
      ok &&
      provenance!.trusted &&
      (params["params.yaml"]!["train"] as { lr: number }).lr === 0.049 &&
      (Object.values(metrics)[0] as Record<string, number>)["metric3"]! > 0.5,
  );
  expect(lines[2]![1].json).toMatchObject({ total: expected.length });
  expect(expected.length).toBeGreaterThan(10);

  const context = contextIn(path);
  const records = openRecords(context, { branch: BRANCH, remote: null });
  must(await records.publish({ stages: [], runs: [made(RUNS)] }));
  const more = await measured();
  console.log(
    `one more: ${more.wall.toFixed(2)} s, ${more.cpu.toFixed(2)} s of processor, ${more.memory.toFixed(0)} MB`,
  );
  expect(more.json).toMatchObject({ total: RUNS + 1 });
});
