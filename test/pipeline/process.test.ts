import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ProgressEvent } from "../../src/core/index.ts";
import { Lines, LONGEST_LINE } from "../../src/pipeline/lines.ts";
import { runCommand, shell } from "../../src/pipeline/process.ts";
import type { CommandEnd } from "../../src/pipeline/process.ts";
import { contextIn, temporary } from "../git/repository.ts";
import { isAlive, until } from "../helpers/processes.ts";

type Printed = Extract<ProgressEvent, { type: "stage-output" }>;

interface Ran extends CommandEnd {
  readonly printed: readonly Printed[];
  readonly warnings: readonly string[];
}

async function ran(
  cwd: string,
  command: string,
  options: Partial<Parameters<typeof runCommand>[2]> = {},
): Promise<Ran> {
  const context = contextIn(cwd);
  const signal = new AbortController().signal;
  const end = await runCommand(context, shell(command), {
    stage: "s",
    folder: cwd,
    timeoutMs: null,
    signal,
    ...options,
  });
  return {
    ...end,
    printed: context.events.filter((event) => event.type === "stage-output"),
    warnings: context.events.flatMap((event) => (event.type === "warning" ? [event.message] : [])),
  };
}

describe("lines", () => {
  const cut = (...chunks: (string | Buffer)[]): string[] => {
    const seen: string[] = [];
    const lines = new Lines((line, passing) => void seen.push(passing ? `(${line})` : line));
    for (const chunk of chunks) lines.write(Buffer.from(chunk));
    lines.end();
    return seen;
  };

  test("end in a line feed, wherever the chunks are cut", () => {
    expect(cut("one\ntw", "o\r", "\nthree")).toEqual(["one", "two", "three"]);
    expect(cut("\n\na\n")).toEqual(["", "", "a"]);
    expect(cut("")).toEqual([]);
  });

  test("a carriage return alone: the next line is written over it, unless there is none", () => {
    expect(cut("10 %\r50 %\r", "100 %\n")).toEqual(["(10 %)", "(50 %)", "100 %"]);
    expect(cut("a\r\r\nb\r")).toEqual(["(a)", "", "b"]);
  });

  test("characters that are cut in two, and bytes that are none", () => {
    const text = Buffer.from("grün\n");
    expect(cut(text.subarray(0, 3), text.subarray(3))).toEqual(["grün"]);
    expect(cut(Buffer.from("gr\xfcn \0\xff\n", "latin1"))).toEqual(["gr\ufffdn \0\ufffd"]);
  });
});

test("a line of 10 MB is cut and said to be; the tail is what came after it", async () => {
  using folder = temporary();
  const { printed, tail } = await ran(folder.path, "head -c 10000000 /dev/zero | tr '\\0' x; echo; echo last; exit 1");
  expect(printed.map(({ text }) => text.length)).toEqual([
    LONGEST_LINE + " [9934464 more characters of this line were left out]".length,
    4,
  ]);
  expect(tail.endsWith("[9934464 more characters of this line were left out]\nlast")).toBe(true);
  expect(tail.length).toBe(4000);
});

test("what a progress bar overwrites is not in the tail", async () => {
  using folder = temporary();
  const { printed, tail } = await ran(folder.path, "printf '1\\r2\\r3\\n'");
  expect(printed.map(({ text, passing }) => [text, passing ?? false])).toEqual([
    ["1", true],
    ["2", true],
    ["3", false],
  ]);
  expect(tail).toBe("3");
});

test("a daemon in a session of its own is found and ended, whether or not it holds the pipes", async () => {
  using folder = temporary();
  const daemon = (name: string, redirect: string): string =>
    `setsid sh -c 'echo $$ > ${name}; exec sleep 60' ${redirect} & until test -s ${name}; do sleep 0.01; done`;
  const { how, warnings } = await ran(folder.path, `${daemon("one", "")}; ${daemon("two", "> /dev/null 2>&1")}`);
  expect(how).toBe("ok");
  const pids = ["one", "two"].map((name) => Number(readFileSync(join(folder.path, name), "utf8")));
  expect(warnings).toEqual([expect.stringContaining("left process")]);
  for (const pid of pids) {
    expect(warnings[0]).toContain(String(pid));
    await until(() => !isAlive(pid));
  }
});

test("when a shell is asked to stop, what it started has the grace to end by itself", async () => {
  using folder = temporary();
  const saving = `trap "while test ! -e go; do sleep 0.01; done; echo > saved; exit 0" TERM; echo > ready; while :; do sleep 0.01; done`;
  const interrupt = new AbortController();
  const running = ran(folder.path, `sh -c '${saving}'; echo never`, { signal: interrupt.signal });
  await until(() => existsSync(join(folder.path, "ready")));
  interrupt.abort();
  writeFileSync(join(folder.path, "go"), "");
  const { how, printed } = await running;
  expect(how).toBe("interrupted");
  expect(printed.map(({ text }) => text)).not.toContain("never");
  expect(existsSync(join(folder.path, "saved"))).toBe(true);
});

test("what ignores the polite signal is killed after the grace", async () => {
  using folder = temporary();
  const stubborn = `trap "" TERM; sh -c 'echo $$ > child; while :; do sleep 1; done'`;
  const { how, reason } = await ran(folder.path, stubborn, { timeoutMs: 300, graceMs: 100 });
  expect([how, reason]).toEqual(["timeout", "ran longer than its timeout of 0.3 s"]);
  expect(isAlive(Number(readFileSync(join(folder.path, "child"), "utf8")))).toBe(false);
});

test("a program that is not there", async () => {
  using folder = temporary();
  const context = contextIn(folder.path);
  const options = { stage: "s", folder: folder.path, timeoutMs: null, signal: new AbortController().signal };
  expect(await runCommand(context, ["/nonexistent/program"], options)).toMatchObject({
    how: "failed",
    reason: expect.stringMatching(/^could not be started: .*ENOENT/),
  });
});
