import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { hasContent, localCache, openStore, verifyRoot } from "../../../src/store/index.ts";
import type { Checked, Named, Store } from "../../../src/store/index.ts";
import { message } from "../../../src/core/index.ts";
import type { Context, ProgressEvent, Result } from "../../../src/core/index.ts";
import { addData, collectGarbage, pullData, pushData } from "../../../src/data/index.ts";
import { contextIn, repository, sh, write } from "../../git/repository.ts";
import { startLockstep } from "../../helpers/cli.ts";
import type { Running } from "../../helpers/cli.ts";
import { must } from "../contract.ts";

const TEAM = "file:../team";

/** A command: as it is typed, and as the function that does its work. */
export interface Act {
  readonly line: readonly string[];
  readonly again: (
    stage: Stage,
  ) => Promise<{ readonly result: Result<unknown>; readonly events: readonly ProgressEvent[] }>;
}

/** One command that is started, or two at once. */
export interface Scene {
  readonly name: string;
  /** The prepared folder that it begins with. */
  readonly from: string;
  /** The store that it writes into. */
  readonly touches: "cache" | "team";
  readonly acts: readonly Act[];
  /** The content of `data/tree` may be one of these, before and after. */
  readonly versions: readonly ("one" | "two" | "nothing")[];
}

type Work = (context: Context, team: Store) => Promise<Result<unknown>>;

function act(line: readonly string[], work: Work): Act {
  return {
    line,
    async again({ work: folder }) {
      // As a process of its own: nothing is remembered from one to the next.
      const context = contextIn(folder);
      return { result: await work(context, must(openStore(context, TEAM))), events: context.events };
    },
  };
}

const add = (path: string): Act => act(["data", "add", path], async (context) => addData(context, { path }));
const push = act(["data", "push"], async (context, to) => pushData(context, { to }));
const pull = act(["data", "pull"], async (context, team) => pullData(context, { stores: [localCache(context), team] }));
function gc(hours: number): Act {
  const options = {
    team: true,
    graceMs: hours * 3_600_000,
    remove: true,
    tipsOnly: true,
    pullRequests: false,
    logged: [],
    missingOk: true,
  };
  const line = ["data", "gc", "--delete", "--tips", "--no-pull-requests", "--grace", `${hours}h`, "--missing-ok"];
  return act(line, async (context, store) => collectGarbage(context, { ...options, store }));
}
const tree = add("data/tree");

export const SCENES: readonly Scene[] = [
  { name: "add", from: "edited", touches: "cache", acts: [tree], versions: ["two"] },
  { name: "push", from: "added", touches: "team", acts: [push], versions: ["two"] },
  { name: "first push", from: "new", touches: "team", acts: [push], versions: ["one"] },
  { name: "pull", from: "behind", touches: "cache", acts: [pull], versions: ["one", "two", "nothing"] },
  { name: "pull into an empty clone", from: "clone", touches: "cache", acts: [pull], versions: ["nothing", "two"] },
  { name: "gc", from: "old", touches: "team", acts: [gc(0)], versions: ["two"] },
  { name: "add and add", from: "edited", touches: "cache", acts: [tree, add("data/other")], versions: ["two"] },
  { name: "the same add twice", from: "edited", touches: "cache", acts: [tree, tree], versions: ["two"] },
  { name: "push and push", from: "added", touches: "team", acts: [push, push], versions: ["two"] },
  { name: "pull and pull", from: "clone", touches: "cache", acts: [pull, pull], versions: ["nothing", "two"] },
  { name: "push and gc", from: "added", touches: "team", acts: [push, gc(1)], versions: ["two"] },
];

/** Where a scene plays: a working copy, and the team's store beside it. */
export class Stage {
  readonly folder: string;
  readonly work: string;

  constructor(folder: string) {
    this.folder = folder;
    this.work = join(folder, "work");
  }

  start({ line }: Act): Running {
    return startLockstep(this.work, ["--verbose", ...line]);
  }

  get team(): Store {
    return must(openStore(contextIn(this.work), TEAM));
  }

  get cache(): Store {
    return localCache(contextIn(this.work));
  }

  /** What the lockfile names, by name. */
  get locked(): Record<string, Named> {
    const text = existsSync(join(this.work, "data.lock.json"))
      ? readFileSync(join(this.work, "data.lock.json"), "utf8")
      : "";
    return text === "" ? {} : (JSON.parse(text) as { datasets: Record<string, Named> }).datasets;
  }
}

/** A file, or the files of a folder, with their bytes as one digest; undefined: it is not there. */
export function contentOf(folder: string): string | undefined {
  if (!existsSync(folder)) return undefined;
  const hash = createHash("sha256");
  if (!statSync(folder).isDirectory()) return hash.update(readFileSync(folder)).digest("hex");
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).sort((a, b) => (a < b ? -1 : 1));
  for (const path of paths) {
    const bytes = readFileSync(path);
    hash.update(`${path.slice(folder.length)} ${bytes.length}\n`).update(bytes);
  }
  return hash.digest("hex");
}

/** All objects of a store, sorted. */
export async function keysOf(store: Store): Promise<string[]> {
  const keys: string[] = [];
  for (const kind of ["blobs", "layouts"] as const) {
    for await (const { key } of store.driver.list(kind)) keys.push(key);
  }
  return keys.sort();
}

/** What is wrong with those of the roots that a store has, in words. */
export async function wrongIn(store: Store, roots: Iterable<Named>): Promise<string[]> {
  const wrong: string[] = [];
  const checked: Checked = new Map();
  const each = new Map([...roots].map((root) => [root.digest, root]));
  for (const root of each.values()) {
    if (!must(await hasContent(store, root))) continue;
    const { failures } = must(await verifyRoot(store, root, root.digest, checked));
    wrong.push(...failures.map((failure) => `${store.url}: ${message(failure)}`));
  }
  return wrong;
}

/** A copy whose files are the same files: nothing changes one in place. */
export function copyStage(from: Stage, to: string): Stage {
  execFileSync("cp", ["-al", from.folder, to]);
  return new Stage(to);
}

export interface Prepared {
  /** The folders that scenes begin with. */
  readonly stages: Readonly<Record<string, Stage>>;
  /** What any of them names. */
  readonly roots: readonly Named[];
  /** Contents of `data/tree`. */
  readonly versions: Readonly<Record<"one" | "two" | "nothing", string | undefined>>;
}

/** The state before each scene, in folders of its own; `large`: the data has a file that is kept as chunks. */
export async function prepare(folder: string, { large }: { readonly large: boolean }): Promise<Prepared> {
  const stages: Record<string, Stage> = {};
  const keep = (name: string, stage: Stage): Stage => (stages[name] = copyStage(stage, join(folder, name)));
  const run = async (done: Act, stage: Stage): Promise<void> => void must((await done.again(stage)).result);
  const first = new Stage(join(folder, "first"));
  repository(first.work, {
    "README.md": "x\n",
    ".github/lockstep.yml": "version: 1\nstore: file:../team\n",
    "data/keep": "",
  });
  const big = randomBytes(large ? 8_500_000 : 200_000);
  const small = (version: string): Record<string, string> =>
    Object.fromEntries(
      Array.from({ length: 40 }, (_, at) => [`data/tree/small/${at}`, `${at % 3 === 0 ? version : ""} ${at}`]),
    );
  write(first.work, { ...small("one"), "data/tree/big": big, "data/tree/middle": randomBytes(1_100_000) });
  write(first.work, {
    "data/other/a": "a",
    "data/other/b": randomBytes(300_000),
    "data/lone.bin": randomBytes(500_000),
  });
  await run(tree, first);
  await run(add("data/lone.bin"), first);
  commit(first, "one");
  keep("new", first);
  await run(push, first);
  // An edit in the middle of the large file, and of some small ones.
  const second = keep("second", first);
  rmSync(join(second.work, "data/tree/big"));
  rmSync(join(second.work, "data/tree/small"), { recursive: true });
  write(second.work, { ...small("two"), "data/tree/new": "new" });
  write(second.work, {
    "data/tree/big": Buffer.concat([
      big.subarray(0, big.length >> 1),
      Buffer.from("edit"),
      big.subarray(big.length >> 1),
    ]),
  });
  keep("edited", second);
  await run(tree, second);
  commit(second, "two");
  keep("added", second);
  await run(push, second);
  const roots = [...Object.values(first.locked), ...Object.values(second.locked)];
  keep("old", second);

  const behind = keep("behind", second);
  rmSync(join(behind.work, ".lockstep"), { recursive: true });
  rmSync(join(behind.work, "data"), { recursive: true });
  execFileSync("cp", ["-al", join(first.work, ".lockstep"), join(first.work, "data"), behind.work]);
  const clone = keep("clone", second);
  rmSync(join(clone.work, ".lockstep"), { recursive: true });
  rmSync(join(clone.work, "data/tree"), { recursive: true });
  rmSync(join(clone.work, "data/lone.bin"));
  const version = (stage: Stage): string | undefined => contentOf(join(stage.work, "data/tree"));
  return { stages, roots, versions: { one: version(first), two: version(second), nothing: undefined } };
}

function commit({ work }: Stage, name: string): void {
  sh(work, "add", "--all", ".gitignore", "data.lock.json");
  sh(work, "commit", "--quiet", `--message=${name}`);
}
