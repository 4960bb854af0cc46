import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { DataLock } from "../../src/config/index.ts";
import { fileJson } from "../../src/core/index.ts";
import { connect } from "../../src/github/index.ts";
import type { GitHub } from "../../src/github/index.ts";
import { driftCheck, encodeFeedback, encodePredictions, openLogs } from "../../src/monitor/index.ts";
import { profileJson, sketchTable } from "../../src/profile/index.ts";
import type { DriftReport, PredictionRow } from "../../src/monitor/index.ts";
import { startSandbox } from "../../src/sandbox/index.ts";
import type { Sandbox } from "../../src/sandbox/index.ts";
import { encodeTree, openStore, parseTree } from "../../src/store/index.ts";
import type { Store } from "../../src/store/index.ts";
import { createFixture } from "../deploy/fixture.ts";
import type { Fixture } from "../deploy/fixture.ts";
import { startLockstep } from "../helpers/cli.ts";
import { value } from "../helpers/value.ts";

const YAML = `
version: 1
pipeline: m
files: {model.onnx: build/model.onnx}
evaluation:
  predictions: build/p.csv
  task: multiclass
  columns: {id: id, label: label, prediction: prediction}
  metrics: [accuracy]
serving: {input: x, output: y, classes: ["0", "1"]}
monitor:
  window: 7d
  retrain: {when: drift, dataset: d, columns: {id: name, label: class, features: pixel}}
`;
const WIDTH = 6;
const author = { name: "bot", email: "bot@users.noreply.github.com" };

/** Six features, of which the first decides the class; a shift moves all of them. */
function examples(seed: number, count: number, shift = 0): { features: number[]; label: string }[] {
  const random = xoroshiro128plus(seed);
  return Array.from({ length: count }, () => {
    const features = Array.from({ length: WIDTH }, () => Math.round(uniformFloat64(random) * 100) / 100 + shift);
    return { features, label: features[0]! - shift > 0.5 ? "1" : "0" };
  });
}

let fixture: Fixture;
let sandbox: Sandbox;
let github: GitHub;
let state: string;
let store: Store;
beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), "lockstep-sandbox-"));
  sandbox = await startSandbox({ dir: state });
  await sandbox.createRepository({ owner: "acme", name: "m", collaborators: { bot: "write", ann: "admin" } });
  fixture = await createFixture(YAML);
  store = value(openStore(fixture.context, `file:${fixture.store}`));
  const table = examples(1, 600).map(({ features, label }) => [...features, label].join(","));
  const header = `${Array.from({ length: WIDTH }, (_, i) => `x.${i}`).join(",")},prediction`;
  const profile = profileJson(value(sketchTable(`${header}\n${table.join("\n")}\n`)));
  await fixture.promote({ "model.onnx": Buffer.from("m"), "profile.json": Buffer.from(profile) }, { accuracy: 1 });
  await writeDataset("name,class,pixel.0\nseed,0,1\n");
  await fixture.git("add", ".");
  await fixture.git("commit", "--quiet", "--message", "start");
  await fixture.git("remote", "add", "origin", sandbox.cloneUrl("acme/m", "bot"));
  await fixture.git("push", "--quiet", "origin", "main");
  github = connect({
    token: sandbox.token("bot"),
    apiUrl: sandbox.apiUrl,
    repository: "acme/m",
    login: "bot",
    paced: false,
    emit: () => {},
  });
});
afterEach(async () => {
  await sandbox.close();
  await fixture[Symbol.asyncDispose]();
  await rm(state, { recursive: true, force: true });
});

async function writeDataset(csv: string): Promise<void> {
  const bytes = Buffer.from(csv);
  const digest = value(await store.put(bytes));
  const tree = value(encodeTree("d", [{ path: "seed.csv", mode: "644", size: bytes.length, digest }]));
  const path = "data/d" as DataLock["datasets"][string]["path"];
  const entry = { path, kind: "tree" as const, digest: value(await store.put(tree)), size: bytes.length, files: 1 };
  await fixture.write("data.lock.json", fileJson({ lockfileVersion: 1, datasets: { d: entry } } satisfies DataLock));
}

let batches = 0;
/** What a server would have logged; a share of the truth has come back. */
async function traffic(
  count: number,
  options: { shift?: number; labels?: number; wrong?: number; version?: number } = {},
): Promise<void> {
  const batch = ++batches;
  const logs = value(openLogs(fixture.context, `file:${fixture.store}`));
  const time = fixture.clock.getTime();
  const found = examples(100 + batch, count, options.shift);
  const rows = found.map(({ features, label }, i): PredictionRow => {
    const prediction = i < (options.wrong ?? 0) ? (label === "0" ? "1" : "0") : label;
    return { id: `b${batch}:${i}`, time, inputs: features, outputs: [], prediction };
  });
  const inputs = Array.from({ length: WIDTH }, (_, i) => `x.${i}`);
  const header = { model: "m", version: options.version ?? 1, inputs, outputs: [] };
  const shared = { model: "m", from: time, to: time };
  value(await logs.append({ ...shared, kind: "predictions", rows: count }, encodePredictions(header, rows)));
  const labels = found.slice(0, options.labels ?? 0).map(({ label }, i) => ({ id: `b${batch}:${i}`, time, label }));
  if (labels.length > 0)
    value(await logs.append({ ...shared, kind: "feedback", rows: labels.length }, encodeFeedback("m", labels)));
}

const check = async (): Promise<DriftReport> =>
  value(await driftCheck(fixture.context, github, { model: "m", remote: "origin", branch: "main", author }));
const api = async (path: string, method = "GET", body?: unknown): Promise<any> => {
  const response = await fetch(`${sandbox.apiUrl}/repos/acme/m${path}`, {
    method,
    headers: { authorization: `token ${sandbox.token("ann")}`, accept: "application/vnd.github+json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text === "" ? undefined : JSON.parse(text);
};
const branchHead = async (): Promise<string> =>
  (await fixture.git("ls-remote", "origin", "refs/heads/lockstep/retrain-m")).split("\t")[0]!;
/** Files of dataset `d` as a commit of the retraining branch has it. */
async function datasetAt(revision: string): Promise<Map<string, string>> {
  await fixture.git("fetch", "--quiet", "origin");
  const lock = JSON.parse(await fixture.git("show", `${revision}:data.lock.json`)) as DataLock;
  const entries = value(parseTree("d", value(await store.read(lock.datasets["d"]!.digest))));
  const files = new Map<string, string>();
  for (const { path, digest } of entries) files.set(path, value(await store.read(digest)).toString());
  expect(lock.datasets["d"]).toMatchObject({ files: entries.length });
  return files;
}

describe("a drift check", () => {
  it("says nothing with too few rows, and opens nothing without drift", async () => {
    expect(await check()).toMatchObject({ state: "unknown", rows: 0, issue: null, pullRequest: null });
    await traffic(50, { shift: 5 });
    expect(await check()).toMatchObject({ state: "unknown", rows: 50, issue: null });
    await rm(join(fixture.store, "logs"), { recursive: true });
    await traffic(300, { labels: 100 });
    expect(await check()).toMatchObject({ state: "healthy", rows: 300, issue: null, pullRequest: null });
    expect(await api("/issues?state=all")).toEqual([]);
    expect(await branchHead()).toBe("");
  });

  it("opens one issue and one pull request, keeps them, and closes the issue on recovery", async () => {
    await traffic(300, { shift: 0.4, labels: 3 });
    const first = await check();
    expect(first).toMatchObject({ state: "drifted", dataDrift: true, version: 1, rows: 300, share: 1 });
    expect(first.issue?.action).toBe("created");
    expect(first.pullRequest?.action).toBe("created");
    const issue = await api(`/issues/${first.issue!.number}`);
    expect(issue).toMatchObject({ title: "Model m has drifted", state: "open", user: { login: "bot" } });
    expect(issue.body).toContain("| `x.0` |");

    const pull = await api(`/pulls/${first.pullRequest!.number}`);
    expect(pull).toMatchObject({
      head: { ref: "lockstep/retrain-m" },
      base: { ref: "main" },
      changed_files: 1,
      commits: 1,
    });
    expect(pull.body).toContain(`Asked for by #${first.issue!.number}.`);
    const files = await datasetAt("origin/lockstep/retrain-m");
    expect([...files.keys()]).toEqual(["feedback/2026-03-01.csv", "seed.csv"]);
    const [header, ...rows] = files.get("feedback/2026-03-01.csv")!.trim().split("\n");
    expect(header).toBe("name,class,pixel.0,pixel.1,pixel.2,pixel.3,pixel.4,pixel.5");
    expect(rows).toHaveLength(3);
    expect(rows[0]).toMatch(/^b\d+:0,[01],\d\.\d+/);

    // Nothing new: nothing is written, on GitHub or in git.
    const head = await branchHead();
    const again = await check();
    expect(again).toMatchObject({ issue: { number: first.issue!.number, action: "unchanged" } });
    expect(again.pullRequest).toMatchObject({ number: first.pullRequest!.number, action: "unchanged" });
    expect(await branchHead()).toBe(head);

    // A day later: the same issue and pull request say more.
    fixture.clock = new Date("2026-03-02T12:00:00Z");
    await traffic(100, { shift: 0.4, labels: 2 });
    const later = await check();
    expect(later).toMatchObject({ rows: 400, issue: { number: first.issue!.number, action: "updated" } });
    expect(later.pullRequest).toMatchObject({ number: first.pullRequest!.number, action: "updated" });
    expect([...(await datasetAt("origin/lockstep/retrain-m")).keys()]).toEqual([
      "feedback/2026-03-01.csv",
      "feedback/2026-03-02.csv",
      "seed.csv",
    ]);

    // The window leaves it behind; healthy traffic follows. Rows that were proposed stay proposed.
    fixture.clock = new Date("2026-03-20T12:00:00Z");
    expect(await check()).toMatchObject({
      state: "unknown",
      issue: { number: first.issue!.number, action: "unchanged" },
    });
    await traffic(300);
    expect(await check()).toMatchObject({ state: "healthy", issue: { number: first.issue!.number, action: "closed" } });
    expect(await api(`/issues/${first.issue!.number}`)).toMatchObject({ state: "closed", state_reason: "completed" });
    expect(await check()).toMatchObject({ state: "healthy", issue: null });
    expect((await api("/issues?state=all")).filter((each: any) => each.pull_request === undefined)).toHaveLength(1);
  });

  it("sees a model get worse on inputs that look the same", async () => {
    await traffic(300, { labels: 300, wrong: 60 });
    const report = await check();
    expect(report).toMatchObject({ state: "drifted", dataDrift: false, predictionDrift: false, conceptDrift: true });
    expect(report.performance).toMatchObject({ metric: "accuracy", promised: 1, labelled: 300 });
    expect(report.performance!.now).toBeCloseTo(0.8, 6);
  });

  it("judges a version by its own requests", async () => {
    await traffic(300, { shift: 1, version: 2 });
    expect(await check()).toMatchObject({ state: "unknown", rows: 0 });
  });

  it("adds to the branch beside a person's commits, and never over them", async () => {
    await traffic(300, { shift: 0.4, labels: 3 });
    await check();
    const clone = join(fixture.root, "person");
    await fixture.git("clone", "--quiet", "--branch", "lockstep/retrain-m", sandbox.cloneUrl("acme/m", "ann"), clone);
    await fixture.write("../person/params.yaml", "epochs: 5\n");
    await fixture.git("-C", clone, "add", ".");
    await fixture.git("-C", clone, "commit", "--quiet", "--message", "train longer");
    await fixture.git("-C", clone, "push", "--quiet");
    await traffic(100, { shift: 0.4, labels: 1 });
    expect((await check()).pullRequest?.action).toBe("updated");
    await fixture.git("fetch", "--quiet", "origin");
    expect(await fixture.git("show", "origin/lockstep/retrain-m:params.yaml")).toBe("epochs: 5");
    expect(
      (await datasetAt("origin/lockstep/retrain-m")).get("feedback/2026-03-01.csv")!.trim().split("\n"),
    ).toHaveLength(5);
  });

  it("starts anew after a merge, and takes a closed pull request for a no", async () => {
    await traffic(300, { shift: 0.4, labels: 3 });
    const first = await check();
    await api(`/pulls/${first.pullRequest!.number}/merge`, "PUT", {});
    await fixture.git("pull", "--quiet", "origin", "main");
    expect(await check()).toMatchObject({
      pullRequest: null,
      note: "every labelled request is in the dataset already",
    });
    expect(await branchHead()).toBe("");

    await traffic(100, { shift: 0.4, labels: 2 });
    const second = await check();
    expect(second.pullRequest).toMatchObject({ action: "created" });
    expect(second.pullRequest!.number).not.toBe(first.pullRequest!.number);
    expect(
      (await datasetAt("origin/lockstep/retrain-m")).get("feedback/2026-03-01.csv")!.trim().split("\n"),
    ).toHaveLength(6);

    await api(`/pulls/${second.pullRequest!.number}`, "PATCH", { state: "closed" });
    const declined = await check();
    expect(declined.pullRequest).toBeNull();
    expect(declined.note).toContain(`#${second.pullRequest!.number} was closed without a merge`);
    await fixture.git("push", "--quiet", "origin", ":refs/heads/lockstep/retrain-m");
    expect((await check()).pullRequest).toMatchObject({ action: "created" });
  });

  it("keeps one issue and one pull request when two checks run at once", async () => {
    await traffic(300, { shift: 0.4, labels: 3 });
    const reports = await Promise.all([check(), check()]);
    expect(new Set(reports.map(({ pullRequest }) => pullRequest?.number)).size).toBe(1);
    const open = await api("/issues?state=open");
    expect(open.filter((each: any) => each.pull_request === undefined)).toHaveLength(1);
    expect(open.filter((each: any) => each.pull_request !== undefined)).toHaveLength(1);
  });
});

describe("labels", () => {
  it("that are no class never get into a dataset", async () => {
    await traffic(300, { shift: 0.4, labels: 2 });
    const logs = value(openLogs(fixture.context, `file:${fixture.store}`));
    const time = fixture.clock.getTime();
    const hostile = ['"\n=cmd|x', "2", "0\n../x,1,1", ""].map((label, i) => ({
      id: `b${batches}:${i + 2}`,
      time,
      label,
    }));
    const segment = { model: "m", kind: "feedback" as const, from: time, to: time, rows: hostile.length };
    value(await logs.append(segment, encodeFeedback("m", hostile)));
    const report = await check();
    expect(await api(`/pulls/${report.pullRequest!.number}`)).toMatchObject({
      body: expect.stringContaining("2 rows of the window, 4 more could not be used"),
    });
    expect(
      (await datasetAt("origin/lockstep/retrain-m")).get("feedback/2026-03-01.csv")!.trim().split("\n"),
    ).toHaveLength(3);
  });
});

describe("the command line", () => {
  it("shows drift and adds labelled requests to the working tree", async () => {
    fixture.clock = new Date();
    await traffic(300, { shift: 0.4, labels: 3 });
    const env = { LOCKSTEP_STORE: `file:${fixture.store}` };
    const run = async (...args: string[]) => startLockstep(fixture.repository, args, { env }).ended;
    const shown = await run("drift", "m");
    expect(shown.exitCode).toBe(1);
    expect(shown.stdout).toContain("m version 1: drifted, 300 rows");
    expect(shown.stdout).toMatch(/x\.0 +input +Kolmogorov-Smirnov/);
    const retrained = await run("retrain", "m", "--json");
    expect(retrained).toMatchObject({ exitCode: 0, stderr: "" });
    expect(JSON.parse(retrained.stdout)).toMatchObject({ dataset: "d", path: "data/d", rows: 3, changed: true });
    expect(await fixture.git("status", "--porcelain")).toContain("M data.lock.json");
    expect(JSON.parse((await run("retrain", "m", "--json")).stdout)).toMatchObject({ changed: false });
    expect((await run("drift", "nobody")).exitCode).toBe(2);
  });
});
