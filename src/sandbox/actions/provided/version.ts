import * as core from "@actions/core";
import { spawnSync } from "node:child_process";

/** Takes a language that is on this machine, puts its version in the outputs, and says when another was asked for. */
export function useInstalled(name: "node" | "python", programs: readonly string[]): void {
  for (const program of programs) {
    const found = spawnSync(program, ["--version"], { encoding: "utf8" });
    const version = /\d+\.\d+\.\d+/u.exec(`${found.stdout ?? ""}${found.stderr ?? ""}`)?.[0];
    if (found.status !== 0 || version === undefined) continue;
    const wanted = core.getInput(`${name}-version`).replace(/^v/u, "").replace(/\.x$/u, "");
    const plain = /^\d+(?:\.\d+)*$/u.test(wanted);
    if (plain && version !== wanted && !version.startsWith(`${wanted}.`)) {
      core.warning(`${name} ${wanted} was asked for; the sandbox has ${version} and uses that.`);
    }
    core.info(`${name} ${version}`);
    core.setOutput(`${name}-version`, version);
    return;
  }
  core.setFailed(`this machine has no ${name}`);
}
