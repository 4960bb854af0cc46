import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { WorkflowRun } from "../../src/sandbox/index.ts";
import { Rig } from "./rig.ts";

const root = resolve(import.meta.dirname, "..", "..");

/** Runs the real clients as an action would, in a process of its own; `code` says what with. */
async function asAction(rig: Rig, token: string, code: string): Promise<unknown> {
  const { url } = rig.sandbox;
  const script = `
    import * as cache from "@actions/cache";
    import artifact from "@actions/artifact";
    import { writeFileSync } from "node:fs";
    const run = async () => { ${code} };
    writeFileSync("answer.json", JSON.stringify(await run() ?? null));
  `;
  const work = join(rig.folder, "action");
  await mkdir(work, { recursive: true });
  const env = {
    PATH: process.env["PATH"],
    GITHUB_SERVER_URL: url.replace("127.0.0.1", "github.localhost"),
    GITHUB_API_URL: rig.sandbox.apiUrl,
    GITHUB_REPOSITORY: "ada/digits",
    GITHUB_WORKSPACE: work,
    RUNNER_TEMP: work,
    RUNNER_OS: "Linux",
    ACTIONS_RESULTS_URL: `${url}/`,
    ACTIONS_RUNTIME_TOKEN: token,
    ACTIONS_CACHE_SERVICE_V2: "True",
  };
  // The script stands where the packages can be found; its working directory is the action's.
  const file = join(root, "node_modules", ".cache", "lockstep", `action-${process.pid}.mjs`);
  await mkdir(join(file, ".."), { recursive: true });
  await writeFile(file, script);
  const child = await promisify(execFile)(process.execPath, [file], { cwd: work, env }).catch(
    (error: unknown) => error,
  );
  const answer = await readFile(join(work, "answer.json"), "utf8").catch(() => undefined);
  await writeFile(join(work, "answer.json"), "");
  if (answer === undefined || answer === "") throw new Error(`no answer: ${JSON.stringify(child)}`);
  return JSON.parse(answer) as unknown;
}

describe("the results service, used by the real clients", () => {
  let rig: Rig;
  let head: string;

  /** A run with one job, and the job's token. */
  function run(id: number, change: Partial<WorkflowRun> = {}): string {
    const at = rig.sandbox.world.clock.timestamp();
    rig.sandbox.world.repositories.get("ada/digits")?.runs.push({
      id,
      workflowId: 1,
      path: ".github/workflows/x.yml",
      name: "x",
      runNumber: id,
      attempt: 1,
      event: "push",
      payload: {},
      ref: "refs/heads/main",
      sha: head,
      headSha: head,
      headBranch: "main",
      headRepository: "ada/digits",
      actor: "ada",
      pullRequests: [],
      status: "in_progress",
      conclusion: null,
      createdAt: at,
      updatedAt: at,
      jobs: [],
      ...change,
    });
    return rig.jobToken({ actions: "read" }, id, id + 1000);
  }

  beforeAll(async () => {
    rig = await Rig.start();
    head = await rig.push("main", { "a.txt": "a\n" });
  });
  afterAll(async () => rig[Symbol.asyncDispose]());

  it("keeps an artifact, in blocks, and gives it to the same run and by the REST API", async () => {
    const token = run(1);
    const uploaded = await asAction(
      rig,
      token,
      `
      const { randomBytes } = await import("node:crypto");
      writeFileSync("model.bin", randomBytes(20 * 1024 * 1024));
      writeFileSync("result.json", "{}");
      const made = await artifact.uploadArtifact("result", ["model.bin", "result.json"], ".");
      const listed = await artifact.listArtifacts();
      const got = await artifact.downloadArtifact(made.id, { path: "down" });
      const { readFileSync } = await import("node:fs");
      const same = readFileSync("down/model.bin").equals(readFileSync("model.bin"));
      return { made, names: listed.artifacts.map(({ name, digest }) => [name, digest]), same, mismatch: got.digestMismatch };
      `,
    );
    expect(uploaded).toMatchObject({
      same: true,
      mismatch: false,
      names: [["result", expect.stringMatching(/^sha256:/) as string]],
    });
    const job = rig.octokit("ada");
    const { data } = await job.rest.actions.listWorkflowRunArtifacts({ owner: "ada", repo: "digits", run_id: 1 });
    expect(data.artifacts).toMatchObject([{ name: "result", expired: false, workflow_run: { id: 1, head_sha: head } }]);
    const { url } = await job.rest.actions
      .downloadArtifact({
        owner: "ada",
        repo: "digits",
        artifact_id: data.artifacts[0]?.id ?? 0,
        archive_format: "zip",
        request: { redirect: "manual" },
      })
      .then(({ headers }) => ({ url: headers.location ?? "" }));
    const zip = await fetch(url);
    expect(zip.headers.get("content-type")).toBe("application/zip");
    expect(
      Buffer.from(await zip.arrayBuffer())
        .subarray(0, 2)
        .toString(),
    ).toBe("PK");
    expect((await fetch(url.replace(/sig=.{4}/, "sig=0000"))).status).toBe(403);
    await rig.sandbox.clock.advance(61_000);
    expect((await fetch(url)).status).toBe(403);
    expect(rig.openapi.violations()).toEqual([]);
  });

  it("gives another run an artifact through the API only, and refuses a second of the same name", async () => {
    const token = run(2);
    const found = await asAction(
      rig,
      token,
      `
      const findBy = { token: ${JSON.stringify(token)}, workflowRunId: 1, repositoryOwner: "ada", repositoryName: "digits" };
      const { artifact: other } = await artifact.getArtifact("result", { findBy });
      await artifact.downloadArtifact(other.id, { path: "other", findBy });
      const { existsSync } = await import("node:fs");
      const own = await artifact.listArtifacts();
      writeFileSync("x.txt", "x");
      await artifact.uploadArtifact("twice", ["x.txt"], ".");
      const again = await artifact.uploadArtifact("twice", ["x.txt"], ".").catch((error) => error.message);
      const removed = await artifact.deleteArtifact("twice");
      return { there: existsSync("other/result.json"), own: own.artifacts.length, again, left: (await artifact.listArtifacts()).artifacts.length, removed: removed.id > 0 };
      `,
    );
    expect(found).toEqual({
      there: true,
      own: 0,
      again: expect.stringContaining("already exists") as string,
      left: 0,
      removed: true,
    });
  });

  it("moves the parcels of a compiled workflow: the later of one name counts, and none is no failure", async () => {
    const found = await asAction(
      rig,
      run(3),
      `
      const { mkdirSync, readFileSync } = await import("node:fs");
      const { artifacts } = await import(${JSON.stringify(join(root, "actions", "lib", "parcels.ts"))});
      mkdirSync("parcel/store", { recursive: true });
      const sent = [];
      for (const text of ["first", "second"]) {
        writeFileSync("parcel/store/.blob", text);
        sent.push((await artifacts.send("parcel", "parcel")).ok);
      }
      const received = [await artifacts.receive("parcel", "taken"), await artifacts.receive("other", "taken")];
      return { sent, received, text: readFileSync("taken/store/.blob", "utf8") };
      `,
    );
    const received = [true, false].map((value) => ({ ok: true, value }));
    expect(found).toEqual({ sent: [true, true], received, text: "second" });
  });

  it("saves a cache once, finds it by key and by prefix, in the scope that GitHub gives it", async () => {
    const helpers = `
      const { mkdirSync, rmSync, readFileSync } = await import("node:fs");
      const save = async (key) => {
        mkdirSync("cached", { recursive: true });
        writeFileSync("cached/a.txt", "kept by " + key);
        return cache.saveCache(["cached"], key);
      };
      const restore = async (key, ...restoreKeys) => {
        rmSync("cached", { recursive: true, force: true });
        const hit = await cache.restoreCache(["cached"], key, restoreKeys);
        return hit === undefined ? null : [hit, readFileSync("cached/a.txt", "utf8")];
      };`;
    const main = `${helpers} return [
      (await save("deps-1")) > 0, await save("deps-1"),
      await restore("deps-1"), await restore("deps-2", "deps-"), await restore("none")];`;
    const kept = ["deps-1", "kept by deps-1"];
    expect(await asAction(rig, run(3), main)).toEqual([true, -1, kept, kept, null]);
    // A pull request reads from its base, and what it saves is its own.
    const pull = {
      event: "pull_request",
      ref: "refs/pull/7/merge",
      payload: { pull_request: { base: { ref: "main" } } },
    };
    const inPull = `${helpers} return [await restore("deps-1"), (await save("deps-pr")) > 0, await restore("deps-pr")];`;
    expect(await asAction(rig, run(4, pull), inPull)).toEqual([kept, true, ["deps-pr", "kept by deps-pr"]]);
    const other = run(5, { ref: "refs/heads/other", headBranch: "other" });
    expect(await asAction(rig, other, `${helpers} return [await restore("deps-pr", "deps-p")];`)).toEqual([null]);
    const { data } = await rig.octokit("ada").rest.actions.getActionsCacheList({ owner: "ada", repo: "digits" });
    expect(data.actions_caches.map(({ key, ref }) => `${key} of ${ref}`).toSorted()).toEqual([
      "deps-1 of refs/heads/main",
      "deps-pr of refs/pull/7/merge",
    ]);
  });

  it("lets a run that outsiders can start fill no cache", async () => {
    const token = run(6, { event: "issue_comment" });
    const saved = `
      const { mkdirSync } = await import("node:fs");
      mkdirSync("cached", { recursive: true });
      writeFileSync("cached/a.txt", "poison");
      return cache.saveCache(["cached"], "poison");`;
    expect(await asAction(rig, token, saved)).toBe(-1);
    expect(rig.sandbox.world.repositories.get("ada/digits")?.caches.map(({ key }) => key)).not.toContain("poison");
  });

  it("refuses a token that is not the job's, and blocks that never came", async () => {
    const token = run(7);
    const call = async (method: string, body: object, bearer = token) =>
      fetch(`${rig.sandbox.url}/twirp/github.actions.results.api.v1.ArtifactService/${method}`, {
        method: "POST",
        headers: { authorization: `Bearer ${bearer}`, "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    const ids = { workflow_run_backend_id: "7", workflow_job_run_backend_id: "1007" };
    expect((await call("ListArtifacts", ids, rig.sandbox.token("ada"))).status).toBe(401);
    expect((await call("ListArtifacts", { ...ids, workflow_run_backend_id: "1" })).status).toBe(403);
    expect((await call("CreateArtifact", { ...ids, workflow_job_run_backend_id: "9", name: "x" })).status).toBe(403);
    expect((await call("CreateArtifact", { ...ids, name: "../x" })).status).toBe(400);
    const { signed_upload_url: url } = (await (await call("CreateArtifact", { ...ids, name: "x" })).json()) as {
      signed_upload_url: string;
    };
    const list = '<?xml version="1.0"?><BlockList><Latest>YQ==</Latest></BlockList>';
    expect((await fetch(`${url}&comp=blocklist`, { method: "PUT", body: list })).status).toBe(400);
    expect((await fetch(url, { method: "PUT", body: "bytes" })).status).toBe(400);
    expect((await call("FinalizeArtifact", { ...ids, name: "x", size: "5" })).status).toBe(404);
    await fetch(url, { method: "PUT", body: "bytes", headers: { "x-ms-blob-type": "BlockBlob" } });
    const wrong = { ...ids, name: "x", size: "5", hash: `sha256:${"0".repeat(64)}` };
    expect((await call("FinalizeArtifact", wrong)).status).toBe(400);
  });
});
