import { createHash } from "node:crypto";
import { parentPort } from "node:worker_threads";
import { Chunker } from "../chunker.ts";
import { look } from "./look.ts";
import { readGroup } from "./read-group.ts";
import type { ReadGroup } from "./read-group.ts";
import { writeGroup } from "./write-group.ts";
import type { WriteGroup } from "./write-group.ts";

/** What a worker is asked. Pieces of one stream come in order; only the last one of a stream is `last`. */
export type Task =
  /** Looks at folders (absolute). Answers a `Looked` for each. */
  | { readonly type: "look"; readonly folders: readonly string[] }
  | ({ readonly type: "read" } & ReadGroup)
  | ({ readonly type: "write" } & WriteGroup)
  /** Hashes a stream. Answers the digest at its end. */
  | { readonly type: "hash"; readonly bytes: Uint8Array; readonly last: boolean }
  /** Cuts a stream and hashes its chunks. Answers the chunks that end in this piece, as (end in the piece, digest). */
  | { readonly type: "chunk"; readonly bytes: Uint8Array; readonly last: boolean };

export interface ChunkEnd {
  readonly end: number;
  /** Hex. */
  readonly digest: string;
}

let stream = createHash("sha256");
let chunk = createHash("sha256");
let chunker = new Chunker();
let open = 0;

function work(task: Task): unknown {
  switch (task.type) {
    case "look":
      return task.folders.map(look);
    case "read":
      return readGroup(task);
    case "write":
      return writeGroup(task);
    case "hash": {
      stream.update(task.bytes);
      if (!task.last) return undefined;
      const digest = stream.digest("hex");
      stream = createHash("sha256");
      return digest;
    }
    case "chunk":
      return cut(task.bytes, task.last);
  }
}

function cut(bytes: Uint8Array, last: boolean): ChunkEnd[] {
  const ends: ChunkEnd[] = [];
  let from = 0;
  for (const end of chunker.cut(bytes)) {
    ends.push({ end, digest: chunk.update(bytes.subarray(from, end)).digest("hex") });
    chunk = createHash("sha256");
    from = end;
    open = 0;
  }
  chunk.update(bytes.subarray(from));
  open += bytes.length - from;
  if (last) {
    if (open > 0) ends.push({ end: bytes.length, digest: chunk.digest("hex") });
    chunk = createHash("sha256");
    chunker = new Chunker();
    open = 0;
  }
  return ends;
}

parentPort!.on("message", ({ id, task }: { id: number; task: Task }) => {
  try {
    const answer = work(task);
    const bytes = (answer as { bytes?: Uint8Array } | undefined)?.bytes?.buffer;
    parentPort!.postMessage({ id, answer }, bytes instanceof ArrayBuffer ? [bytes] : []);
  } catch (error) {
    // A clone of an error keeps its message; what the system said of it (code, syscall) goes beside.
    parentPort!.postMessage({ id, error, said: { ...(error as object) } });
  }
});
