import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { Context, StageKey } from "../../src/core/index.ts";
import type { RunOptions, RunOutcome } from "../../src/pipeline/index.ts";
import { openStore } from "../../src/store/index.ts";
import type { Store } from "../../src/store/index.ts";
import { contextIn, sh, write } from "../git/repository.ts";
import { until } from "../helpers/processes.ts";
import { value } from "../helpers/value.ts";
import { project, runDemo } from "./project.ts";
import type { Project } from "./project.ts";

/**
 * Forty steps, each made of all before it. State is written down after every fifth and when it is asked to stop. At the
 * step that the file `hold` names it says so and waits for ever. `log` tells where each start began.
 */
const TRAIN = `import { createHash } from "node:crypto";
import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
const folder = process.env.LOCKSTEP_CHECKPOINT;
const read = (file) => (existsSync(file) ? readFileSync(file, "utf8") : "");
let { step, state } = JSON.parse(read(folder + "/state") || '{"step":0,"state":""}');
appendFileSync("log", step + "\\n");
const save = () => {
  writeFileSync(folder + "/next", JSON.stringify({ step, state }));
  renameSync(folder + "/next", folder + "/state");
};
process.on("SIGTERM", () => {
  save();
  process.exit(1);
});
while (step < 40) {
  step++;
  state = createHash("sha256").update(state + read("rate") + step).digest("hex");
  if (step % 5 === 0) save();
  if (read("hold") === String(step)) {
    writeFileSync("at", String(step));
    await new Promise((resolve) => setTimeout(resolve, 60_000));
  }
}
writeFileSync("build/model", state);
`;

export const stage = (more = "", every = "10m"): string =>
  `stages:\n  train:\n    cmd: exec node train.js\n    deps: [train.js, rate]\n    outs: [build/model]\n    checkpoint: {path: ckpt, every: ${every}}\n${more}`;

export const training = (): Project =>
  project({
    ".gitignore": ".lockstep/\nbuild/\nckpt/\nlog\nhold\nat\n",
    "pipelines/demo.yaml": stage(),
    "train.js": TRAIN,
    rate: "0.1",
  });

/** Runs until the loop stands at a step, does something to it, and gives how it ended. */
export async function heldAt(
  at: Project,
  step: number,
  then: (stop: () => void) => unknown,
  options: Partial<RunOptions> = {},
): Promise<RunOutcome> {
  rmSync(join(at.path, "at"), { force: true });
  write(at.path, { hold: String(step) });
  const interrupt = new AbortController();
  const running = runDemo({ ...at.context, signal: interrupt.signal }, options);
  await until(() => existsSync(join(at.path, "at")));
  await then(() => interrupt.abort());
  const outcome = await running;
  rmSync(join(at.path, "hold"));
  return outcome;
}

export const team = (at: Project): Store => value(openStore(at.context, "file:../team"));

/** Another clone of the same commit, which shares nothing but the team's store. */
export function clone(at: Project, name: string): Context & { readonly path: string } {
  const path = join(at.path, "..", name);
  sh(join(at.path, ".."), "clone", "--quiet", at.path, name);
  return { ...contextIn(path), path };
}

/** The model of a run that nobody disturbs. */
export async function undisturbed(at: Project): Promise<{ model: string; key: StageKey }> {
  const other = clone(at, "undisturbed");
  const { stages } = await runDemo(other);
  expect(readFileSync(join(other.path, "log"), "utf8")).toBe("0\n");
  return { model: readFileSync(join(other.path, "build/model"), "utf8"), key: stages[0]!.key };
}
