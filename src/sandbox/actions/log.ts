import type { Annotation, Job, Step } from "../world.ts";
import { CommandReader, type Command } from "./commands.ts";
import type { Masker } from "./mask.ts";

/** Characters of one step's log that are kept; what comes after is not. */
const LOG_LIMIT = 4 * 1024 * 1024;
/** https://docs.github.com/rest/checks: annotations of each level that a step may make, and their length. */
const ANNOTATIONS_A_STEP = 10;
const ANNOTATION_LENGTH = 4096;

type Level = Annotation["level"];
const PREFIX: Readonly<Record<Level, string>> = { failure: "##[error]", warning: "##[warning]", notice: "##[notice]" };

/** What a step says: its log, and the workflow commands in it. */
export class StepLog {
  readonly #step: Step;
  readonly #job: Job;
  readonly #masker: Masker;
  readonly #changed: () => void;
  readonly #reader = new CommandReader();
  readonly #counts = new Map<Level, number>();
  #full = false;

  constructor(step: Step, job: Job, masker: Masker, changed: () => void) {
    this.#step = step;
    this.#job = job;
    this.#masker = masker;
    this.#changed = changed;
  }

  /** A line the runner itself writes. */
  write(line: string): void {
    if (this.#full) return;
    this.#step.log += `${this.#masker.mask(line)}\n`;
    if (this.#step.log.length > LOG_LIMIT) {
      this.#full = true;
      this.#step.log += `##[warning]The log is longer than ${LOG_LIMIT} characters; the rest is left out.\n`;
    }
    this.#changed();
  }

  /** A line of a program's output, which may be a workflow command. */
  output(line: string): void {
    const command = this.#reader.read(line);
    if (command === undefined) this.write(line);
    else this.#obey(command);
  }

  summary(text: string): void {
    const masked = this.#masker.mask(text);
    if (masked.trim() !== "") this.#step.summary += this.#step.summary === "" ? masked : `\n${masked}`;
    this.#changed();
  }

  annotate(level: Level, message: string, place: Readonly<Record<string, string>> = {}): void {
    const masked = this.#masker.mask(message);
    for (const line of masked.split("\n")) this.write(`${PREFIX[level]}${line}`);
    const count = (this.#counts.get(level) ?? 0) + 1;
    this.#counts.set(level, count);
    if (count > ANNOTATIONS_A_STEP) return;
    const line = Number(place["line"]);
    this.#job.annotations.push({
      level,
      message: masked.slice(0, ANNOTATION_LENGTH),
      ...(place["title"] === undefined ? {} : { title: this.#masker.mask(place["title"]) }),
      ...(place["file"] === undefined ? {} : { file: place["file"] }),
      ...(Number.isSafeInteger(line) && line > 0 ? { line } : {}),
    });
    this.#changed();
  }

  #obey({ name, properties, message }: Command): void {
    switch (name) {
      case "error":
        return this.annotate("failure", message, properties);
      case "warning":
        return this.annotate("warning", message, properties);
      case "notice":
        return this.annotate("notice", message, properties);
      case "group":
        return this.write(`##[group]${message}`);
      case "endgroup":
        return this.write("##[endgroup]");
      case "debug":
        return this.write(`##[debug]${message}`);
      case "add-mask":
        this.#masker.add(message);
        return this.write("::add-mask::***");
      case "set-output":
      case "save-state":
      case "set-env":
      case "add-path":
        return this.annotate(
          "warning",
          `The \`${name}\` command is not obeyed here. Write to the file of the same purpose, as GITHUB_OUTPUT is one.`,
        );
      default:
        return undefined; // matchers and `echo` change nothing that is kept here
    }
  }
}
