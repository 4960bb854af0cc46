import { cpSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { spawn } from "../../src/core/index.ts";
import { OWNER } from "./stage.ts";
import type { Stage } from "./stage.ts";

export interface Pull {
  readonly number: number;
  readonly title: string;
  readonly user: { readonly login: string };
  readonly head: { readonly ref: string; readonly sha: string };
}

/** Every example needs these. */
const COMMON = [
  ".github/workflows/lockstep-*.yml",
  ".github/lockstep.yml",
  "pipelines/package.json",
  "pipelines/lib",
  "package.json",
  "package-lock.json",
];

/** Bob makes the repository with one example in it, as the first commit, not pushed yet. */
export async function foundRepository(stage: Stage, files: readonly string[]): Promise<void> {
  const { sandbox, repository, name, git } = stage;
  await sandbox.createRepository({
    owner: OWNER,
    name,
    allowActionsPullRequests: true,
    collaborators: { alice: "write", bob: "write" },
    // Its trainings take seconds: nobody needs to stay beside them.
    variables: { LOCKSTEP_STORE: `file://${stage.store}`, LOCKSTEP_PROGRESS: "begin" },
  });
  await copy(stage, [...COMMON, ...files]);
  await git("init", "-q", "-b", "main");
  await as(stage, "bob");
  await git("remote", "add", "origin", sandbox.cloneUrl(repository, "bob"));
  await git("add", "-A");
  await git("commit", "-q", "-m", `The ${name} example`);
  if (existsSync(join(stage.clone, "data.lock.json"))) await stage.lockstep("data", "push");
}

interface Proposal {
  readonly branch: string;
  readonly title: string;
  readonly body: string;
  /** Changes the clone's files. */
  readonly edit: () => Promise<void> | void;
}

/** Alice opens a pull request; its workflows begin. */
export async function propose(stage: Stage, { branch, title, body, edit }: Proposal): Promise<Pull> {
  const { git, sandbox, repository } = stage;
  await git("pull", "-q", "--ff-only", "origin", "main");
  await as(stage, "alice");
  await git("checkout", "-q", "-b", branch);
  await edit();
  await git("commit", "-q", "-am", title);
  await git("push", "-q", sandbox.cloneUrl(repository, "alice"), branch);
  return stage.api<Pull>("alice", "POST", "/pulls", { title, head: branch, base: "main", body });
}

async function as({ git }: Stage, person: string): Promise<void> {
  await git("config", "user.name", person);
  await git("config", "user.email", `${person}@users.noreply.github.com`);
}

async function copy({ root, clone }: Stage, paths: readonly string[]): Promise<void> {
  const listed = await spawn("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ...paths], {
    cwd: root,
  });
  const files = listed.stdout
    .toString()
    .split("\0")
    .filter((file) => file !== "" && existsSync(join(root, file)));
  for (const file of files) cpSync(join(root, file), join(clone, file), { recursive: true });
  writeFileSync(join(clone, ".gitignore"), "node_modules/\n.lockstep/\nbuild/\ndata/digits/feedback/\n");
}
