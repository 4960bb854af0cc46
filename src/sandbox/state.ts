import { randomBytes, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { SandboxClock } from "./clock.ts";
import type { Executor, MintOptions, Repository, RequestLogEntry, Token, TriggerEvent, User, World } from "./world.ts";

/** What `state.json` holds. */
interface Saved {
  readonly version: 1;
  readonly clockOffset: number;
  readonly lastId: number;
  readonly users: readonly User[];
  readonly tokens: readonly Token[];
  readonly repositories: readonly Repository[];
}

const STATE = "state.json";
/** A burst of changes is one write. */
const SAVE_DELAY_MS = 200;
/** The bot behind every job token, with the id it has on GitHub. */
export const ACTIONS_BOT: User = { id: 41898282, login: "github-actions[bot]", type: "Bot" };

type TickListener = (from: Date, to: Date) => Promise<void> | void;

class SavedWorld implements World {
  readonly dir: string;
  readonly clock: SandboxClock;
  readonly repositories = new Map<string, Repository>();
  readonly tokens = new Map<string, Token>();
  readonly users = new Map<string, User>();
  readonly requestLog: RequestLogEntry[] = [];
  readonly rates = new Map<string, { used: number; resetAt: number }>();
  origin = "";
  executor: Executor | undefined;
  #lastId: number;
  #timer: NodeJS.Timeout | undefined;
  #saving: Promise<void> = Promise.resolve();
  readonly #listeners: ((event: TriggerEvent) => void)[] = [];
  readonly #tickers: TickListener[] = [];

  constructor(dir: string, saved: Saved | undefined, now: Date | undefined) {
    this.dir = dir;
    const fresh = now === undefined ? { offset: 0 } : { now };
    this.clock = new SandboxClock(saved === undefined ? fresh : { offset: saved.clockOffset });
    this.#lastId = saved?.lastId ?? 1000;
    for (const user of [ACTIONS_BOT, ...(saved?.users ?? [])]) this.users.set(user.login, user);
    for (const token of saved?.tokens ?? []) this.tokens.set(token.value, token);
    for (const repository of saved?.repositories ?? []) {
      const name = `${repository.owner}/${repository.name}`;
      // The folder may have been moved since it was saved.
      this.repositories.set(name, { ...repository, gitDir: gitDir(dir, name) });
    }
  }

  touch(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => void this.save(), SAVE_DELAY_MS);
    this.#timer.unref();
  }

  async save(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#saving = this.#saving.then(async () => {
      const saved: Saved = {
        version: 1,
        clockOffset: this.clock.offset,
        lastId: this.#lastId,
        users: [...this.users.values()],
        tokens: [...this.tokens.values()],
        repositories: [...this.repositories.values()],
      };
      const temporary = join(this.dir, `.${STATE}.${randomUUID()}`);
      await writeFile(temporary, JSON.stringify(saved));
      await rename(temporary, join(this.dir, STATE));
    });
    return this.#saving;
  }

  nextId(): number {
    this.#lastId += 1;
    this.touch();
    return this.#lastId;
  }

  blobPath(blob: string): string {
    return join(this.dir, "blobs", blob);
  }

  user(login: string): User {
    const known = this.users.get(login);
    if (known !== undefined) return known;
    const user: User = { id: this.nextId(), login, type: "User" };
    this.users.set(login, user);
    return user;
  }

  mintToken(options: MintOptions): string {
    const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const now = Math.floor(this.clock.now().getTime() / 1000);
    const claims = { scp: `Actions.Results:${options.runId}:${options.jobId}`, iat: now, exp: now + 24 * 3600 };
    const head = encode({ alg: "HS256", typ: "JWT" });
    const value = `ghs_${head}.${encode(claims)}.${randomBytes(32).toString("base64url")}`;
    this.tokens.set(value, { value, login: ACTIONS_BOT.login, ...options });
    this.touch();
    return value;
  }

  revokeToken(value: string): void {
    if (this.tokens.delete(value)) this.touch();
  }

  on(listener: (event: TriggerEvent) => void): void {
    this.#listeners.push(listener);
  }

  trigger(event: TriggerEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  onTick(listener: TickListener): void {
    this.#tickers.push(listener);
  }

  async moveClock(to: Date): Promise<void> {
    const from = this.clock.now();
    if (to > from) for (const listener of this.#tickers) await listener(from, to);
    this.clock.moveTo(to);
    this.touch();
  }
}

/** Absolute path of the bare repository of `owner/name`. */
export function gitDir(dir: string, fullName: string): string {
  return join(dir, "git", `${fullName}.git`);
}

/** Opens the world in `dir`, or makes a new one that starts at `now`. Throws when the state cannot be read. */
export async function openWorld(dir: string, now?: Date): Promise<World> {
  const root = resolve(dir);
  await mkdir(join(root, "blobs"), { recursive: true });
  const text = await readFile(join(root, STATE), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  return new SavedWorld(root, text === undefined ? undefined : (JSON.parse(text) as Saved), now);
}
