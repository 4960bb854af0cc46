import type { Observer } from "./observe.ts";
import type { Executor, Repository, Role, World } from "./world.ts";

export interface SandboxOptions {
  /** Folder of its state; made when it is not there, continued when it is. */
  readonly dir: string;
  /** 0 or left out: any free port. */
  readonly port?: number;
  /** Where jobs work; `<dir>/runner` when left out. */
  readonly runnerDir?: string;
  /** Project root that provides the `lockstep-ml/lockstep` actions; no executor is started without it. */
  readonly actionsDir?: string;
  /** Time a new world starts at; the machine's when left out. */
  readonly now?: Date;
  /** Sees every API request and response, bodies included. */
  readonly observer?: Observer;
}

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

/** A running sandbox. */
export interface Sandbox {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** `<url>/api/v3`. */
  readonly apiUrl: string;
  readonly world: World;
  /** undefined when it was started without `actionsDir`. */
  readonly executor: Executor | undefined;
  readonly clock: { now(): Date; advance(ms: number): Promise<void>; set(date: Date): Promise<void> };
  createRepository(options: NewRepository): Promise<Repository>;
  /** Forks a repository for `owner`, who needs no role in the parent. */
  fork(repository: string, owner: string): Promise<Repository>;
  /** A person's token; the same one every time. */
  token(login: string): string;
  /** URL for git with the person's credentials in it. */
  cloneUrl(repository: string, login: string): string;
  /** Ends the executor and the server and saves the state. */
  close(): Promise<void>;
}

export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  throw new Error("not built yet: " + options.dir);
}
