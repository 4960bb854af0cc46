import { spawn } from "node:child_process";

/** Runs git in a folder; what it printed, trimmed. Rejects with its own words when it fails. */
export async function git(folder: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("git", ["-c", `safe.directory=${folder}`, ...args], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    let complaint = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (complaint += chunk.toString()));
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(output.trim());
      else reject(new Error(`git ${args.at(-1) ?? ""} ended with ${code}: ${complaint.trim()}`));
    });
  });
}
