import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import type { ProgressEvent } from "../../src/core/index.ts";
import { inert, JobLog } from "../../src/github/job-log.ts";
import { CommandReader } from "../../src/sandbox/actions/commands.ts";
import { temporary } from "../git/repository.ts";

interface Rig extends Disposable {
  readonly log: JobLog;
  readonly folder: string;
  /** What a person sees: groups indented, commands by name. */
  readonly shown: () => string[];
}

/** A job's log, read as the runner reads it. */
function rig(): Rig {
  const folder = temporary();
  const chunks: Buffer[] = [];
  const log = new JobLog({ write: (text) => void chunks.push(Buffer.from(text)), folder: folder.path, debug: false });
  const shown = (): string[] => {
    const reader = new CommandReader();
    let indent = "";
    return Buffer.concat(chunks)
      .toString()
      .split("\n")
      .slice(0, -1)
      .flatMap((line) => {
        const command = reader.read(line);
        if (command?.name === "stop-commands" || /^::[0-9a-f-]{36}::$/.test(line)) return [];
        if (command?.name === "endgroup") indent = "";
        if (command?.name === "endgroup") return [];
        const text = command === undefined ? line : `[${command.name}] ${command.message}`;
        const told = `${indent}${text}`;
        if (command?.name === "group") indent = "  ";
        return [told];
      });
  };
  return { log, folder: folder.path, shown, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

const started = (stage: string): ProgressEvent => ({
  type: "stage-started",
  pipeline: "p",
  stage,
  reason: "x changed",
  metrics: [],
});
const output = (stage: string, text: string): ProgressEvent => ({
  type: "stage-output",
  stage,
  stream: "stdout",
  text,
});
const ended = (stage: string, ok = true): ProgressEvent => ({ type: "stage-ended", stage, ms: 1500, ok });

test("a group a stage; of stages at once the first is shown as it goes on, the others when it is their turn", () => {
  using at = rig();
  const tell = (...events: ProgressEvent[]): void => events.forEach(at.log.emit);
  tell({ type: "stage-cached", stage: "fetch", key: "0123456789abcdef" });
  tell(started("a"), started("b"), started("c"), output("a", "a 1"), output("b", "b 1"), output("c", "c 1"));
  expect(at.shown().slice(-2)).toEqual(["[group] a: runs, because x changed", "  a 1"]);
  tell(ended("c"), { type: "note", message: "a note" }, output("a", "a 2"), ended("a"), output("b", "b 2"));
  tell({ ...output("b", "50 %"), passing: true } as ProgressEvent, ended("b", false));
  at.log.close();
  expect(at.shown()).toEqual([
    "fetch: cached (0123456789ab)",
    "[group] a: runs, because x changed",
    "  a 1",
    "  a 2",
    "a: done after 1.5 s",
    "[group] c: runs, because x changed",
    "  c 1",
    "c: done after 1.5 s",
    "a note",
    "[group] b: runs, because x changed",
    "  b 1",
    "  b 2",
    "b: failed after 1.5 s",
  ]);
});

test("what waits is in memory up to a bound, then in a file that goes with it", () => {
  using at = rig();
  at.log.emit(started("a"));
  at.log.emit(started("b"));
  const lines = Array.from({ length: 20_000 }, (_, line) => `line ${line} ${"ü".repeat(50)}`);
  for (const line of lines) at.log.emit(output("b", line));
  expect(readdirSync(at.folder)).toHaveLength(1);
  at.log.emit(ended("b"));
  at.log.emit(ended("a"));
  expect(readdirSync(at.folder)).toEqual([]);
  expect(at.shown().slice(3, -1)).toEqual(lines.map((line) => `  ${line}`));
});

test("what a stage or a name says is never a command; ours are", () => {
  using at = rig();
  const evil = ["::error::x", "  ::set-output name=a::b", "##[error]x", "::stop-commands::mine", "::endgroup::"];
  at.log.emit(started("a"));
  for (const line of evil) at.log.emit(output("a", line));
  at.log.emit(output("a", "\u001B[2J\u001B[31mred\u001B[0m\u0007"));
  at.log.emit({ type: "warning", message: "careful\n::error::y" });
  at.log.emit({ type: "note", message: "::error::z" });
  at.log.emit(ended("a"));
  const at1 = { file: "pipelines/a,b:c.yaml", line: 3, column: 5 };
  at.log.failed([
    { code: "stage-failed", at: at1, stage: "a", reason: "ended with exit code 1", tail: "::error::w" },
    { code: "interrupted" },
  ]);
  at.log.close();
  expect(at.shown()).toEqual([
    "[group] a: runs, because x changed",
    ...evil.map((line) => `  ${line}`),
    "  \u001B[31mred\u001B[0m\uFFFD\u001B[0m",
    "  [warning] careful\n::error::y",
    "a: done after 1.5 s",
    "::error::z",
    'pipelines/a,b:c.yaml:3:5: stage "a" ended with exit code 1',
    "    | ::error::w",
    "interrupted",
    '[error] stage "a" ended with exit code 1',
  ]);
});

test("an annotation has the place; after the end the runner takes commands again", () => {
  const chunks: string[] = [];
  const log = new JobLog({ write: (text) => void chunks.push(String(text)), folder: "/nonexistent", debug: false });
  log.failed([{ code: "file-invalid", at: { file: "a,b:c.yaml", line: 3, column: 5 }, problem: "100 % wrong" }]);
  log.close();
  const lines = chunks.join("").split("\n");
  expect(lines).toContain("::error title=file-invalid,file=a%2Cb%3Ac.yaml,line=3,col=5::100 %25 wrong");
  const reader = new CommandReader();
  for (const line of lines) reader.read(line);
  expect(reader.read("::notice::mine")).toMatchObject({ name: "notice" });
});

test("stages that nobody ended do not keep the log open", () => {
  using at = rig();
  for (const event of [started("a"), started("b"), output("b", "b 1")]) at.log.emit(event);
  at.log.close();
  expect(at.shown()).toEqual(["[group] a: runs, because x changed", "[group] b: runs, because x changed", "  b 1"]);
});

test("text that goes past the log holds no command", () => {
  const text = inert("fine: a::b\n::error::x\n \t::group::y\nsay ##[error]z");
  expect(text).toBe("fine: a::b\n: :error::x\n \t: :group::y\nsay ## [error]z");
  const reader = new CommandReader();
  expect(text.split("\n").map((line) => reader.read(line))).toEqual([undefined, undefined, undefined, undefined]);
});
