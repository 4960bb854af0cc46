import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { Task } from "./worker.ts";

interface Waiting {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: unknown) => void;
}

/** A thread that does tasks one after another. */
export class Thread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;

  constructor() {
    this.#worker = new Worker(script());
    this.#worker.unref();
    this.#worker.on(
      "message",
      ({ id, answer, error, said }: { id: number; answer: never; error?: object; said?: object }) => {
        const waiting = this.#waiting.get(id);
        this.#waiting.delete(id);
        if (this.#waiting.size === 0) this.#worker.unref();
        if (error === undefined) waiting?.resolve(answer);
        else waiting?.reject(Object.assign(error, said));
      },
    );
    const end = (error: unknown): void => {
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    };
    this.#worker.on("error", end);
    this.#worker.on("exit", () => end(new Error("the thread ended before its work was done")));
  }

  get load(): number {
    return this.#waiting.size;
  }

  async do<T>(task: Task): Promise<T> {
    return new Promise((resolve, reject) => {
      const id = this.#next++;
      // Whoever waits for an answer keeps the process alive; an idle thread does not.
      if (this.#waiting.size === 0) this.#worker.ref();
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, task }, "spare" in task && task.spare !== undefined ? [task.spare] : []);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }
}

/** As many threads as the machine has cores, started when they are asked for. */
export class Pool {
  readonly #threads: Thread[] = [];
  readonly width = availableParallelism();

  async do<T>(task: Task): Promise<T> {
    const idle = this.#threads.find(({ load }) => load === 0);
    if (idle !== undefined) return idle.do(task);
    if (this.#threads.length < this.width) {
      const thread = new Thread();
      this.#threads.push(thread);
      return thread.do(task);
    }
    return this.#threads.reduce((a, b) => (b.load < a.load ? b : a)).do(task);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map(async (thread) => thread[Symbol.asyncDispose]()));
  }
}

/** The worker's file: beside this one in the sources, beside the bundle (or its chunks) when built. */
function script(): URL {
  const places = ["./worker.ts", "./worker.js", "../worker.js"].map((path) => new URL(path, import.meta.url));
  const found = places.find((place) => existsSync(fileURLToPath(place)));
  if (found === undefined) throw new Error("the worker's file is missing from this installation");
  return found;
}
