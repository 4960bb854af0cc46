import { execFile, execFileSync } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BIN } from "../helpers/cli.ts";
import { openRecords } from "../../src/records/index.ts";
import { branchOf, teamRun } from "../../scripts/bench/runs.ts";
import { contextIn, repository, temporary } from "../git/repository.ts";
import { must } from "../store/contract.ts";
import { BRANCH } from "./fixture.ts";

const RUNS = 30_000;
const folder = temporary();
const path = join(folder.path, "r");

beforeAll(() => {
  repository(path, { ".gitignore": ".lockstep/\n" });
  const { env } = contextIn(path);
  execFileSync("git", ["fast-import", "--quiet"], { cwd: path, env: env as NodeJS.ProcessEnv, input: branchOf(RUNS) });
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
  const expected = Array.from({ length: RUNS }, (_, n) => teamRun(n)).filter(
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
  must(await records.publish({ stages: [], runs: [teamRun(RUNS)] }));
  const more = await measured();
  console.log(
    `one more: ${more.wall.toFixed(2)} s, ${more.cpu.toFixed(2)} s of processor, ${more.memory.toFixed(0)} MB`,
  );
  expect(more.json).toMatchObject({ total: RUNS + 1 });
});
