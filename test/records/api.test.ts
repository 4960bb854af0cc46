import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Context } from "../../src/core/index.ts";
import { swapBranch, workingTree } from "../../src/git/index.ts";
import { experiment } from "../../src/pipeline/index.ts";
import { openRecords, recordsOptions } from "../../src/records/index.ts";
import { LOOKUPS } from "../../src/records/lookups.ts";
import { contextIn, temporary } from "../git/repository.ts";
import { CHAIN_FILES } from "../pipeline/project.ts";
import { must } from "../store/contract.ts";
import { key, provenance, stage } from "./fixture.ts";
import { ApiHost, runGit } from "./rigs.ts";

let host: ApiHost;
const folder = temporary();
beforeAll(async () => void (host = await ApiHost.start()));
afterAll(async () => {
  await host[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

type Rig = Awaited<ReturnType<ApiHost["rig"]>>;
let clones = 0;

/** A job's clone: of the last commit alone, with git's credentials as a checkout leaves them, or without any. */
async function clone(
  rig: Rig,
  options: { token?: string; push?: boolean } = {},
): Promise<Context & { events: unknown[] }> {
  const path = join(folder.path, `clone${clones++}`);
  const url = `${host.sandbox.url}/${rig.repository}.git`;
  const withToken = url.replace("//", `//x:${rig.token}@`);
  await mkdir(path);
  await runGit(path, ["clone", "--quiet", "--depth=1", withToken, "."]);
  if (options.push === false) await runGit(path, ["remote", "set-url", "origin", url]);
  const context = contextIn(path, {
    GITHUB_API_URL: host.sandbox.apiUrl,
    GITHUB_REPOSITORY: rig.repository,
    GITHUB_TOKEN: options.token ?? rig.token,
    LOCKSTEP_STORE: `file://${join(folder.path, "store")}`,
  });
  return { ...context, fetch: globalThis.fetch };
}

async function recordsOf(context: Context): Promise<ReturnType<typeof openRecords>> {
  return openRecords(context, must(await recordsOptions(context, workingTree(context))));
}

async function requestsOf(rig: Rig, work: () => Promise<unknown>): Promise<string[]> {
  const before = host.requests(rig.repository).length;
  await work();
  return host.requests(rig.repository).slice(before);
}

const CONTENTS = "GET /repos/{owner}/{repo}/contents/{path}";

test("a job whose stages are all cached asks once for each, and fetches no branch", async () => {
  await using rig = await host.rig();
  const first = await clone(rig);
  const files = Object.entries(CHAIN_FILES).map(([path, text]) => [path, Buffer.from(text)] as const);
  const author = { name: "Ada", email: "ada@example.com" };
  const change = async () => ({ ok: true as const, value: { message: "pipeline", files: new Map(files) } });
  must(await swapBranch(first, { remote: "origin", branch: "main", author, change }));
  await runGit(first.cwd, ["pull", "--quiet"]);
  const made = must(await experiment(first));
  expect(made.ran).toHaveLength(3);
  const records = await recordsOf(first);
  const trusted = made.document.stages.map((record) => ({ ...record, provenance: provenance(true) }));
  must(await records.publish({ stages: trusted, runs: [] }));

  const second = await clone(rig);
  const asked = await requestsOf(rig, async () => {
    expect(must(await experiment(second)).ran).toEqual([]);
  });
  expect(asked).toEqual([CONTENTS, CONTENTS, CONTENTS]);
});

test("what was asked is known; what was published since the clone is found", async () => {
  await using rig = await host.rig();
  const [writer, reader] = [await recordsOf(await clone(rig)), await recordsOf(await clone(rig))];
  must(await writer.publish({ stages: [stage(1, true)], runs: [] }));
  const asked = await requestsOf(rig, async () => {
    must(await reader.refresh(LOOKUPS));
    for (let twice = 0; twice < 2; twice++) {
      expect(must(await reader.stage(key(1)))).toEqual(stage(1, true));
      expect(must(await reader.trustedStage(key(2)))).toBeUndefined();
    }
  });
  expect(asked).toEqual([CONTENTS, CONTENTS]);
});

test("many lookups are one fetch, said before or found out", async () => {
  await using rig = await host.rig();
  const writer = await recordsOf(await clone(rig));
  must(await writer.publish({ stages: [stage(1, true), stage(LOOKUPS + 5, true)], runs: [] }));
  for (const told of [true, false]) {
    const context = await clone(rig);
    const reader = await recordsOf(context);
    const asked = await requestsOf(rig, async () => {
      if (told) must(await reader.refresh(LOOKUPS + 6));
      for (let n = 0; n <= LOOKUPS + 5; n++) {
        expect(must(await reader.stage(key(n))) !== undefined, `${n}`).toBe(n === 1 || n === LOOKUPS + 5);
      }
    });
    expect(asked.filter((request) => request === CONTENTS)).toHaveLength(told ? 0 : LOOKUPS);
    expect(asked.filter((request) => request.endsWith("git-upload-pack")).length).toBeGreaterThan(0);
    expect(await runGit(context.cwd, ["rev-parse", "--is-shallow-repository"])).toBe("true");
  }
});

test("where the API declines, the branch is fetched, with a warning", async () => {
  await using rig = await host.rig();
  must(await (await recordsOf(await clone(rig))).publish({ stages: [stage(1, true)], runs: [] }));
  const context = await clone(rig, { token: "expired" });
  const records = await recordsOf(context);
  expect(must(await records.stage(key(1)))).toEqual(stage(1, true));
  const message = expect.stringMatching(/^GitHub could not be asked for a record: GitHub answered 401/) as unknown;
  expect(context.events).toEqual([{ type: "warning", message }]);
});

test("where git may not push, the API publishes the same", async () => {
  await using rig = await host.rig();
  const context = await clone(rig, { push: false });
  const records = await recordsOf(context);
  const outcome = must(await records.publish({ stages: [stage(1, true)], runs: [] }));
  expect(outcome).toEqual({
    commit: await rig.git("rev-parse", "lockstep-records"),
    changed: true,
    kept: [],
    looks: [],
  });
  expect(context.events).toContainEqual({
    type: "warning",
    message: expect.stringMatching(
      /^the records could not be pushed, GitHub's API is used instead: `git fetch/,
    ) as unknown,
  });
  expect(must(await records.trustedStage(key(1)))).toEqual(stage(1, true));
});

test("a rule of the repository is a failure at once, and no race", async () => {
  await using rig = await host.rig();
  const reader = host.sandbox.world.mintToken({
    repository: rig.repository,
    permissions: { contents: "read" },
    runId: 1,
    jobId: 2,
  });
  const { context, options } = await rig.machine();
  const records = openRecords(context, { ...options, api: { ...options.api!, token: reader } });
  const refused = await records.publish({ stages: [stage(1, true)], runs: [] });
  expect(refused).toMatchObject({ ok: false, failures: [{ code: "github", status: 403 }] });
});

test("GitHub is asked only where the clone is the job's repository", async () => {
  await using rig = await host.rig();
  const context = await clone(rig);
  for (const [env, known] of [
    [{}, true],
    [{ GITHUB_REPOSITORY: rig.repository.toUpperCase() }, true],
    [{ GITHUB_REPOSITORY: "ada/other" }, false],
    [{ GITHUB_TOKEN: "" }, false],
    [{ GITHUB_API_URL: "" }, false],
  ] as const) {
    const options = must(await recordsOptions({ ...context, env: { ...context.env, ...env } }, workingTree(context)));
    expect(options.api !== undefined, JSON.stringify(env)).toBe(known);
  }
});
