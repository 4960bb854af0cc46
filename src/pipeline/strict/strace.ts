import { fail, ok, spawn } from "../../core/index.ts";
import type { Context, Result } from "../../core/index.ts";
import type { Argv } from "../process.ts";

/** Calls about files, and those that say which folder a process stands in. `?`: not every machine has them all. */
const CALLS = "%file,?fchdir,?clone,?clone3,?fork,?vfork";

/**
 * A command whose calls, and those of all it starts, go to the end of a file. It ends when the command does (-D: strace
 * is not its parent), whatever that left running.
 */
export function straced(command: readonly string[], file: string, which: "failed" | "all"): Argv {
  return [
    "strace",
    "-DfqyA",
    "--seccomp-bpf",
    `--output=${file}`,
    `--trace=${CALLS}`,
    "--signal=none",
    ...(which === "failed" ? ["--status=failed"] : []),
    "--",
    ...command,
  ];
}

/** Whether this machine lets us watch. */
export async function straceWorks({ env, cwd }: Context): Promise<Result<void>> {
  const [program, ...args] = straced(["true"], "/dev/null", "all");
  const tried = await spawn(program, args, { env, cwd });
  if (tried.exitCode === 0) return ok();
  if (tried.exitCode === null) {
    const hint = "install it (Debian, Ubuntu: `apt-get install strace`)";
    return fail({ code: "external", what: "--explain", problem: "strace could not be started", hint });
  }
  const hint = "the machine must allow ptrace (a container: --cap-add SYS_PTRACE)";
  return fail({ code: "external", what: "--explain", problem: tried.stderr.trim(), hint });
}
