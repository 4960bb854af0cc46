import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { S3_PROGRAM } from "../store/drivers/s3-server.ts";
import type { BenchReport } from "../../scripts/bench/report.ts";

const MAIN = resolve(import.meta.dirname, "..", "..", "scripts", "bench", "main.ts");
const here = spawnSync(S3_PROGRAM, ["--version"]).error === undefined;
if (!here) console.warn(`skipped: ${S3_PROGRAM} is not on PATH`);

describe.skipIf(!here)("npm run bench", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "bench-system-"))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function environment(): NodeJS.ProcessEnv {
    return { ...process.env, TMPDIR: folder };
  }

  it("measures, judges, writes it down and leaves nothing behind", { timeout: 240_000 }, () => {
    const json = join(folder, "bench.json");
    const cases = "add-small,status-small,push-small,pull-small,pull-one,add-large,edit-large,add-tiny,status-tiny";
    const args = ["data", "--scale", "0.002", "--runs", "1", "--cases", cases, "--without", "dvc", "--json", json];
    const run = spawnSync(process.execPath, [MAIN, ...args], {
      env: environment(),
      encoding: "utf8",
      timeout: 230_000,
    });
    expect(run.stderr).not.toContain("lockstep data status failed");
    expect(run.status, run.stderr).toBe(0);
    const report = JSON.parse(readFileSync(json, "utf8")) as BenchReport;
    expect(report.cases.map(({ name }) => name).join()).toBe(cases);
    const ours = report.cases.flatMap(({ outcomes }) => outcomes.filter(({ role }) => role === "ours"));
    expect(ours.every(({ samples }) => samples.length === 1 && samples[0]!.seconds > 0 && samples[0]!.peak > 1e7)).toBe(
      true,
    );
    const verdicts = report.cases.flatMap(({ name, aims }) =>
      aims.map(({ text, verdict }) => `${name} ${text}: ${verdict}`),
    );
    expect(verdicts).toContain("push-small at most 50 objects: met");
    expect(verdicts).toContain("pull-one under 5 requests: met");
    expect(verdicts).toContain("add-small 5 times faster than dvc add: open");
    expect(run.stdout).toContain("Data at 0.002 of its size");
    expect(readdirSync(folder)).toEqual(["bench.json"]);
  });

  it("measures pipelines the same way", { timeout: 240_000 }, () => {
    const json = join(folder, "bench.json");
    const args = ["pipeline", "--scale", "0.02", "--runs", "1", "--without", "dvc", "--json", json];
    const run = spawnSync(process.execPath, [MAIN, ...args], {
      env: environment(),
      encoding: "utf8",
      timeout: 230_000,
    });
    expect(run.status, run.stderr).toBe(0);
    const { cases } = JSON.parse(readFileSync(json, "utf8")) as BenchReport;
    expect(cases.map(({ name }) => name).join()).toBe(
      "run-rows,plan-rows,status-rows,dag-items,plan-items,run-items,jobs,run-many,force-many,runs-list",
    );
    expect(cases.every(({ outcomes }) => outcomes.every(({ samples }) => samples[0]!.seconds > 0))).toBe(true);
    expect(readdirSync(folder)).toEqual(["bench.json"]);
  });

  it("measures the report the same way", { timeout: 240_000 }, () => {
    const [json, markdown] = [join(folder, "bench.json"), join(folder, "bench.md")];
    writeFileSync(markdown, "<!-- figures of report -->\n\n<!-- /figures of report -->\n");
    const args = ["report", "--scale", "0.001", "--runs", "1", "--json", json, "--markdown", markdown];
    const run = spawnSync(process.execPath, [MAIN, ...args], {
      env: environment(),
      encoding: "utf8",
      timeout: 230_000,
    });
    expect(run.status, run.stderr).toBe(0);
    const { cases } = JSON.parse(readFileSync(json, "utf8")) as BenchReport;
    expect(cases.map(({ name }) => name).join()).toBe(
      "verdict,post,html-digits,html-large,read-csv,read-jsonl,read-parquet",
    );
    const factsOf = (name: string) => cases.find((one) => one.name === name)?.outcomes[0]?.samples[0]?.facts ?? {};
    const {
      requests = 0,
      "seconds to the comment": comment = 0,
      "seconds to the last write": last = 0,
    } = factsOf("post");
    expect(requests).toBeGreaterThan(3);
    expect(comment).toBeGreaterThan(0);
    expect(last).toBeGreaterThan(comment);
    expect(factsOf("html-large")["bytes"]).toBeGreaterThan(factsOf("html-digits")["bytes"] ?? Infinity);
    // Where scikit-learn is installed.
    const peer = cases[0]?.outcomes.find(({ role }) => role === "peer")?.samples[0];
    if (peer !== undefined) expect(peer.seconds).toBeGreaterThan(peer.timed ?? Infinity);
    expect(readFileSync(markdown, "utf8")).toContain("### read-parquet: read 10,000 predictions from the store");
    expect(readdirSync(folder).sort()).toEqual(["bench.json", "bench.md"]);
  });

  it("leaves nothing behind when it is interrupted", { timeout: 120_000 }, async () => {
    const args = [
      MAIN,
      "data",
      "--scale",
      "0.01",
      "--runs",
      "100",
      "--cases",
      "add-small",
      "--without",
      "dvc,git-lfs,rclone",
    ];
    const child = spawn(process.execPath, args, { env: environment(), stdio: ["ignore", "ignore", "pipe"] });
    const ended = new Promise<number | null>((done) => child.on("exit", done));
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes("1/100")) child.kill("SIGINT");
    });
    expect(await ended, said).toBe(130);
    expect(readdirSync(folder)).toEqual([]);
  });
});
