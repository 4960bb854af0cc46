import { spawn } from "../core/index.ts";
import type { Context } from "../core/index.ts";

/** The program that opens a file as if a person had clicked on it. */
const OPENERS: Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>> = {
  darwin: ["open"],
  win32: ["cmd", "/c", "start", ""],
};

/** Shows a file in whatever the person reads such files with. A machine without such a program is a warning. */
export async function openFile(context: Context, path: string, platform = process.platform): Promise<void> {
  const [program, ...args] = OPENERS[platform] ?? ["xdg-open"];
  const { cwd, env } = context;
  const { exitCode, stderr } = await spawn(program, [...args, path], { cwd, env });
  if (exitCode === 0) return;
  context.emit({
    type: "warning",
    message: `${program} could not open ${path}: ${stderr.trim() || `exit ${exitCode}`}`,
  });
}
