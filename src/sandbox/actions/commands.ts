/*
 * Workflow commands: lines of a step's output that begin with `::`.
 * https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
 */

export interface Command {
  readonly name: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly message: string;
}

const unescapeData = (value: string): string =>
  value.replaceAll("%0D", "\r").replaceAll("%0A", "\n").replaceAll("%25", "%");
const unescapeProperty = (value: string): string => unescapeData(value.replaceAll("%3A", ":").replaceAll("%2C", ","));

/** The command a line of output is; undefined for an ordinary line. */
export function parseCommand(line: string): Command | undefined {
  const found = /^\s*::([\w-]+)(?:\s+([^:].*?|))?::(.*)$/u.exec(line);
  if (found?.[1] === undefined) return undefined;
  const properties: Record<string, string> = {};
  for (const part of (found[2] ?? "").split(",")) {
    const split = part.indexOf("=");
    if (split > 0) properties[part.slice(0, split).trim()] = unescapeProperty(part.slice(split + 1));
  }
  return { name: found[1].toLowerCase(), properties, message: unescapeData(found[3] ?? "") };
}

const KNOWN = new Set([
  "error",
  "warning",
  "notice",
  "debug",
  "group",
  "endgroup",
  "add-mask",
  "add-matcher",
  "remove-matcher",
  "echo",
  "set-output",
  "save-state",
  "set-env",
  "add-path",
  "stop-commands",
]);

/** Turns lines into commands, as the runner does while a step writes: `stop-commands` switches it off and on again. */
export class CommandReader {
  #stop: string | undefined;

  read(line: string): Command | undefined {
    if (this.#stop !== undefined) {
      if (line.trim() === `::${this.#stop}::`) this.#stop = undefined;
      return undefined;
    }
    const command = parseCommand(line);
    if (command === undefined || !KNOWN.has(command.name)) return undefined;
    if (command.name === "stop-commands") this.#stop = command.message;
    return command;
  }
}
