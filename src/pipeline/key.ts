import { createHash } from "node:crypto";
import { canonicalJson, compareCodeUnits } from "../core/index.ts";
import type { ContentDigest, Json, RelativePath, StageKey } from "../core/index.ts";
import type { Use } from "./stage.ts";

/** The content of one dep or environment file. */
export interface Content {
  readonly path: RelativePath;
  readonly digest: ContentDigest;
}

/** Everything a stage's result depends on, and nothing else: what is not here cannot change the key. */
export interface KeyInputs {
  readonly cmd: readonly string[];
  /** `.` for the root. */
  readonly wdir: string;
  readonly deps: readonly Content[];
  /** File -> parameter -> value. */
  readonly params: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  readonly outs: readonly { readonly path: RelativePath; readonly use: Use }[];
  readonly env: {
    readonly files: readonly Content[];
    /** null: not set. */
    readonly vars: Readonly<Record<string, string | null>>;
    readonly image: string | null;
  };
  /** In the place of commands; not there for a stage that has them. */
  readonly function?: {
    readonly module: RelativePath;
    readonly name: string;
    readonly inputs: readonly KeyFile[];
    readonly outputs: readonly KeyFile[];
  };
}

/** What a function knows a file by, and how it is read or written. */
interface KeyFile {
  readonly name: string;
  readonly path: RelativePath;
  readonly format: string;
}

/** Goes before the hashed bytes, so that no other hash of Lockstep can be mistaken for a key. */
const FRAME = "lockstep-stage-key/1\n";

/** Stage key v1: SHA-256 of the frame and the inputs as canonical JSON. Golden vectors in test/pipeline hold it. */
export function stageKey(inputs: KeyInputs): StageKey {
  const { cmd, wdir, deps, params, outs, env, function: code } = inputs;
  const json = canonicalJson({
    version: 1,
    cmd,
    wdir,
    deps: sorted(deps, ({ path }) => path).map(({ path, digest }) => ({ path, digest })),
    params,
    outs: sorted(outs, ({ path, use }) => `${path}\0${use}`).map(({ path, use }) => ({ path, use })),
    env: {
      files: sorted(env.files, ({ path }) => path).map(({ path, digest }) => ({ path, digest })),
      vars: env.vars,
      image: env.image,
    },
    ...(code === undefined
      ? {}
      : {
          function: {
            module: code.module,
            name: code.name,
            inputs: files(code.inputs),
            outputs: files(code.outputs),
          },
        }),
  });
  return createHash("sha256").update(FRAME).update(json).digest("hex") as StageKey;
}

function files(list: readonly KeyFile[]): KeyFile[] {
  return sorted(list, ({ name }) => name).map(({ name, path, format }) => ({ name, path, format }));
}

function sorted<T>(list: readonly T[], by: (entry: T) => string): T[] {
  return list.toSorted((a, b) => compareCodeUnits(by(a), by(b)));
}
