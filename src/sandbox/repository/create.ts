import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fullName } from "../rest/shape.ts";
import { gitDir } from "../state.ts";
import type { Repository, Role, World } from "../world.ts";
import { git, tryGit } from "./git.ts";

export interface NewRepository {
  readonly owner: string;
  readonly name: string;
  /** False when left out. */
  readonly private?: boolean;
  /** "main" when left out. */
  readonly defaultBranch?: string;
  /** "Allow GitHub Actions to create and approve pull requests": off when left out, as on GitHub. */
  readonly allowActionsPullRequests?: boolean;
  readonly collaborators?: Readonly<Record<string, Role>>;
  readonly variables?: Readonly<Record<string, string>>;
  readonly secrets?: Readonly<Record<string, string>>;
}

const GIT_SETTINGS: Readonly<Record<string, string>> = {
  "http.receivepack": "true",
  // A job fetches its commit by id, also when the branch has moved on.
  "uploadpack.allowAnySHA1InWant": "true",
  "uploadpack.allowFilter": "true",
  // Pull request refs belong to the server.
  "receive.hideRefs": "refs/pull",
  "gc.auto": "0",
};

/** Names the variable that tells the hook below that a job's token pushes. */
export const BY_JOB = "SANDBOX_PUSH_BY_JOB";

/** A job's token can never push a change of a workflow file: only an app with `workflows: write` can. */
const PRE_RECEIVE = `#!/bin/sh
[ "$${BY_JOB}" = 1 ] || exit 0
while read -r old new ref; do
  case "$new" in *[!0]*) ;; *) continue ;; esac
  file=$(git log --format= --name-only "$new" --not --all -- .github/workflows | head -n 1)
  if [ -n "$file" ]; then
    echo "refusing to allow a GitHub App to create or update workflow \\\`$file\\\` without \\\`workflows\\\` permission" >&2
    exit 1
  fi
done
`;

async function prepare(repository: Pick<Repository, "gitDir">): Promise<void> {
  for (const [name, value] of Object.entries(GIT_SETTINGS)) await git(repository, ["config", name, value]);
  const hooks = join(repository.gitDir, "hooks");
  await mkdir(hooks, { recursive: true });
  await writeFile(join(hooks, "pre-receive"), PRE_RECEIVE);
  await chmod(join(hooks, "pre-receive"), 0o755);
}

function register(world: World, options: NewRepository, parent: string | null): Repository {
  const name = fullName(options);
  if (world.repositories.has(name)) throw new Error(`the repository ${name} is already there`);
  const now = world.clock.timestamp();
  const repository: Repository = {
    id: world.nextId(),
    owner: options.owner,
    name: options.name,
    defaultBranch: options.defaultBranch ?? "main",
    private: options.private ?? false,
    parent,
    gitDir: gitDir(world.dir, name),
    createdAt: now,
    pushedAt: now,
    allowActionsPullRequests: options.allowActionsPullRequests ?? false,
    collaborators: { ...options.collaborators },
    variables: { ...options.variables },
    secrets: { ...options.secrets },
    nextNumber: 1,
    workflows: [],
    runs: [],
    issues: [],
    comments: [],
    labels: [],
    checkRuns: [],
    statuses: [],
    releases: [],
    deployments: [],
    artifacts: [],
    caches: [],
  };
  for (const login of [options.owner, ...Object.keys(repository.collaborators)]) world.user(login);
  world.repositories.set(name, repository);
  world.touch();
  return repository;
}

/** Makes an empty repository. Throws when there is one of that name. */
export async function createRepository(world: World, options: NewRepository): Promise<Repository> {
  const repository = register(world, options, null);
  const branch = `--initial-branch=${repository.defaultBranch}`;
  await mkdir(repository.gitDir, { recursive: true });
  await git(repository, ["init", "--quiet", "--bare", "--template=", branch, repository.gitDir]);
  await prepare(repository);
  return repository;
}

/** Forks `parent` for `owner`: branches and tags, not issues, variables or secrets. An existing fork is given back. */
export async function forkRepository(world: World, parent: Repository, owner: string): Promise<Repository> {
  const known = world.repositories.get(`${owner}/${parent.name}`);
  if (known?.parent === fullName(parent)) return known;
  const { name, defaultBranch } = parent;
  const fork = register(world, { owner, name, defaultBranch, private: parent.private }, fullName(parent));
  await mkdir(join(fork.gitDir, ".."), { recursive: true });
  const cloned = await tryGit(parent, ["clone", "--quiet", "--bare", "--template=", parent.gitDir, fork.gitDir]);
  if (cloned.exitCode !== 0) throw new Error(`git clone ended with ${cloned.exitCode}: ${cloned.stderr}`);
  await prepare(fork);
  return fork;
}
