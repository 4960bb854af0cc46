import { hash } from "node:crypto";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { attempt, fail, message, ok } from "../core/index.ts";
import type { Context, Digest, Result, StageKey } from "../core/index.ts";
import {
  condemned,
  copyOutputs,
  deleteCheckpoint,
  localCache,
  readCheckpoint,
  restore,
  snapshot,
  writeCheckpoint,
  writeFileAtomically,
} from "../store/index.ts";
import type { LocalStore, Snapshot, Store } from "../store/index.ts";
import type { CommandOptions } from "./process.ts";
import type { Stage } from "./stage.ts";
import type { GitFiles } from "./git-files.ts";

export interface CheckpointOptions {
  readonly stage: Stage;
  readonly key: StageKey;
  readonly tracked: GitFiles;
  /** The team's; an interruption does not stop it. */
  readonly store: Store;
  /** What is there does not count: the stage starts from the beginning. */
  readonly fresh: boolean;
}

type Folder = NonNullable<Stage["checkpoint"]>;

/** A folder that is written to while it is read is looked at this often before it is left for the next time. */
const TRIES = 5;
const TRY_MS = 500;
/** Who is asked to stop gets this long to write down where it stands. */
const GRACE_MS = 30_000;

/**
 * The folder in which a stage keeps what it needs to go on after it was ended too early. It belongs to one key; which
 * one is noted beside the cache, so that a folder of another experiment is never taken for it.
 */
export class Checkpoint {
  readonly #context: Context;
  readonly #options: CheckpointOptions;
  readonly #stores: readonly [LocalStore, Store];
  readonly #folder: Folder;
  readonly #stopped = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #saving: Promise<void> = Promise.resolve();
  #isSaving = false;
  #warned = false;
  /** What was stored last, and how many were before. */
  #last: Digest | undefined;
  #count = 0;

  private constructor(context: Context, options: CheckpointOptions, folder: Folder) {
    // An interrupted run stores what there is all the same.
    this.#context = { ...context, signal: this.#stopped.signal };
    this.#options = options;
    this.#stores = [localCache(this.#context), options.store];
    this.#folder = folder;
    this.#timer = setInterval(() => this.#tick(), folder.everyMs);
  }

  /** Puts the folder in place: as it was left here, else as it was stored last, else empty. */
  static async open(context: Context, options: CheckpointOptions): Promise<Result<Checkpoint | undefined>> {
    const { stage, key, fresh, tracked: git } = options;
    const folder = stage.checkpoint;
    if (folder === null) return ok(undefined);
    const tracked = await git.in(folder.path);
    if (!tracked.ok) return tracked;
    if (tracked.value !== "") {
      const problem = `git tracks ${tracked.value}, and a checkpoint of another key is deleted`;
      const hint = `\`git rm -r --cached ${folder.path}\` and ignore it`;
      return fail({ code: "file-invalid", at: stage.at(folder.where), problem, hint });
    }
    const checkpoint = new Checkpoint(context, options, folder);
    const note = checkpoint.#note;
    const owner = await readFile(note, "utf8").catch(() => "");
    const stored = await checkpoint.#stored();
    const placed = await attempt(folder.path, async () => {
      const absolute = join(context.cwd, folder.path);
      if (owner !== key || fresh) {
        await rm(note, { force: true });
        await rm(absolute, { recursive: true, force: true });
        if (!fresh) await checkpoint.#restore(stored);
      }
      await mkdir(absolute, { recursive: true });
    });
    const noted = placed.ok ? await writeFileAtomically(context, note, key, { durable: false }) : placed;
    if (noted.ok) return ok(checkpoint);
    clearInterval(checkpoint.#timer);
    return noted;
  }

  /** What the stage's commands are run with because of it. */
  get care(): Required<Pick<CommandOptions, "env" | "graceMs">> {
    return { env: { LOCKSTEP_CHECKPOINT: join(this.#context.cwd, this.#folder.path) }, graceMs: GRACE_MS };
  }

  /** After a stage that ended well nothing is left of it; after any other it is stored, for whoever goes on. */
  async end(well: boolean): Promise<void> {
    clearInterval(this.#timer);
    if (well) this.#stopped.abort();
    await this.#saving;
    if (!well) return this.#save();
    const removed = await attempt(this.#folder.path, async () => {
      await rm(this.#note, { force: true });
      await rm(join(this.#context.cwd, this.#folder.path), { recursive: true, force: true });
    });
    if (!removed.ok) this.#warn("could not be deleted", removed.failures[0]);
    if (this.#count === 0) return;
    for (const store of this.#stores) {
      const deleted = await deleteCheckpoint(store, this.#options.key);
      if (!deleted.ok) this.#warn(`could not be deleted from ${store.url}`, deleted.failures[0]);
    }
  }

  get #note(): string {
    return join(this.#context.cwd, ".lockstep", "checkpoints", hash("sha256", this.#folder.path));
  }

  async #stored(): Promise<readonly Digest[]> {
    const found = [];
    for (const store of this.#stores) {
      const checkpoint = await readCheckpoint(store, this.#options.key);
      if (!checkpoint.ok) this.#warn(`could not be looked for in ${store.url}`, checkpoint.failures[0]);
      else if (checkpoint.value !== undefined) found.push(checkpoint.value);
    }
    this.#count = Math.max(0, ...found.map(({ count }) => count));
    return found.sort((a, b) => b.count - a.count).map(({ tree }) => tree);
  }

  /** The latest one that is whole. */
  async #restore(trees: readonly Digest[]): Promise<void> {
    const { stage } = this.#options;
    for (const digest of new Set(trees)) {
      const placed = await restore(this.#context, { path: this.#folder.path, kind: "tree", digest }, this.#stores);
      if (!placed.ok) {
        this.#warn("could not be restored", placed.failures[0]);
        continue;
      }
      this.#last = digest;
      this.#context.emit({ type: "note", message: `${stage.name} goes on from checkpoint ${this.#count}` });
      return;
    }
  }

  #tick(): void {
    if (this.#isSaving) return;
    this.#isSaving = true;
    this.#saving = this.#save().finally(() => (this.#isSaving = false));
  }

  async #save(): Promise<void> {
    const taken = await this.#take();
    const stored = taken.ok && taken.value !== undefined ? await this.#store(taken.value) : taken;
    if (!stored.ok && !this.#stopped.signal.aborted) this.#warn("could not be stored", stored.failures[0]);
  }

  /** Everybody's copy last: whoever finds a checkpoint finds all of it. */
  async #store({ digest, size }: Snapshot): Promise<Result<void>> {
    const { stage, key } = this.#options;
    const [cache] = this.#stores;
    const bases = this.#last === undefined ? [] : [this.#last];
    for (const store of this.#stores) {
      if (store !== cache) {
        const doomed = await condemned(store);
        if (!doomed.ok) return doomed;
        const tree = { kind: "tree" as const, digest };
        const options = { bases, condemned: doomed.value, task: `push checkpoint of ${stage.name}` };
        const copied = await copyOutputs(this.#context, cache, store, [tree], options);
        if (!copied.ok) return copied;
      }
      const written = await writeCheckpoint(store, key, { tree: digest, count: this.#count + 1 });
      if (!written.ok) return written;
    }
    this.#last = digest;
    this.#count++;
    this.#context.emit({ type: "note", message: `${stage.name}: checkpoint ${this.#count} stored, ${size} bytes` });
    this.#context.emit({ type: "effect", name: `checkpoint of ${stage.name} stored` });
    return ok();
  }

  /** The folder as it was at one moment: no file changed between a first look and a second. Undefined: nothing new. */
  async #take(): Promise<Result<Snapshot | undefined>> {
    const [cache] = this.#stores;
    const { path } = this.#folder;
    for (let tries = 1; ; tries++) {
      const taken = await snapshot(this.#context, path, cache, this.#last === undefined ? [] : [this.#last]);
      const again = taken.ok ? await snapshot(this.#context, path) : taken;
      if (taken.ok && again.ok && taken.value.digest === again.value.digest) {
        return ok(taken.value.files === 0 || taken.value.digest === this.#last ? undefined : taken.value);
      }
      if (!taken.ok && !MOVING.has(taken.failures[0].code)) return taken;
      if (tries === TRIES) return taken.ok ? fail({ code: "file-changed", path }) : taken;
      await pause(TRY_MS, undefined, { signal: this.#stopped.signal }).catch(() => {});
      if (this.#stopped.signal.aborted) return fail({ code: "interrupted" });
    }
  }

  /** Once a stage: what is wrong now is wrong in a few minutes too, and the stage goes on. */
  #warn(problem: string, failure: Parameters<typeof message>[0]): void {
    if (this.#warned) return;
    this.#warned = true;
    const about = `the checkpoint of ${this.#options.stage.name} ${problem}: ${message(failure)}`;
    this.#context.emit({ type: "warning", message: about });
  }
}

/** What a folder that is being written to looks like. */
const MOVING: ReadonlySet<string> = new Set(["file-changed", "file-missing", "external"]);
