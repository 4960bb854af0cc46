import { compareCodeUnits, fail, ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { CatFile } from "./cat-file.ts";
import { git } from "./command.ts";
import type { FileMode, Source } from "./source.ts";

interface TreeEntry {
  readonly mode: string;
  readonly oid: string;
}

/** The full name of the commit that a revision (branch, tag, `HEAD~1`, ...) means; `unknown-name` when there is none. */
export async function resolveCommit(context: Context, revision: string): Promise<Result<string>> {
  const unknown = fail({
    code: "unknown-name",
    what: "revision",
    name: revision,
    known: [],
    hint: "a shallow clone lacks older commits; `git fetch` brings what the remote has",
  });
  if (revision === "" || revision.startsWith("-") || /[\n\0]/.test(revision)) return unknown;
  const commit = await git(context, ["rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`]);
  if (commit.ok) return ok(commit.value.trim());
  const [failure] = commit.failures;
  return failure.code === "git" && failure.exitCode === 1 ? unknown : commit;
}

/** The files of a commit, from git's objects. Two processes whatever the number of files: the list is read once. */
export async function atRevision(context: Context, revision: string): Promise<Result<Source>> {
  const commit = await resolveCommit(context, revision);
  if (!commit.ok) return commit;
  return ok(atCommit(context, commit.value, revision));
}

/** The same of a commit that is known to be here, by its full name. */
export function atCommit(context: Context, commit: string, label = commit): Source {
  return new RevisionSource(context, label, commit);
}

class RevisionSource implements Source {
  readonly label: string;
  readonly commit: string;
  readonly #context: Context;
  readonly #objects: CatFile;
  #entries: Promise<Result<ReadonlyMap<string, TreeEntry>>> | undefined;
  #paths: readonly string[] | undefined;

  constructor(context: Context, label: string, commit: string) {
    this.label = label;
    this.commit = commit;
    this.#context = context;
    this.#objects = new CatFile(context);
  }

  async read(path: string): Promise<Result<Buffer | undefined>> {
    const entries = await this.#tree();
    if (!entries.ok) return entries;
    const entry = entries.value.get(path);
    if (entry === undefined) return ok(undefined);
    const odd = unreadable(path, entry.mode);
    if (odd !== undefined) return fail({ code: "unsupported", what: odd });
    const object = await this.#objects.read(entry.oid);
    if (!object.ok) return object;
    if (object.value === undefined) {
      return fail({ code: "git", command: `cat-file ${entry.oid}`, exitCode: 0, stderr: `${path}: object is missing` });
    }
    return ok(object.value.bytes);
  }

  async list(folder: string): Promise<Result<readonly string[]>> {
    const entries = await this.#tree();
    if (!entries.ok) return entries;
    this.#paths ??= [...entries.value.keys()].sort(compareCodeUnits);
    return ok(folder === "" ? this.#paths : this.#paths.filter((path) => path.startsWith(`${folder}/`)));
  }

  async stat(path: string): Promise<Result<"file" | "folder" | undefined>> {
    const entries = await this.#tree();
    if (!entries.ok) return entries;
    if (entries.value.has(path)) return ok("file");
    for (const other of entries.value.keys()) if (other.startsWith(`${path}/`)) return ok("folder");
    return ok(path === "" ? "folder" : undefined);
  }

  async mode(path: string): Promise<Result<FileMode | undefined>> {
    const entries = await this.#tree();
    if (!entries.ok) return entries;
    const entry = entries.value.get(path);
    return ok(entry === undefined ? undefined : entry.mode === "100755" ? "755" : "644");
  }

  #tree(): Promise<Result<ReadonlyMap<string, TreeEntry>>> {
    return (this.#entries ??= this.#readTree());
  }

  async #readTree(): Promise<Result<ReadonlyMap<string, TreeEntry>>> {
    const listed = await git(this.#context, ["ls-tree", "-r", "-z", "--full-tree", this.commit]);
    if (!listed.ok) return listed;
    const entries = new Map<string, TreeEntry>();
    for (const line of listed.value.split("\0")) {
      const match = /^(\d+) \w+ ([0-9a-f]+)\t(.+)$/s.exec(line);
      if (match) entries.set(match[3] as string, { mode: match[1] as string, oid: match[2] as string });
    }
    return ok(entries);
  }
}

function unreadable(path: string, mode: string): string | undefined {
  if (mode === "120000") return `${path}: a symbolic link as input`;
  if (mode === "160000") return `${path}: a submodule as input`;
  return undefined;
}
