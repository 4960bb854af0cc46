import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fail, ok, type Result } from "../../core/index.ts";

/** Bytes of one step's summary. https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands */
export const SUMMARY_LIMIT = 1024 * 1024;

/**
 * Reads `name=value` lines and `name<<DELIMITER` blocks, as steps write them to GITHUB_ENV, GITHUB_OUTPUT and
 * GITHUB_STATE. The last value of a name counts.
 */
export function parseAssignments(source: string, what: string): Result<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const lines = source.split(/\r?\n/u);
  const wrong = (problem: string): Result<never> => fail({ code: "external", what, problem });
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? "";
    if (line === "") continue;
    const equals = line.indexOf("=");
    const heredoc = line.indexOf("<<");
    if (heredoc >= 0 && (equals < 0 || heredoc < equals)) {
      const name = line.slice(0, heredoc);
      const delimiter = line.slice(heredoc + 2);
      if (name === "" || delimiter === "") return wrong(`invalid format '${line}'`);
      const end = lines.indexOf(delimiter, index + 1);
      if (end < 0) return wrong(`matching delimiter not found '${delimiter}'`);
      found.set(name, lines.slice(index + 1, end).join("\n"));
      index = end;
    } else if (equals > 0) found.set(line.slice(0, equals), line.slice(equals + 1));
    else return wrong(`invalid format '${line}'`);
  }
  return ok(found);
}

const FILES = {
  GITHUB_ENV: "set_env",
  GITHUB_OUTPUT: "set_output",
  GITHUB_PATH: "add_path",
  GITHUB_STATE: "save_state",
  GITHUB_STEP_SUMMARY: "step_summary",
} as const;

/** What a step left in its files. */
export interface FileCommands {
  readonly env: ReadonlyMap<string, string>;
  readonly outputs: ReadonlyMap<string, string>;
  readonly state: ReadonlyMap<string, string>;
  readonly paths: readonly string[];
  readonly summary: string;
}

/** The files of one step: made empty before it starts, read and removed when it has ended. */
export class StepFiles {
  readonly env: Readonly<Record<keyof typeof FILES, string>>;

  constructor(temp: string) {
    const folder = join(temp, "_runner_file_commands");
    mkdirSync(folder, { recursive: true });
    const id = randomUUID();
    const entries = Object.entries(FILES).map(([name, file]) => [name, join(folder, `${file}_${id}`)] as const);
    for (const [, path] of entries) writeFileSync(path, "");
    this.env = Object.fromEntries(entries) as Record<keyof typeof FILES, string>;
  }

  collect(): Result<FileCommands> {
    const source = (name: keyof typeof FILES): string => {
      try {
        return readFileSync(this.env[name], "utf8");
      } catch {
        return ""; // the step deleted it
      }
    };
    const env = parseAssignments(source("GITHUB_ENV"), "GITHUB_ENV");
    const outputs = parseAssignments(source("GITHUB_OUTPUT"), "GITHUB_OUTPUT");
    const state = parseAssignments(source("GITHUB_STATE"), "GITHUB_STATE");
    const paths = source("GITHUB_PATH")
      .split(/\r?\n/u)
      .filter((line) => line !== "");
    const summary = source("GITHUB_STEP_SUMMARY");
    for (const path of Object.values(this.env)) rmSync(path, { force: true });
    if (!env.ok) return env;
    if (!outputs.ok) return outputs;
    if (!state.ok) return state;
    return ok({ env: env.value, outputs: outputs.value, state: state.value, paths, summary });
  }
}
