import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { fail, ok } from "../../core/index.ts";
import type { Context, Failure, Location, Result } from "../../core/index.ts";
import type { Checkpoint } from "../checkpoint.ts";
import type { KeyInputs } from "../key.ts";
import { runCommand } from "../process.ts";
import type { Stage } from "../stage.ts";
import type { Room } from "../strict/room.ts";
import type { StageFunction } from "./declare.ts";
import { answerSchema } from "./job.ts";
import type { Answer, Job, Problem } from "./job.ts";
import { nestParams } from "./nest-params.ts";

interface Running {
  readonly stage: Stage;
  readonly inputs: KeyInputs;
  readonly signal: AbortSignal;
  readonly checkpoint: Checkpoint | undefined;
  readonly room: Room | undefined;
}

/** Runs a function in a process of its own, with the care that commands get; it reads the inputs and writes the outputs. */
export async function runFunction(
  context: Context,
  { module, name, inputs: files, outputs }: StageFunction,
  { stage, inputs, signal, checkpoint, room }: Running,
): Promise<Result<void>> {
  const { params, problem } = nestParams(inputs.params, stage.params);
  if (problem !== undefined) return fail(failed(stage, problem));
  const job: Job = {
    root: context.cwd,
    module,
    name,
    inputs: files.map(({ name: known, path, format }) => ({ name: known, path, format })),
    outputs: outputs.map(({ name: known, path, format }) => ({ name: known, path, format })),
    params,
    deps: [...stage.deps, ...stage.env.files].map(({ path }) => path),
  };
  // A repository without package.json need not be told that its modules are modules.
  const argv = [process.execPath, "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON", program()] as const;
  const end = await runCommand(context, room === undefined ? argv : room.wrap(argv), {
    stage: stage.name,
    folder: join(context.cwd, stage.wdir ?? ""),
    timeoutMs: stage.timeoutMs,
    signal,
    ...checkpoint?.care,
    input: JSON.stringify(job),
    ...checkpoint?.care,
  });
  if (end.how === "interrupted") return fail({ code: "interrupted" });
  const answer = read(end.answer);
  if (answer?.ok === false) return fail(failed(stage, answer, end.tail));
  if (end.how !== "ok") return fail(failed(stage, { reason: end.reason }, end.tail));
  if (answer === undefined) {
    const hint = "it ends the process itself, or waits for what never comes";
    return fail(failed(stage, { reason: "ended before its function returned", hint }, end.tail));
  }
  return ok();
}

/** The function may have written there as well: what is no answer is none. */
function read(text: string): Answer | undefined {
  try {
    return answerSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function failed({ name, at: place, run }: Stage, { reason, hint, at }: Problem, tail = ""): Failure {
  return {
    code: "stage-failed",
    stage: name,
    reason: stripVTControlCharacters(reason),
    tail,
    ...(hint === undefined ? {} : { hint: stripVTControlCharacters(hint) }),
    at: (at as Location | undefined) ?? place(run!.where),
  };
}

/** The program's file: beside this one in the sources, beside the bundle (or its chunks) when built. */
export function program(): string {
  const places = ["./main.ts", "./function.js", "../function.js"].map((path) => new URL(path, import.meta.url));
  const found = places.map((place) => fileURLToPath(place)).find((place) => existsSync(place));
  if (found === undefined) throw new Error("the program that runs functions is missing from this installation");
  return found;
}
