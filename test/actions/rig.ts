import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommandReader } from "../../src/sandbox/actions/commands.ts";
import type { Command } from "../../src/sandbox/actions/commands.ts";

const ROOT = join(import.meta.dirname, "..", "..");
export const DIST = join(ROOT, "actions", "dist");

export interface Started {
  readonly exitCode: number | null;
  readonly stdout: string;
  /** As the runner takes them: what a stopped reader does not see is not there. */
  readonly commands: readonly Command[];
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: string;
  readonly ms: number;
}

export interface StartOptions {
  readonly workspace: string;
  readonly apiUrl: string;
  readonly inputs?: Readonly<Record<string, string>>;
  readonly eventName?: string;
  readonly event?: unknown;
  readonly sha?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a bundle as the runner does: Node 24 and the file, nothing else than its variables, the file commands. */
export async function startAction(name: string, options: StartOptions): Promise<Started> {
  const temp = await mkdtemp(join(tmpdir(), "lockstep-action-"));
  try {
    const file = async (label: string, text = ""): Promise<string> => {
      await writeFile(join(temp, label), text);
      return join(temp, label);
    };
    await mkdir(join(temp, "runner"));
    const inputs = Object.entries(options.inputs ?? {}).map(([key, value]) => [
      `INPUT_${key.replaceAll(" ", "_").toUpperCase()}`,
      value,
    ]);
    const env = {
      PATH: process.env["PATH"] ?? "",
      HOME: temp,
      ...Object.fromEntries(inputs),
      GITHUB_ACTIONS: "true",
      GITHUB_ACTOR: "ann",
      GITHUB_API_URL: options.apiUrl,
      GITHUB_EVENT_NAME: options.eventName ?? "push",
      GITHUB_EVENT_PATH: await file("event.json", JSON.stringify(options.event ?? {})),
      GITHUB_OUTPUT: await file("output"),
      GITHUB_REF_NAME: "main",
      GITHUB_REPOSITORY: "acme/digits",
      GITHUB_RUN_ATTEMPT: "1",
      GITHUB_RUN_ID: "77",
      GITHUB_SERVER_URL: "http://github.localhost",
      GITHUB_SHA: options.sha ?? "",
      GITHUB_STEP_SUMMARY: await file("summary"),
      GITHUB_WORKFLOW_REF: "acme/digits/.github/workflows/lockstep.yml@refs/heads/main",
      GITHUB_WORKFLOW_SHA: "c".repeat(40),
      GITHUB_WORKSPACE: options.workspace,
      RUNNER_TEMP: join(temp, "runner"),
      ...options.env,
    };
    const from = performance.now();
    const child = spawn(process.execPath, [join(DIST, `${name}.js`)], { cwd: options.workspace, env });
    let stdout = "";
    child.stdout.on("data", (chunk) => (stdout += String(chunk)));
    child.stderr.on("data", (chunk) => (stdout += String(chunk)));
    const exitCode = await new Promise<number | null>((resolve) => child.on("close", resolve));
    const ms = performance.now() - from;
    const reader = new CommandReader();
    const commands = stdout.split("\n").flatMap((line) => {
      const command = reader.read(line);
      return command === undefined || command.name === "stop-commands" ? [] : [command];
    });
    const outputs = parseOutputs(await readFile(env.GITHUB_OUTPUT, "utf8"));
    const result = outputs["result"];
    if (result !== undefined) outputs["result-text"] = await readFile(result, "utf8");
    return { exitCode, stdout, commands, outputs, summary: await readFile(env.GITHUB_STEP_SUMMARY, "utf8"), ms };
  } finally {
    await rm(temp, { recursive: true, force: true });
  }
}

/** `name<<delimiter`, lines, `delimiter`: the format of the runner's output file. */
function parseOutputs(text: string): Record<string, string> {
  const found = text.matchAll(/^(.+?)<<(ghadelimiter_.+)\n([\s\S]*?)\n\2$/gm);
  return Object.fromEntries([...found].map((match) => [match[1] ?? "", match[3] ?? ""]));
}
