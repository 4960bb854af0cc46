/**
 * `node server.ts COUNT EXAMPLES`: a GitHub of its own process, with so many pull requests whose experiments have ended
 * and left their results. Tells its parent of them, then of each request that it had since it was asked last.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { FILES, PERMISSIONS, resultZip, Rig, sh } from "../../../test/report/rig.ts";
import type { Change } from "../../../test/report/rig.ts";

/** A request to the API, and when it had its answer: ms since the epoch. */
export interface Seen {
  readonly what: string;
  readonly at: number;
}

/** One report that is due. */
export interface Due {
  readonly workspace: string;
  readonly event: unknown;
  readonly env: Readonly<Record<string, string>>;
}

export type Told = { readonly due: readonly Due[] } | { readonly seen: readonly Seen[] };

/** As the runner fills them in. */
const inputs = defaults(join(import.meta.dirname, "..", "..", "..", "actions", "report", "action.yml"));
const [count = "", examples = ""] = process.argv.slice(2);
let seen: Seen[] = [];
const files = { ...FILES, "src/make.mjs": FILES["src/make.mjs"]!.replaceAll("200", examples) };
await using rig = await Rig.start(files, {
  observer: ({ method, path }) => void seen.push({ what: `${method} ${path}`, at: Date.now() }),
});
await rig.recordBase();
const due: Due[] = [];
for (let index = 0; index < Number(count); index++) {
  const change = await rig.propose(`change-${index}`, {
    "params.yaml": `model:\n  wrong: ${12 + index}\n  sure: 0.8\n`,
  });
  const runId = await rig.leave(change, resultZip(await rig.experiment(change.merge)));
  due.push(await dueOf(index, change, runId));
}
seen = [];
const told: Told = { due };
process.send?.(told);
const ended = new Promise<void>((resolve) => process.once("disconnect", () => resolve()));
process.on("message", () => {
  const answer: Told = { seen };
  seen = [];
  process.send?.(answer);
});
await ended;

/** The report's job: its clone of the default branch, its event, its token. */
async function dueOf(index: number, change: Change, runId: number): Promise<Due> {
  const { sandbox, clone } = rig;
  const workspace = join(clone, "..", `report-${index}`);
  mkdirSync(workspace);
  await sh(workspace, "clone", "--quiet", sandbox.cloneUrl("acme/toy", "acme"), ".");
  await sh(workspace, "remote", "set-url", "origin", `${sandbox.url}/acme/toy.git`);
  const id = sandbox.world.nextId();
  const token = sandbox.world.mintToken({ repository: "acme/toy", permissions: PERMISSIONS, runId: id, jobId: id });
  const event = {
    action: "completed",
    workflow_run: {
      id: runId,
      run_attempt: 1,
      html_url: `${sandbox.url}/acme/toy/actions/runs/${runId}`,
      event: "pull_request",
      path: ".github/workflows/lockstep-experiment.yml",
      head_sha: change.head,
      head_branch: change.branch,
      head_repository: { full_name: change.repository },
      actor: { login: "ann" },
      conclusion: "success",
      run_started_at: "2026-01-02T03:04:05Z",
    },
  };
  const env = {
    ...Object.fromEntries(Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])),
    "INPUT_GITHUB-TOKEN": token,
    ACTIONS_RESULTS_URL: `${sandbox.url}/`,
    ACTIONS_RUNTIME_TOKEN: token,
    GITHUB_ACTIONS: "true",
    GITHUB_API_URL: sandbox.apiUrl,
    GITHUB_EVENT_NAME: "workflow_run",
    GITHUB_REPOSITORY: "acme/toy",
    GITHUB_RUN_ATTEMPT: "1",
    GITHUB_RUN_ID: String(id),
    GITHUB_SERVER_URL: sandbox.url.replace("127.0.0.1", "github.localhost"),
    GITHUB_WORKSPACE: workspace,
  };
  return { workspace, event, env };
}

function defaults(file: string): Record<string, string> {
  const { inputs: declared } = parse(readFileSync(file, "utf8")) as {
    inputs: Record<string, { readonly default?: string | number | boolean }>;
  };
  return Object.fromEntries(Object.entries(declared).map(([name, input]) => [name, String(input.default ?? "")]));
}
