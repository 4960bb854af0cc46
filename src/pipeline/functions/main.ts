/**
 * The program that runs one function: a job on standard input, what the function prints on standard output and error,
 * how it went on file descriptor 3.
 */
import { realpathSync, writeSync } from "node:fs";
import { text } from "node:stream/consumers";
import { callFunction } from "./call.ts";
import { readInputs, writeOutputs } from "./files.ts";
import type { Answer, Job, Problem } from "./job.ts";

const told = JSON.parse(await text(process.stdin)) as Job;
// Modules are known by their real paths.
const job: Job = { ...told, root: realpathSync(told.root) };
// Not awaited here: a function whose promise is never settled ends the process without an answer.
void perform().then((problem) => {
  const answer: Answer = problem === undefined ? { ok: true } : { ok: false, ...problem };
  writeSync(3, JSON.stringify(answer));
  // Timers and connections that the function left are no reason to wait.
  process.exit(problem === undefined ? 0 : 1);
});

async function perform(): Promise<Problem | undefined> {
  const read = await readInputs(job);
  if ("problem" in read) return read.problem;
  const called = await callFunction(job, read.inputs);
  if ("returned" in called) return writeOutputs(job, called.returned);
  if (called.stack !== undefined) process.stderr.write(`${called.stack}\n`);
  return called.problem;
}
