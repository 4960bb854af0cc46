import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { foundRepository, propose } from "./experiment.ts";
import type { Pull } from "./experiment.ts";
import type { Stage } from "./stage.ts";
import type { Facts, Teller } from "./teller.ts";
import { images, infer, sendTraffic } from "./traffic.ts";

const MODEL = "digits";
/** What a team that uses Lockstep has in its repository: the digits example, without Lockstep itself. */
const FILES = [
  "pipelines/digits.yaml",
  "pipelines/digits",
  "models/digits/model.yaml",
  "data",
  "data.lock.json",
  "params.yaml",
];
const TRAFFIC = 600;
const DAY = 24 * 60 * 60 * 1000;

interface Lock {
  readonly versions: readonly { version: number; digest: string; files: Record<string, string>; verdict: string }[];
  readonly aliases: Readonly<Record<string, number | null>>;
}
interface Comment {
  readonly id: number;
  readonly html_url: string;
  readonly body: string;
  readonly user: { readonly login: string };
}
interface Issue {
  readonly number: number;
  readonly title: string;
  readonly state: string;
  readonly updated_at: string;
  readonly pull_request?: unknown;
}

/** The main job from the first push to the retrained model. Throws at the first thing that does not go as told. */
export async function tellStory(stage: Stage, teller: Teller): Promise<Facts> {
  const { api, git, settle, sandbox } = stage;

  await teller.step("A team has a repository: a pipeline, a model's rules, data, four workflows", async (say) => {
    await foundRepository(stage, FILES);
    say(`1,797 real images of handwritten digits, named in data.lock.json\n${stage.page("/")}`);
  });

  await teller.step("Bob pushes main: the pipeline runs, version 1 is promoted and deployed", async (say) => {
    await git("push", "-q", "origin", "main");
    await settle();
    const lock = await readLock(stage);
    say(
      `version ${lock.aliases["production"]} is in production\n${stage.page("/actions")}\n${stage.page("/releases")}`,
    );
  });

  const first = await teller.step("Alice proposes an experiment in a pull request", async (say) => {
    const pull = await propose(stage, {
      branch: "better-training",
      title: "Train longer, with augmented images",
      body: "More epochs and shifted copies of the images should help with digits that are off centre.",
      edit: async () => say(await editParameters(stage)),
    });
    say(stage.page(`/pull/${pull.number}`));
    await settle();
    return pull;
  });

  const review = await teller.step("The comment answers: is it better?", async (say) => {
    const comment = await reportComment(stage, first.number);
    say(
      comment.body
        .replace(/<!--[\s\S]*?-->\s*/g, "")
        .split("\n")
        .slice(0, 16)
        .join("\n"),
    );
    say(comment.html_url);
    const status = await api<{ state: string }>("bob", "GET", `/commits/${first.head.sha}/status`);
    if (status.state !== "success") throw new Error(`the commit status of the pull request is ${status.state}`);
    return { comment, digest: await reviewedDigest(stage, first.head.sha), requests: requestsOfPullRequest(stage) };
  });

  const promoted = await teller.step(
    "Bob merges: the reviewed bytes are promoted, nothing is trained again",
    async (say) => {
      await api("bob", "PUT", `/pulls/${first.number}/merge`, { merge_method: "merge" });
      await settle();
      const lock = await readLock(stage);
      const version = lock.versions.find((entry) => entry.version === lock.aliases["production"]);
      if (version === undefined || version.version !== 2) throw new Error("version 2 was not promoted");
      const digest = version.files["model.onnx"] ?? "";
      if (digest !== review.digest) throw new Error(`reviewed ${review.digest} but promoted ${digest}`);
      say(`version 2, model.onnx ${digest}\n${stage.page(`/releases`)}`);
      return { version: version.version, digest, verdict: version.verdict };
    },
  );

  const deployment = await teller.step("The deployed model answers", async (say) => {
    const url = await deploymentUrl(stage);
    const [image] = images(stage);
    if (image === undefined) throw new Error("there is no image to ask about");
    const answer = await infer(url, MODEL, image);
    say(`POST ${url}/v2/models/${MODEL}/infer -> ${answer} (it is a ${image.label})\n${stage.page("/deployments")}`);
    return { url, answer };
  });

  const drift = await teller.step(
    "A scanner degrades: the scheduled check opens one issue and one retraining PR",
    async (say) => {
      const sent = await sendTraffic(deployment.url, MODEL, stage, { worn: 1, seed: 1, count: TRAFFIC });
      say(
        `${TRAFFIC} degraded images were sent; ${percent(sent.accuracy)} were read right. Their labels came back as feedback`,
      );
      await sandbox.clock.advance(DAY);
      await settle();
      const before = await driftState(stage);
      say(`issue #${before.issue.number}: ${before.issue.title}\n${stage.page(`/issues/${before.issue.number}`)}`);
      say(`PR #${before.pull.number}: ${before.pull.title}\n${stage.page(`/pull/${before.pull.number}`)}`);
      return before;
    },
  );

  const second = await teller.step("The next day's check updates both and opens nothing new", async (say) => {
    await sandbox.clock.advance(DAY);
    await settle();
    const after = await driftState(stage);
    say(`still issue #${after.issue.number} and PR #${after.pull.number}`);
    return after;
  });

  await teller.step("Bob lets the bot's PR run; it goes through the loop as any other", async (say) => {
    const { workflow_runs: waiting } = await api<{ workflow_runs: { id: number }[] }>(
      "bob",
      "GET",
      `/actions/runs?status=action_required&head_sha=${second.pull.head.sha}`,
    );
    if (waiting.length === 0) throw new Error("no workflow of the retraining PR waits for approval");
    for (const run of waiting) await api("bob", "POST", `/actions/runs/${run.id}/approve`);
    await settle();
    const comment = await reportComment(stage, second.pull.number);
    say(
      comment.body
        .replace(/<!--[\s\S]*?-->\s*/g, "")
        .split("\n")
        .slice(0, 12)
        .join("\n"),
    );
    say(comment.html_url);
  });

  const retrained = await teller.step("Bob merges the retrained model", async (say) => {
    await api("bob", "PUT", `/pulls/${second.pull.number}/merge`, { merge_method: "merge" });
    await settle();
    const lock = await readLock(stage);
    const version = lock.aliases["production"];
    if (version !== 3) throw new Error(`version ${version} is in production, not the retrained one`);
    say(`version 3 is in production, at ${await deploymentUrl(stage)}`);
    return version;
  });

  const closed = await teller.step(
    "Both scanners stay in use, and the new model knows them: the next check closes the issue",
    async (say) => {
      const share = TRAFFIC / (images(stage).length + TRAFFIC);
      const sent = await sendTraffic(await deploymentUrl(stage), MODEL, stage, {
        worn: share,
        seed: 2,
        count: TRAFFIC,
      });
      await sandbox.clock.advance(DAY);
      await settle();
      const issue = await api<Issue>("bob", "GET", `/issues/${drift.issue.number}`);
      say(`${percent(share)} of ${TRAFFIC} images from the worn scanner; ${percent(sent.accuracy)} were read right`);
      say(`issue #${issue.number} is ${issue.state}`);
      if (issue.state !== "closed") throw new Error("the drift issue is still open");
      return true;
    },
  );

  return {
    pullRequest: first.number,
    comment: { id: review.comment.id, url: review.comment.html_url },
    verdict: promoted.verdict,
    reviewedDigest: review.digest,
    promotedDigest: promoted.digest,
    version: promoted.version,
    deployment,
    driftIssue: { before: drift.issue.number, after: second.issue.number, closed },
    retrainingPullRequest: { before: drift.pull.number, after: second.pull.number },
    retrainedVersion: retrained,
    requests: { total: apiRequests(stage).length, onePullRequest: review.requests },
  };
}

/** The experiment: the change to params.yaml that `scripts/demo/experiment.json` describes. */
async function editParameters({ clone, git }: Stage): Promise<string> {
  const file = join(clone, "params.yaml");
  const changes = JSON.parse(readFileSync(join(import.meta.dirname, "experiment.json"), "utf8")) as Record<
    string,
    string
  >;
  let text = readFileSync(file, "utf8");
  for (const [from, to] of Object.entries(changes)) {
    if (!text.includes(from)) throw new Error(`params.yaml has no "${from}"`);
    text = text.replace(from, to);
  }
  writeFileSync(file, text);
  return (await git("diff", "-U0", "params.yaml"))
    .split("\n")
    .filter((line) => /^[-+] /.test(line))
    .join("\n");
}

async function readLock({ api }: Stage): Promise<Lock> {
  const file = await api<{ content: string }>("bob", "GET", `/contents/models/${MODEL}/lock.json?ref=main`);
  return JSON.parse(Buffer.from(file.content, "base64").toString()) as Lock;
}

async function reportComment({ api }: Stage, pull: number): Promise<Comment> {
  const comments = await api<Comment[]>("bob", "GET", `/issues/${pull}/comments`);
  const [comment, ...others] = comments.filter((entry) => entry.user.login === "github-actions[bot]");
  if (comment === undefined || others.length > 0)
    throw new Error(`PR #${pull} has ${others.length + (comment ? 1 : 0)} report comments`);
  return comment;
}

/** Digest of the model file that the pull request's run made, as the records branch has it. */
async function reviewedDigest({ git, sandbox, repository }: Stage, headSha: string): Promise<string> {
  await git(
    "fetch",
    "-q",
    sandbox.cloneUrl(repository, "bob"),
    "+lockstep-records:refs/demo/records",
    `+refs/pull/*/merge:refs/demo/merge/*`,
  );
  const merges = (await git("for-each-ref", "--format=%(objectname) %(parent)", "refs/demo/merge")).split("\n");
  const merge = merges.map((line) => line.split(" ")).find((ids) => ids.slice(1).includes(headSha))?.[0];
  if (merge === undefined) throw new Error("the pull request has no merge commit");
  const run = JSON.parse(await git("show", `refs/demo/records:runs/${merge}/${MODEL}.json`)) as {
    stages: { stage: string; key: string }[];
  };
  const key = run.stages.find((stage) => stage.stage === "export")?.key ?? "";
  const record = JSON.parse(await git("show", `refs/demo/records:stages/${key.slice(0, 2)}/${key}.json`)) as {
    outs: { path: string; digest: string }[];
  };
  const out = record.outs.find((entry) => entry.path.endsWith("model.onnx"));
  if (out === undefined) throw new Error("the reviewed run has no model.onnx");
  return out.digest;
}

async function deploymentUrl({ api }: Stage): Promise<string> {
  const [latest] = await api<{ id: number }[]>("bob", "GET", "/deployments?environment=production&per_page=1");
  if (latest === undefined) throw new Error("there is no deployment to production");
  const [status] = await api<{ state: string; environment_url: string }[]>(
    "bob",
    "GET",
    `/deployments/${latest.id}/statuses`,
  );
  if (status?.state !== "success") throw new Error(`the deployment is ${status?.state ?? "without a status"}`);
  return status.environment_url.replace(/\/$/, "");
}

async function driftState({ api }: Stage): Promise<{ issue: Issue; pull: Pull }> {
  const issues = (await api<Issue[]>("bob", "GET", "/issues?state=open")).filter(
    (issue) => issue.pull_request === undefined,
  );
  const pulls = await api<Pull[]>("bob", "GET", "/pulls?state=open");
  const [issue] = issues;
  const [pull] = pulls;
  if (issue === undefined || pull === undefined || issues.length > 1 || pulls.length > 1) {
    throw new Error(`there are ${issues.length} open issues and ${pulls.length} open pull requests, not one of each`);
  }
  return { issue, pull };
}

function apiRequests({ sandbox }: Stage): { runId?: number }[] {
  return sandbox.world.requestLog.filter((entry) => entry.runId !== undefined && entry.route.startsWith("/repos/"));
}

/** API requests that the workflow runs of the first pull request made (git and the Actions service apart). */
function requestsOfPullRequest(stage: Stage): number {
  const repository = stage.sandbox.world.repositories.get(stage.repository);
  const runs = new Set(
    repository?.runs.filter((run) => run.event === "pull_request" || run.event === "workflow_run").map((run) => run.id),
  );
  return apiRequests(stage).filter((entry) => runs.has(entry.runId ?? -1)).length;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
