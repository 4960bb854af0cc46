import { ok } from "../../core/index.ts";
import type { Context, Digest, Failure, Result } from "../../core/index.ts";
import { git, workingTree } from "../../git/index.ts";
import { recordsOptions } from "../../records/index.ts";
import { DATA_LOCK } from "../lock.ts";
import { LOCKFILES, isLockfile, rootsOf } from "./lockfile.ts";
import { marksOfHistory, readLockfiles } from "./history.ts";
import type { FoundLockfile, HistoryOptions } from "./history.ts";
import { openHeads } from "./pull-requests.ts";
import { marksOfLocalRecords, marksOfRecords } from "./records.ts";
import { together } from "./root.ts";
import type { Doubt, Marks } from "./root.ts";
import { fetchTips, localTips, shallowness, workTrees } from "./tips.ts";
import type { RemoteRefs } from "./tips.ts";

export interface MarkOptions extends HistoryOptions {
  /**
   * True: what anybody of the team needs, so the remote is asked for its branches, tags and pull requests. False: what
   * this clone needs, as it stands.
   */
  readonly team: boolean;
  /** False: pull requests are not looked at, and that is no doubt. */
  readonly pullRequests: boolean;
  /** Segments of the prediction log. */
  readonly logged: readonly Digest[];
}

/** Every name of data that can be found, and why that may not be all of them. */
export async function findMarks(context: Context, options: MarkOptions): Promise<Result<Marks>> {
  const doubts: Doubt[] = [];
  const [remote, local, trees] = await Promise.all([
    options.team ? remoteTips(context, options.pullRequests, doubts) : NO_REMOTE,
    localTips(context),
    workTrees(context),
  ]);
  if (!local.ok) return local;
  if (!trees.ok) return trees;
  const heads = trees.value.flatMap(({ head }) => head ?? []);
  const found: Marks[] = [{ roots: [], doubts }];
  for (const marks of [
    marksOfHistory(context, [...local.value, ...heads, ...remote.branches], "branches and tags", options),
    marksOfHistory(context, remote.pulls, "open pull requests", options),
    ...trees.value.map(async ({ path }) => marksOfWorkTree({ ...context, cwd: path }, options.since)),
    marksOfBranch(context, remote.refs, options.since),
  ]) {
    const result = await marks;
    if (!result.ok) return result;
    found.push(result.value);
  }
  const roots = options.logged.map(
    (digest) => ({ kind: "file", digest, source: "prediction log", why: "a segment of the prediction log" }) as const,
  );
  return ok(together([...found, { roots, doubts: [] }]));
}

interface RemoteTips {
  readonly branches: readonly string[];
  readonly pulls: readonly string[];
  readonly refs: ReadonlyMap<string, string>;
}
const NO_REMOTE: RemoteTips = { branches: [], pulls: [], refs: new Map() };

/** What the team's remote has. Whatever keeps this from being all of it becomes a doubt. */
async function remoteTips(context: Context, pullRequests: boolean, doubts: Doubt[]): Promise<RemoteTips> {
  const shallow = await shallowness(context);
  if (!shallow.ok || shallow.value !== undefined) {
    doubts.push(...(shallow.ok ? [shallow.value!] : shallow.failures).map(unseen));
    return NO_REMOTE;
  }
  let pulls: ReadonlySet<string> = new Set();
  let unasked: readonly Failure[] = [];
  const wanted = async (remote: RemoteRefs): Promise<readonly string[]> => {
    const branches = [...remote.refs.keys()].filter((ref) => /^refs\/(heads|tags)\//.test(ref));
    if (!pullRequests) return branches;
    const open = await openHeads(context, remote);
    unasked = open.ok ? [] : open.failures;
    pulls = new Set(open.ok ? open.value : []);
    return [...branches, ...pulls];
  };
  const fetched = await fetchTips(context, wanted);
  doubts.push(...unasked.map(unseen));
  if (!fetched.ok) {
    doubts.push(...fetched.failures.map(unseen));
    return NO_REMOTE;
  }
  const refs = fetched.value;
  const at = (isPull: boolean): string[] => [...refs].flatMap(([ref, oid]) => (pulls.has(ref) === isPull ? [oid] : []));
  return { branches: at(false), pulls: at(true), refs };
}

function unseen(failure: Failure): Doubt {
  return { kind: "unseen", failure };
}

/** What the index and the files of a working tree name, and the records that were made in it. */
async function marksOfWorkTree(context: Context, since: Date | undefined): Promise<Result<Marks>> {
  const staged = await git(context, ["ls-files", "--stage", "-z", "--", ...LOCKFILES]);
  if (!staged.ok) return staged;
  const found = [...staged.value.matchAll(/100\d{3} ([0-9a-f]+) \d\t([^\0]+)\0/g)].map(
    ([, oid = "", path = ""]): FoundLockfile => ({ path, oid, where: `in the index of ${context.cwd}` }),
  );
  const indexed = await readLockfiles(context, found, "working trees");
  if (!indexed.ok) return indexed;
  const source = workingTree(context);
  const models = await source.list("models");
  if (!models.ok) return models;
  const marks: Marks[] = [indexed.value];
  for (const path of [DATA_LOCK, ...models.value.filter(isLockfile)]) {
    const text = await source.read(path);
    if (!text.ok) return text;
    if (text.value !== undefined)
      marks.push(rootsOf(path, text.value.toString(), "working trees", `in ${context.cwd}`));
  }
  const records = await marksOfLocalRecords(context.cwd, since);
  return records.ok ? ok(together([...marks, records.value])) : records;
}

/** What the records branch names: as the remote has it where it was asked, else as it was fetched last. */
async function marksOfBranch(
  context: Context,
  refs: ReadonlyMap<string, string>,
  since: Date | undefined,
): Promise<Result<Marks>> {
  const settings = await recordsOptions(context, workingTree(context));
  if (!settings.ok) return settings;
  const { branch, remote } = settings.value;
  const now = refs.get(`refs/heads/${branch}`);
  const known = await git(context, [
    "for-each-ref",
    "--format=%(objectname)",
    `refs/heads/${branch}`,
    ...(remote === null ? [] : [`refs/remotes/${remote}/${branch}`]),
  ]);
  if (!known.ok) return known;
  const commits = now === undefined ? known.value.split("\n").filter((commit) => commit !== "") : [now];
  const marks: Marks[] = [];
  for (const commit of new Set(commits)) {
    const read = await marksOfRecords(context, commit, since);
    if (!read.ok) return read;
    marks.push(read.value);
  }
  return ok(together(marks));
}
