import { randomBytes } from "node:crypto";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { createAdaptorServer } from "@hono/node-server";
import { startExecutor } from "./actions/index.ts";
import { createApp } from "./http/app.ts";
import type { Observer } from "./observe.ts";
import { createRepository, forkRepository, type NewRepository } from "./repository/create.ts";
import { openWorld } from "./state.ts";
import { mountWeb } from "./web/index.ts";
import type { Executor, Repository, World } from "./world.ts";

export interface SandboxOptions {
  /** Folder of its state; made when it is not there, continued when it is. */
  readonly dir: string;
  /** 0 or left out: any free port. */
  readonly port?: number;
  /** Where jobs work; `<dir>/runner` when left out. */
  readonly runnerDir?: string;
  /** Project root that provides the `lockstep-ml/lockstep` actions; no executor is started without it. */
  readonly actionsDir?: string;
  /** Jobs at a time. */
  readonly parallel?: number;
  /** Environment of the runner; see the executor. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Time a new world starts at; the machine's when left out. */
  readonly now?: Date;
  /** Sees every API request and response, bodies included. */
  readonly observer?: Observer;
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
  /** Throws when there is one of that name. */
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

function personToken(world: World, login: string): string {
  const known = [...world.tokens.values()].find((token) => token.login === login && token.permissions === undefined);
  if (known !== undefined) return known.value;
  const value = `ghp_${randomBytes(27).toString("base64url")}`;
  world.user(login);
  world.tokens.set(value, { value, login });
  world.touch();
  return value;
}

async function listen(server: Server, port: number): Promise<number> {
  const failed = once(server, "error").then(([error]: unknown[]) => Promise.reject(error as Error));
  server.listen(port, "127.0.0.1");
  await Promise.race([once(server, "listening"), failed]);
  failed.catch(() => {});
  return (server.address() as AddressInfo).port;
}

/** Starts the local GitHub on this machine. Throws when the port is taken or the state in `dir` cannot be read. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const world = await openWorld(options.dir, options.now);
  const app = createApp(world, options.observer);
  mountWeb(app, world, { token: (login) => personToken(world, login) });
  const moveClock = async (date: Date): Promise<void> => world.moveClock(date);
  const clock = {
    now: () => world.clock.now(),
    advance: async (ms: number) => moveClock(new Date(world.clock.now().getTime() + ms)),
    set: moveClock,
  };
  const server = createAdaptorServer({ fetch: app.fetch, overrideGlobalObjects: false }) as Server;
  const port = await listen(server, options.port ?? 0);
  world.origin = `http://127.0.0.1:${port}`;
  const { actionsDir, parallel, env } = options;
  if (actionsDir !== undefined) {
    world.executor = startExecutor(world, {
      actionsDir,
      runnerDir: options.runnerDir ?? join(world.dir, "runner"),
      ...(parallel === undefined ? {} : { parallel }),
      ...(env === undefined ? {} : { env }),
    });
  }
  const { executor } = world;
  return {
    url: world.origin,
    apiUrl: `${world.origin}/api/v3`,
    world,
    executor,
    clock,
    createRepository: async (wanted) => createRepository(world, wanted),
    fork: async (name, owner) => {
      const parent = world.repositories.get(name);
      if (parent === undefined) throw new Error(`there is no repository ${name}`);
      return forkRepository(world, parent, owner);
    },
    token: (login) => personToken(world, login),
    cloneUrl: (name, login) =>
      `http://${encodeURIComponent(login)}:${personToken(world, login)}@127.0.0.1:${port}/${name}.git`,
    close: async () => {
      await executor?.close();
      server.close();
      server.closeAllConnections();
      await once(server, "close").catch(() => {});
      await world.save();
    },
  };
}
