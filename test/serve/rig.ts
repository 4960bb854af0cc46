import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canonicalJson } from "../../src/core/index.ts";
import type { Context, ProgressEvent, Result } from "../../src/core/index.ts";
import { describe as explain } from "../../src/core/index.ts";
import { digestOf } from "../../src/store/index.ts";
import type { ServedModel } from "../../src/serve/index.ts";

/** A temporary repository folder, a clock that the test moves, and what was told meanwhile. */
export interface Rig extends AsyncDisposable {
  readonly context: Context;
  readonly folder: string;
  readonly events: ProgressEvent[];
  clock: Date;
}

export async function createRig(): Promise<Rig> {
  const folder = await mkdtemp(join(tmpdir(), "lockstep-serve-"));
  const events: ProgressEvent[] = [];
  const rig: Rig = {
    folder,
    events,
    clock: new Date("2026-03-01T12:00:00Z"),
    context: {
      cwd: folder,
      env: { PATH: process.env["PATH"], HOME: folder },
      now: () => rig.clock,
      fetch: globalThis.fetch,
      emit: (event) => events.push(event),
    },
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true, force: true });
    },
  };
  return rig;
}

/** The value, or an error that tells the failures. */
export function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(result.failures.map((failure) => explain(failure)).join("\n"));
  return result.value;
}

export function served(onnx: Buffer, over: Partial<ServedModel> = {}): ServedModel {
  return {
    name: "m",
    version: 1,
    digest: digestOf(Buffer.from(canonicalJson({ "model.onnx": digestOf(onnx) }))),
    onnx,
    signature: { input: "features", output: "probabilities", classes: ["no", "yes"] },
    logSample: 1,
    ...over,
  };
}

export async function ask(url: string, body?: unknown): Promise<{ status: number; body: any }> {
  const response = await fetch(url, {
    ...(body === undefined ? {} : { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body) }),
    headers: { "content-type": "application/json", connection: "close" },
  });
  const text = await response.text();
  const json = response.headers.get("content-type")?.includes("json") ?? false;
  return { status: response.status, body: json ? JSON.parse(text) : text };
}
