import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { ModelLock, ModelVersion } from "../../src/config/index.ts";
import { canonicalJson, fileJson, spawn } from "../../src/core/index.ts";
import type { Context, Digest, ProgressEvent } from "../../src/core/index.ts";
import { digestOf, openStore } from "../../src/store/index.ts";
import { value } from "../helpers/value.ts";

/** A repository with one model `m`, a store beside it and a home for deployments; nothing of this machine's own. */
export interface Fixture extends AsyncDisposable {
  readonly root: string;
  readonly repository: string;
  readonly store: string;
  readonly context: Context;
  readonly events: ProgressEvent[];
  clock: Date;
  /** Adds a version made of these files and puts it into production; gives its digest. */
  promote(files: Readonly<Record<string, Buffer>>, metrics?: Readonly<Record<string, number>>): Promise<Digest>;
  write(path: string, text: string | Uint8Array): Promise<void>;
  /** Asynchronous: the server may live in this very process. */
  git(...args: string[]): Promise<string>;
}

export async function createFixture(modelYaml: string): Promise<Fixture> {
  const root = await mkdtemp(join(tmpdir(), "lockstep-deploy-"));
  const repository = join(root, "repository");
  const store = join(root, "store");
  const events: ProgressEvent[] = [];
  await mkdir(repository);
  const env = {
    PATH: process.env["PATH"],
    HOME: root,
    LOCKSTEP_HOME: join(root, "home"),
    LOCKSTEP_STORE: `file:${store}`,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
  };
  const lock: { lockfileVersion: 1; model: string; versions: ModelVersion[]; aliases: Record<string, number> } = {
    lockfileVersion: 1,
    model: "m",
    versions: [],
    aliases: {},
  };
  const fixture: Fixture = {
    root,
    repository,
    store,
    events,
    clock: new Date("2026-03-01T12:00:00Z"),
    context: {
      cwd: repository,
      env,
      now: () => fixture.clock,
      fetch: globalThis.fetch,
      emit: (event) => events.push(event),
    },
    async promote(files, metrics = {}) {
      const blobs = value(openStore(fixture.context, `file:${store}`));
      const digests: Record<string, Digest> = {};
      for (const [name, bytes] of Object.entries(files)) digests[name] = value(await blobs.put(bytes));
      const version = lock.versions.length + 1;
      const digest = digestOf(Buffer.from(canonicalJson(digests)));
      lock.versions.push({
        version,
        digest,
        size: 1,
        files: digests,
        key: "a".repeat(64) as ModelVersion["key"],
        predictions: digest,
        commit: "b".repeat(40),
        data: {},
        params: {},
        metrics,
        verdict: "first",
        pullRequest: null,
        createdAt: "2026-03-01T12:00:00.000Z",
        run: "",
        release: `m-v${version}`,
      });
      lock.aliases["production"] = version;
      await fixture.write("models/m/lock.json", fileJson(lock satisfies ModelLock));
      return digest;
    },
    async write(path, text) {
      await mkdir(dirname(join(repository, path)), { recursive: true });
      await writeFile(join(repository, path), text);
    },
    async git(...args) {
      const author = {
        GIT_AUTHOR_NAME: "a",
        GIT_AUTHOR_EMAIL: "a@b",
        GIT_COMMITTER_NAME: "a",
        GIT_COMMITTER_EMAIL: "a@b",
      };
      const { exitCode, stdout, stderr } = await spawn("git", args, { cwd: repository, env: { ...env, ...author } });
      if (exitCode !== 0) throw new Error(`git ${args.join(" ")}: ${stderr}`);
      return stdout.toString().trim();
    },
    async [Symbol.asyncDispose]() {
      await rm(root, { recursive: true, force: true });
    },
  };
  await fixture.git("init", "--quiet", "--initial-branch=main");
  await fixture.write("models/m/model.yaml", modelYaml);
  await fixture.write(".gitignore", ".lockstep/\n");
  return fixture;
}
