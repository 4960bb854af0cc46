import type { RelativePath } from "./brands.ts";

/** What a long piece of work tells while it goes on. Data only: the edge decides how it looks. */
export type ProgressEvent =
  | { readonly type: "note"; readonly message: string }
  | { readonly type: "warning"; readonly message: string }
  /** So many stages are looked after from now on; each is told of when it was found cached, or starts and ends. */
  | { readonly type: "run-started"; readonly pipeline: string; readonly stages: number }
  | { readonly type: "run-ended" }
  | { readonly type: "stage-cached"; readonly stage: string; readonly key: string }
  | {
      readonly type: "stage-started";
      readonly pipeline: string;
      readonly stage: string;
      readonly reason: string;
      /** Paths of its metrics files, from the repository's root. */
      readonly metrics: readonly RelativePath[];
    }
  | {
      readonly type: "stage-output";
      readonly stage: string;
      readonly stream: "stdout" | "stderr";
      /** Without its end; may hold anything but line feeds. */
      readonly text: string;
      /** The next line is written over it: a progress bar, of which a log keeps only the last state. */
      readonly passing?: true;
    }
  | { readonly type: "stage-ended"; readonly stage: string; readonly ms: number; readonly ok: boolean }
  /** Something that lasts was done: a process killed right after it has left exactly this much behind. */
  | { readonly type: "effect"; readonly name: string }
  /** How far a long task is. Told often; an edge draws it as a bar or says only that it ended (`done === total`). */
  | {
      readonly type: "progress";
      /** What is being done, and to what: "push digits". One task at a time has a name. */
      readonly task: string;
      readonly unit: "bytes" | "files";
      readonly done: number;
      /** Infinity while it is not known. */
      readonly total: number;
    }
  | {
      readonly type: "transfer";
      readonly direction: "push" | "pull";
      readonly what: string;
      readonly bytes: number;
      readonly total: number;
    };
