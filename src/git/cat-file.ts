import { spawn } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { fail, ok } from "../core/index.ts";
import type { Context, Failed, Result } from "../core/index.ts";
import { gitEnvironment, redact } from "./command.ts";

export interface GitObject {
  readonly oid: string;
  readonly type: "blob" | "tree" | "commit" | "tag";
  readonly bytes: Buffer;
}

type Waiting = (result: Result<GitObject | undefined>) => void;

/** After this long without a question the process is let go; the next question starts another. */
const IDLE_MS = 500;

/**
 * Objects of a repository by name, from one `git cat-file --batch` process that is started with the first question.
 * It never keeps the program alive: between questions the child and its pipes are unreferenced.
 */
export class CatFile {
  readonly #context: Context;
  #child: ChildProcessWithoutNullStreams | undefined;
  #waiting: Waiting[] = [];
  #chunks: Buffer[] = [];
  #buffered = 0;
  /** Bytes that must be there before the answer in front can be read. */
  #need = 0;
  #stderr = "";
  #idle: NodeJS.Timeout | undefined;

  constructor(context: Context) {
    this.#context = context;
  }

  /** `spec` is anything git can name (`<oid>`, `ref:path`). Undefined: there is no such object. */
  async read(spec: string): Promise<Result<GitObject | undefined>> {
    // A line feed would be a second question and shift every answer after it.
    if (/[\n\0]/.test(spec)) return ok(undefined);
    return new Promise((resolve) => {
      const child = (this.#child ??= this.#start());
      this.#waiting.push(resolve);
      hold(child, true);
      clearTimeout(this.#idle);
      child.stdin.write(`${spec}\n`);
    });
  }

  /** Ends the process. A later question starts another. */
  close(): void {
    clearTimeout(this.#idle);
    this.#child?.stdin.end();
    this.#child = undefined;
  }

  #start(): ChildProcessWithoutNullStreams {
    const child = spawn("git", ["cat-file", "--batch"], {
      cwd: this.#context.cwd,
      env: gitEnvironment(this.#context),
      stdio: ["pipe", "pipe", "pipe"],
    });
    child.stdout.on("data", (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#buffered += chunk.length;
      if (this.#buffered >= this.#need) this.#drain(child);
    });
    child.stderr.on("data", (chunk: Buffer) => (this.#stderr += chunk.toString()));
    child.stdin.on("error", () => {}); // told by "close"
    child.on("error", (error) => this.#ended(child, null, error.message));
    child.on("close", (exitCode) => this.#ended(child, exitCode, this.#stderr));
    return child;
  }

  #drain(child: ChildProcessWithoutNullStreams): void {
    let data = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
    for (;;) {
      const waiting = this.#waiting[0];
      if (waiting === undefined) break;
      const answer = parse(data);
      if (typeof answer === "number") {
        this.#need = answer;
        break;
      }
      this.#need = 0;
      data = data.subarray(answer.used);
      this.#waiting.shift();
      waiting(ok(answer.object));
    }
    this.#chunks = data.length === 0 ? [] : [data];
    this.#buffered = data.length;
    if (this.#waiting.length > 0) return;
    hold(child, false);
    this.#idle = setTimeout(() => this.close(), IDLE_MS).unref();
  }

  #ended(child: ChildProcessWithoutNullStreams, exitCode: number | null, stderr: string): void {
    // One that was let go had answered everything; the questions that wait now are for the next one.
    if (this.#child !== child) return;
    this.#child = undefined;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#chunks = [];
    this.#buffered = this.#need = 0;
    this.#stderr = "";
    const failed: Failed = fail({ code: "git", command: "cat-file --batch", exitCode, stderr: redact(stderr) });
    for (const resolve of waiting) resolve(failed);
  }
}

/** The first answer in `data` (`<oid> <type> <size>` and the bytes, or one line), or the bytes needed to read it. */
function parse(data: Buffer): { object: GitObject | undefined; used: number } | number {
  const end = data.indexOf(10);
  if (end === -1) return data.length + 1;
  const header = data.toString("utf8", 0, end);
  const match = /^([0-9a-f]{40,64}) (blob|tree|commit|tag) (\d+)$/.exec(header);
  if (match === null) return { object: undefined, used: end + 1 };
  const [, oid, type, size] = match;
  const from = end + 1;
  const to = from + Number(size);
  if (data.length < to + 1) return to + 1;
  const object = { oid: oid as string, type: type as GitObject["type"], bytes: Buffer.from(data.subarray(from, to)) };
  return { object, used: to + 1 };
}

function hold(child: ChildProcessWithoutNullStreams, held: boolean): void {
  // The pipes of a child are sockets; their types do not say so.
  const handles = [child, child.stdin, child.stdout, child.stderr] as { ref?(): void; unref?(): void }[];
  for (const handle of handles) {
    if (held) handle.ref?.();
    else handle.unref?.();
  }
}
