import { execFileSync } from "node:child_process";
import { join } from "node:path";

/** The judge: DVC itself, found by DVC_PYTHON (a Python that has it) or as `python3`. */
const python = process.env["DVC_PYTHON"] ?? "python3";

/** Undefined, with a line that says so, where there is none. */
export const version = ((): string | undefined => {
  try {
    return execFileSync(python, ["-c", "import dvc; print(dvc.__version__)"], { stdio: ["ignore", "pipe", "ignore"] })
      .toString()
      .trim();
  } catch {
    console.log(`skipped: no DVC for ${python} (python3 -m pip install dvc, or set DVC_PYTHON)`);
    return undefined;
  }
})();

/** Runs a script of this folder: a list goes in, a list of as many answers comes out. */
export function judged<Answer>(script: "report.py" | "repro.py", requests: readonly unknown[]): Answer[] {
  const answers = execFileSync(python, [join(import.meta.dirname, script)], {
    input: JSON.stringify(requests),
    maxBuffer: 64 * 1024 * 1024,
    stdio: ["pipe", "pipe", "ignore"],
    env: { ...process.env, DVC_NO_ANALYTICS: "1" },
  });
  return JSON.parse(answers.toString()) as Answer[];
}
