import { canonicalJson, fail, ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import type { DataLock, Dataset } from "../config/index.ts";
import { CatFile, git, workingTree } from "../git/index.ts";
import { DATA_LOCK, loadDataLock } from "./lock.ts";
import { parseDataLock } from "./lock-text.ts";

/** A commit that gave a dataset another content or place, or took it away. */
export interface DataVersion {
  readonly commit: string;
  /** When it was written, as git has it: ISO 8601 with the author's offset. */
  readonly date: string;
  readonly author: string;
  readonly subject: string;
  /** Null: this commit removed the dataset. */
  readonly dataset: Dataset | null;
  /** Against the version before: the first parent's. */
  readonly change: { readonly files: number; readonly bytes: number };
}

export interface DataLog {
  readonly name: string;
  /** Newest first. */
  readonly versions: readonly DataVersion[];
  /** True when this clone lacks older commits, and with them older versions. */
  readonly shallow: boolean;
}

interface Commit {
  readonly oid: string;
  /** The nearest ancestors that touched the lockfile. */
  readonly parents: readonly string[];
  readonly date: string;
  readonly author: string;
  readonly subject: string;
}

/**
 * The versions of a dataset in the history of HEAD. Two git processes whatever the number of commits: one lists
 * those that touched the lockfile, one hands out the lockfiles.
 */
export async function logData(context: Context, name: string): Promise<Result<DataLog>> {
  const commits = await commitsOf(context);
  if (!commits.ok) return commits;
  const datasets = await datasetsAt(context, name, commits.value);
  if (!datasets.ok) return datasets;
  const at = (oid: string): Dataset | undefined => datasets.value.get(oid);
  const versions = commits.value.flatMap((commit): DataVersion[] => {
    const { oid, parents, ...about } = commit;
    const now = at(oid);
    const before = parents.map(at);
    // A merge that takes over one side's version as it is made no version.
    if (parents.length === 0 ? now === undefined : before.some((old) => isSame(old, now))) return [];
    const [old] = before;
    const change = { files: (now?.files ?? 0) - (old?.files ?? 0), bytes: (now?.size ?? 0) - (old?.size ?? 0) };
    return [{ commit: oid, ...about, dataset: now ?? null, change }];
  });
  if (versions.length === 0) return unknown(context, name);
  const shallow = await git(context, ["rev-parse", "--is-shallow-repository"]);
  return shallow.ok ? ok({ name, versions, shallow: shallow.value.trim() === "true" }) : shallow;
}

async function commitsOf(context: Context): Promise<Result<Commit[]>> {
  // With --parents, %P names the nearest ancestors in the list, not those in the repository.
  const format = "--format=%H%x00%P%x00%aI%x00%an%x00%s";
  const listed = await git(context, ["log", "--topo-order", "--parents", "-z", format, "HEAD", "--", DATA_LOCK]);
  if (!listed.ok) return (await hasCommits(context)) ? listed : ok([]);
  const fields = listed.value.split("\0");
  const commits: Commit[] = [];
  for (let at = 0; at + 4 < fields.length; at += 5) {
    const [oid = "", parents = "", date = "", author = "", subject = ""] = fields.slice(at, at + 5);
    commits.push({ oid, parents: parents.split(" ").filter(Boolean), date, author, subject });
  }
  return ok(commits);
}

async function hasCommits(context: Context): Promise<boolean> {
  return (await git(context, ["rev-parse", "--verify", "--quiet", "HEAD"])).ok;
}

/** Commit -> the dataset in its lockfile. One that cannot be read is a warning, and counts as that of its parent. */
async function datasetsAt(
  context: Context,
  name: string,
  commits: readonly Commit[],
): Promise<Result<Map<string, Dataset>>> {
  const objects = new CatFile(context);
  try {
    const found = new Map<string, Dataset>();
    const parsed = new Map<string, ReturnType<typeof parseDataLock>>();
    const read = await Promise.all(commits.map(({ oid }) => objects.read(`${oid}:${DATA_LOCK}`)));
    // From the oldest: a parent is known before its children.
    for (const [index, { oid, parents }] of [...commits.entries()].reverse()) {
      const object = read[index];
      if (object === undefined || !object.ok) return object ?? ok(found);
      if (object.value === undefined) continue; // this commit removed the lockfile
      const blob = object.value;
      const lock = parsed.get(blob.oid) ?? parseDataLock(DATA_LOCK, blob.bytes.toString());
      parsed.set(blob.oid, lock);
      if (!lock.ok) {
        context.emit({ type: "warning", message: `${DATA_LOCK} of commit ${oid.slice(0, 12)} cannot be read` });
      }
      const dataset = lock.ok ? datasetIn(lock.value, name) : found.get(parents[0] ?? "");
      if (dataset !== undefined) found.set(oid, dataset);
    }
    return ok(found);
  } finally {
    objects.close();
  }
}

function datasetIn({ datasets }: DataLock, name: string): Dataset | undefined {
  return Object.hasOwn(datasets, name) ? datasets[name] : undefined;
}

function isSame(a: Dataset | undefined, b: Dataset | undefined): boolean {
  const content = (dataset: Dataset | undefined): unknown =>
    dataset === undefined
      ? null
      : { path: dataset.path, kind: dataset.kind, digest: dataset.digest, mode: dataset.mode };
  return canonicalJson(content(a)) === canonicalJson(content(b));
}

async function unknown(context: Context, name: string): Promise<Result<never>> {
  const lock = await loadDataLock(workingTree(context));
  if (!lock.ok) return lock;
  const known = Object.keys(lock.value.datasets);
  const failure = { code: "unknown-name", what: "dataset", name, known } as const;
  const hint = "data.lock.json names it, but no commit does yet: commit the lockfile";
  return fail(known.includes(name) ? { ...failure, what: "committed version of dataset", hint } : failure);
}
