import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Against, Performance } from "../config/index.ts";
import { attempt, fail, ok, spawn } from "../core/index.ts";
import type { Context, Digest, Failure, Result } from "../core/index.ts";
import { seeded } from "../statistics/index.ts";
import { estimate } from "./estimate.ts";
import type { Samples } from "./interleave.ts";
import { answerSchema } from "./job.ts";
import type { Answer, Job } from "./job.ts";

export interface Network {
  /** Verified: the digest is that of the bytes. */
  readonly digest: Digest;
  readonly onnx: Uint8Array;
}

export interface MeasureOptions {
  readonly model: string;
  readonly candidate: Network;
  /** What it is measured beside. */
  readonly reference?: Network & { readonly what: Against };
  readonly budgetMs?: number;
}

/** Time for one model beside another, loading aside. */
const BUDGET_MS = 5_000;
/** After so many budgets the process is ended: it hangs. */
const HANGS = 6;
const LOADING_MS = 60_000;
/** Nothing of the job's secrets is told to the process that runs a network. */
const PASSED = ["PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "NODE_PATH"];

/**
 * Measures how fast a network is in ONNX Runtime, alone or beside another one: latency percentiles of one row, rows a
 * second in larger requests, and their ratios. Numbers of this machine in these minutes; only a ratio says something
 * about the model. Two equal files are one measurement.
 */
export async function measureSpeed(context: Context, options: MeasureOptions): Promise<Result<Performance>> {
  const { model, candidate, reference, budgetMs = budgetOf(context) } = options;
  const same = reference?.digest === candidate.digest;
  const networks = [candidate, ...(reference === undefined || same ? [] : [reference])];
  const timed = await run(context, model, networks, budgetMs);
  if (!timed.ok) return timed;
  const [own, beside = null] = timed.value;
  if (own === undefined) throw new Error("no samples of the candidate");
  const random = seeded("lockstep-performance-1", candidate.digest, reference?.digest ?? "");
  const { candidate: quantities, reference: others, ratios } = estimate(own, same ? own : beside, random);
  return ok({
    model,
    digest: candidate.digest,
    quantities,
    against:
      reference === undefined || others === null
        ? null
        : { what: reference.what, digest: reference.digest, quantities: others },
    ratios,
    runs: own.latencies.reduce((sum, block) => sum + block.length, 0),
  });
}

/** `LOCKSTEP_BENCHMARK_SECONDS` for models that need more, or are worth less; what is no such number is not heeded. */
function budgetOf({ env }: Context): number {
  const seconds = Number(env["LOCKSTEP_BENCHMARK_SECONDS"]);
  return seconds >= 0.1 && seconds <= 600 ? seconds * 1000 : BUDGET_MS;
}

async function run(
  context: Context,
  model: string,
  networks: readonly Network[],
  budgetMs: number,
): Promise<Result<Samples[]>> {
  const broken = (problem: string, hint?: string): Result<never> =>
    fail({ code: "external", what: `the speed of model "${model}"`, problem, ...(hint === undefined ? {} : { hint }) });
  const made = await attempt(tmpdir(), () => mkdtemp(join(tmpdir(), "lockstep-speed-")));
  if (!made.ok) return made;
  const folder = made.value;
  try {
    const files = networks.map((_, index) => join(folder, `${index}.onnx`));
    const written = await attempt(folder, async () => {
      for (const [index, file] of files.entries()) await writeFile(file, (networks[index] as Network).onnx);
    });
    if (!written.ok) return written;
    const job: Job = { files, roots: [context.cwd], budgetMs };
    const limit = AbortSignal.timeout(budgetMs * HANGS + LOADING_MS);
    const signal = context.signal === undefined ? limit : AbortSignal.any([context.signal, limit]);
    const ended = await spawn(process.execPath, [program()], {
      cwd: folder,
      env: Object.fromEntries(PASSED.map((name) => [name, context.env[name]])),
      input: JSON.stringify(job),
      signal,
    });
    if (context.signal?.aborted === true) return fail({ code: "interrupted" } satisfies Failure);
    if (limit.aborted) return broken(`it did not end in ${(budgetMs * HANGS + LOADING_MS) / 1000} s`);
    const answer = read(ended.stdout.toString());
    if (answer === undefined) return broken(`the process that measures it ended: ${ended.stderr.slice(-500).trim()}`);
    if ("problem" in answer) return broken(answer.problem, answer.hint);
    return ok(
      answer.samples.map(({ latencies, batches }) => ({
        latencies: latencies.map((times) => Float64Array.from(times)),
        batches,
      })),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function read(text: string): Answer | undefined {
  try {
    return answerSchema.parse(JSON.parse(text.trimEnd().split("\n").at(-1) ?? ""));
  } catch {
    return undefined;
  }
}

/** The program's file: beside this one in the sources, beside the bundle (or its chunks) when built. */
function program(): string {
  const places = ["./main.ts", "./speed.js", "../speed.js"].map((path) => new URL(path, import.meta.url));
  const found = places.map((place) => fileURLToPath(place)).find((place) => existsSync(place));
  if (found === undefined) throw new Error("the program that measures models is missing from this installation");
  return found;
}
