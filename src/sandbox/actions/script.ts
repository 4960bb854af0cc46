import { randomUUID } from "node:crypto";
import { statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { evaluateToken, text } from "./evaluate.ts";
import { complain, takeFiles, type StepContext } from "./execute.ts";
import { StepFiles } from "./filecommands.ts";
import { contextsOf, scopeOf } from "./frame.ts";
import { runProcess } from "./process.ts";
import { shellFor } from "./shell.ts";
import type { RunStep } from "./steps.ts";

/** Runs a `run:` step; true when it ended well. */
export async function runScript(context: StepContext, step: RunStep): Promise<boolean> {
  const { machine, frame, log, env, signal } = context;
  const scope = scopeOf(machine, frame, env);
  const script = evaluateToken(step.run, scope);
  const shellName = evaluateToken(step.shell, scope);
  const folder = evaluateToken(step.workingDirectory, scope);
  for (const result of [script, shellName, folder]) {
    if (result.ok) continue;
    complain(log, result.failures);
    return false;
  }
  if (!script.ok || !shellName.ok || !folder.ok) return false;
  const defaults = frame.composite ? {} : machine.runDefaults;
  const shell = shellFor(shellName.value === null ? defaults.shell : text(shellName.value));
  if (!shell.ok) {
    complain(log, shell.failures);
    return false;
  }
  const { temp, workspace } = machine.folders;
  const cwd = resolve(workspace, folder.value === null ? (defaults.workingDirectory ?? ".") : text(folder.value));
  if (statSync(cwd, { throwIfNoEntry: false })?.isDirectory() !== true) {
    log.annotate("failure", `The working directory ${cwd} does not exist.`);
    return false;
  }
  const source = text(script.value);
  const file = join(temp, `${randomUUID()}${shell.value.extension}`);
  writeFileSync(file, source.endsWith("\n") ? source : `${source}\n`);
  const [program = "", ...args] = shell.value.command.map((part) => part.replace("{0}", file));
  log.write(`##[group]Run ${source.trim().split("\n")[0]}`);
  for (const line of source.trimEnd().split("\n")) log.write(line);
  log.write(`shell: ${shell.value.command.join(" ")}`);
  if (Object.keys(env).length > 0) {
    log.write("env:");
    for (const [name, value] of Object.entries(env)) log.write(`  ${name}: ${value}`);
  }
  log.write("##[endgroup]");
  const files = new StepFiles(temp);
  const contexts = contextsOf(
    machine,
    { ...frame, github: { ...frame.github, action: frame.prefix + step.action } },
    env,
  );
  const code = await runProcess(program, args, {
    cwd,
    env: { ...machine.environment(contexts, env), ...files.env },
    line: (line) => log.output(line),
    signal,
  });
  const read = takeFiles(files, context);
  if (code !== 0 && !signal.aborted) log.annotate("failure", `Process completed with exit code ${code ?? "unknown"}.`);
  return code === 0 && read;
}
