import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { StageKey } from "../../src/core/index.ts";
import { openRecords } from "../../src/records/index.ts";
import type { WorkflowRun } from "../../src/sandbox/world.ts";
import { contextIn, write } from "../git/repository.ts";
import { readResultArtifact } from "../helpers/artifact.ts";
import { openApiObserver } from "../helpers/openapi.ts";
import { value } from "../helpers/value.ts";
import { NAME, openRig } from "./rig.ts";
import type { Rig } from "./rig.ts";

const SECRET = "a-secret-of-the-repository";
const EXPERIMENT = ".github/workflows/lockstep-experiment.yml";

/** What a fork's job tries with whatever token and secret it can get hold of. */
const PROBE = `
const { GITHUB_API_URL: api, GITHUB_REPOSITORY: name, TOKEN: token, SECRET: secret, SHA: sha } = process.env;
const ask = async (method, path, body) => {
  const headers = { authorization: "Bearer " + token, "content-type": "application/json" };
  const { status } = await fetch(api + "/repos/" + name + path, { method, headers, body: JSON.stringify(body) });
  console.log("probe " + method + " " + path.split("/")[1] + " " + status);
};
await ask("POST", "/issues/1/comments", { body: "<!-- lockstep:report run=9999999 attempt=1 -->\\nBetter." });
await ask("POST", "/statuses/" + sha, { state: "success", context: "lockstep/gates" });
await ask("POST", "/check-runs", { name: "lockstep", head_sha: sha, status: "completed", conclusion: "success" });
await ask("POST", "/git/refs", { ref: "refs/heads/lockstep-records", sha });
await ask("PATCH", "/actions/variables/LOCKSTEP_STORE", { value: "file:///elsewhere" });
console.log("probe secret " + JSON.stringify(secret));
`;
const STEP = `      - if: always()
        env:
          TOKEN: \${{ github.token }}
          SECRET: \${{ secrets.KEY }}
          SHA: \${{ github.event.pull_request.head.sha }}
        run: node probe.mjs
`;

describe("a pull request from a fork", () => {
  const openapi = openApiObserver();
  let rig: Rig;
  let fork: string;
  beforeAll(async () => {
    rig = await openRig(openapi.observer, { KEY: SECRET });
    await rig.lockstep("init", "--json");
    await commit("first");
    await rig.run("git", ["push", "-q", "origin", "main"]);
    await rig.settle();
    await rig.run("git", ["pull", "-q", "--ff-only", "origin", "main"]);
    await rig.sandbox.fork(NAME, "mallory");
    fork = rig.sandbox.cloneUrl("mallory/first", "mallory");
  }, 300_000);
  afterAll(async () => rig.close());

  const read = (path: string): string => readFileSync(join(rig.clone, path), "utf8");
  const commit = async (message: string): Promise<void> => {
    await rig.run("git", ["add", "-A"]);
    await rig.run("git", ["commit", "-q", "-m", message]);
  };

  /** Pushes files to a branch of the fork and opens a pull request; the owner lets its workflows run. */
  async function propose(branch: string, edit: () => void): Promise<number> {
    await rig.run("git", ["checkout", "-q", "-B", branch, "main"]);
    edit();
    await commit(branch);
    await rig.run("git", ["push", "-q", fork, branch]);
    const response = await fetch(`${rig.sandbox.apiUrl}/repos/${NAME}/pulls`, {
      method: "POST",
      headers: { authorization: `token ${rig.sandbox.token("mallory")}` },
      body: JSON.stringify({ title: branch, head: `mallory:${branch}`, base: "main" }),
    });
    const { number } = (await response.json()) as { number: number };
    await rig.sandbox.executor?.idle();
    for (const run of rig.runs().filter(({ status }) => status === "action_required")) {
      await rig.sandbox.executor?.approve(run.id);
    }
    await rig.sandbox.executor?.idle();
    return number;
  }
  const repository = () => rig.sandbox.world.repositories.get(NAME)!;
  const comments = (issue: number): string[] =>
    repository()
      .comments.filter((comment) => comment.issue === issue)
      .map(({ body }) => body);
  const experimentOf = (branch: string): WorkflowRun =>
    rig.runs().findLast((run) => run.headBranch === branch && run.path === EXPERIMENT)!;
  const logOf = (run: WorkflowRun): string => run.jobs.flatMap((job) => job.steps.map(({ log }) => log)).join("\n");
  const cubic = (): void =>
    writeFileSync(
      join(rig.clone, "pipelines/first/params.json"),
      read("pipelines/first/params.json").replace('"degree": 1', '"degree": 3'),
    );
  const trusted = async (key: string): Promise<boolean> => {
    const records = openRecords(contextIn(rig.clone), { branch: "lockstep-records", remote: "origin" });
    value(await records.refresh());
    return value(await records.trustedStage(key as StageKey)) !== undefined;
  };

  let honest: number;
  it("is shown: the report judges it, and says that no promotion uses it", { timeout: 300_000 }, async () => {
    honest = await propose("cubic", cubic);
    expect(comments(honest)).toEqual([expect.stringMatching(/^<!-- lockstep:report run=\d+ attempt=1 -->/)]);
    const [comment = ""] = comments(honest);
    expect(comment).toContain("**Better.**");
    expect(comment).toContain("This result is from a fork: it is shown, and no promotion uses it.");
    const run = experimentOf("cubic");
    expect(run.jobs.map(({ permissions }) => Object.values(permissions).includes("write"))).toEqual([false]);
    const { stages } = await readResultArtifact(rig.sandbox.world, NAME, run.id);
    const train = stages.find(({ stage }) => stage === "train")!;
    expect(await trusted(train.key)).toBe(false);
  });

  let hostile: number;
  it("gains nothing by what it brings along", { timeout: 300_000 }, async () => {
    const gates = read("models/first/model.yaml");
    hostile = await propose("hostile", () => {
      const experiment = read(EXPERIMENT).replace(
        /contents: read.*/,
        "contents: write\n      statuses: write\n      checks: write\n      pull-requests: write",
      );
      write(rig.clone, {
        "probe.mjs": PROBE,
        [EXPERIMENT]: experiment + STEP,
        // A workflow of its own that calls itself like the experiment, and a report of its own.
        ".github/workflows/lockstep-evil.yml": read(EXPERIMENT).replace(/group: .*/, "group: evil"),
        ".github/workflows/evil.yml": read(EXPERIMENT).replace(/group: .*/, "group: evil-too"),
        ".github/workflows/lockstep-report.yml": read(".github/workflows/lockstep-report.yml").replace(
          /types: .*/,
          "types: []",
        ),
        ".github/lockstep.yml": "version: 1\nstore: file:elsewhere\nrecords: main\n",
        "models/first/model.yaml": gates.replace(/gates:[^]*/, "gates: []\n"),
        "pipelines/first/params.json": read("pipelines/first/params.json").replace('"epochs": 200', '"epochs": 0'),
      });
    });
    const log = logOf(experimentOf("hostile"));
    expect(log.match(/probe (?:POST|PATCH) \w+[\w-]* \d+/g)).toEqual([
      "probe POST issues 403",
      "probe POST statuses 403",
      "probe POST check-runs 403",
      "probe POST git 403",
      "probe PATCH actions 403",
    ]);
    expect(log).toContain('probe secret ""');
    expect(rig.runs().map(logOf).join("\n")).not.toContain(SECRET);
  });

  it("is judged by the gates of the base, in one comment, one check and one status", () => {
    const bodies = comments(hostile);
    expect(bodies).toHaveLength(1);
    expect(bodies[0]).toContain("This pull request edits the gates. It is judged by those of the base");
    expect(bodies[0]).toContain("and a gate fails");
    const { headSha } = experimentOf("hostile");
    const checks = repository().checkRuns.filter(
      (check) => check.headSha === headSha && check.name.startsWith("lockstep"),
    );
    expect(checks.map(({ name, conclusion }) => [name, conclusion])).toEqual([["lockstep", "failure"]]);
    const statuses = repository().statuses.filter(({ sha }) => sha === headSha);
    expect(new Set(statuses.map(({ context }) => context))).toEqual(new Set(["lockstep/gates"]));
    expect(statuses.at(-1)?.state).toBe("failure");
    expect(comments(honest)).toHaveLength(1);
  });

  it("moves neither the default branch nor a setting", async () => {
    expect(repository().variables["LOCKSTEP_STORE"]).toBe(`file://${rig.store}`);
    const main = await rig.run("git", ["ls-remote", "origin", "refs/heads/main"]);
    expect(main.split("\t")[0]).toBe((await rig.run("git", ["rev-parse", "main"])).trim());
  });

  it("is trained again once it is merged, on the merged code", { timeout: 300_000 }, async () => {
    await rig.api("PUT", `/pulls/${honest}/merge`, {});
    await rig.settle();
    const promotion = rig.runs().findLast(({ name }) => name === "Lockstep promote")!;
    expect(promotion.conclusion).toBe("success");
    expect(logOf(promotion)).toMatch(/train: runs, because/);
    const { stages } = await readResultArtifact(rig.sandbox.world, NAME, experimentOf("cubic").id);
    expect(await trusted(stages.find(({ stage }) => stage === "train")!.key)).toBe(true);
  });

  it("spoke GitHub's API all the while", () => {
    expect(openapi.violations()).toEqual([]);
  });
});
