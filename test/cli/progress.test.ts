import { describe, expect, test } from "vitest";
import { createOutput } from "../../src/cli/output.ts";
import { ProgressBars } from "../../src/cli/progress-bars.ts";
import type { ProgressEvent } from "../../src/core/index.ts";
import { ok } from "../../src/core/index.ts";

const ESC = "\u001B";

const started = (stage: string): ProgressEvent => ({
  type: "stage-started",
  pipeline: "p",
  stage,
  reason: "x",
  metrics: [],
});

/** A terminal as a person sees it: understands exactly the sequences that the bars use, and refuses all others. */
class Terminal {
  readonly columns: number;
  lines: string[] = [""];
  #row = 0;
  #column = 0;
  /** Everything that was written, as it came. */
  raw = "";
  /** Writes. */
  count = 0;

  constructor(columns: number) {
    this.columns = columns;
  }

  readonly write = (text: string): void => {
    this.raw += text;
    this.count++;
    // oxlint-disable-next-line no-control-regex -- that is what a terminal reads
    for (const [part] of text.matchAll(/\u001B\[\d*[A-Za-z]|[\s\S]/g)) this.#take(part);
  };

  get screen(): string[] {
    return this.lines.map((line) => line.trimEnd()).filter((line) => line !== "");
  }

  #take(part: string): void {
    if (part === "\r") this.#column = 0;
    else if (part === "\n") [this.#row, this.#column] = [this.#row + 1, 0];
    else if (/^.\[\d*A$/.test(part)) this.#row -= Number(part.slice(2, -1));
    else if (part === `${ESC}[J`) this.#clear();
    else if (/^.\[\d+m$/.test(part)) return;
    else if (part < " ") throw new Error(`the terminal does not know ${JSON.stringify(part)}`);
    else this.#put(part);
    if (this.#row < 0) throw new Error("above the first line");
  }

  #put(character: string): void {
    if (this.#column >= this.columns) throw new Error("a line wrapped");
    const line = this.lines[this.#row] ?? "";
    this.lines[this.#row] = line.padEnd(this.#column).slice(0, this.#column) + character + line.slice(this.#column + 1);
    this.#column++;
  }

  #clear(): void {
    this.lines = this.lines.slice(0, this.#row + 1);
    this.lines[this.#row] = (this.lines[this.#row] ?? "").slice(0, this.#column);
  }
}

interface Rig {
  readonly terminal: Terminal;
  readonly bars: ProgressBars;
  /** Lets time pass, with the ticks that fall into it. */
  readonly pass: (ms: number) => void;
  readonly tell: (task: string, done: number, total: number, unit?: "bytes" | "files") => void;
}

function rig(columns: number | undefined, colour = false): Rig {
  const terminal = new Terminal(columns ?? 1000);
  let now = 50_000;
  const ticks = new Set<{ at: number; readonly ms: number; readonly work: () => void }>();
  const bars = new ProgressBars({
    write: terminal.write,
    columns: () => columns,
    colour,
    now: () => now,
    every: (ms, work) => {
      const tick = { at: now + ms, ms, work };
      ticks.add(tick);
      return () => ticks.delete(tick);
    },
  });
  return {
    terminal,
    bars,
    pass: (ms) => {
      const end = now + ms;
      for (;;) {
        const [next] = [...ticks].filter((tick) => tick.at <= end).sort((a, b) => a.at - b.at);
        if (next === undefined) break;
        now = next.at;
        next.at += next.ms;
        next.work();
      }
      now = end;
    },
    tell: (task, done, total, unit = "bytes") => bars.update({ type: "progress", task, unit, done, total }),
  };
}

describe("on a terminal", () => {
  test("one line a task with percent, bytes, rate and time left; one line for good at its end", () => {
    const { terminal, pass, tell } = rig(100);
    tell("push digits", 0, 10_000_000);
    for (let step = 1; step <= 4; step++) {
      pass(1000);
      tell("push digits", step * 1_000_000, 10_000_000);
    }
    pass(500); // the event came with a tick, and was not drawn at once
    expect(terminal.screen).toHaveLength(1);
    expect(terminal.screen[0]).toMatch(
      /^push digits #{8}\.{12} 40 % {2}4\.0 MB of 10\.0 MB {2}[\d.]+ [kM]B\/s {2}\d+ s left$/,
    );
    expect(Number(/(\d+) s left/.exec(terminal.screen[0]!)![1])).toBeCloseTo(6, -1);
    pass(5500);
    tell("push digits", 10_000_000, 10_000_000);
    expect(terminal.screen).toEqual(["push digits: 10.0 MB in 10.0 s (1.0 MB/s)"]);
  });

  test("two tasks have two lines; a line that ends goes above those that go on", () => {
    const { terminal, pass, tell } = rig(100);
    tell("one", 0, 100, "files");
    tell("two", 0, 100, "files");
    pass(200);
    tell("two", 50, 100, "files");
    expect(terminal.screen).toEqual([
      expect.stringMatching(/^one /),
      expect.stringMatching(/^two .* 50 % {2}50 of 100/),
    ]);
    tell("one", 100, 100, "files");
    expect(terminal.screen).toEqual([expect.stringMatching(/^one: 100 files in/), expect.stringMatching(/^two /)]);
  });

  test("many tasks are shown in part", () => {
    const { terminal, bars, tell } = rig(80);
    for (let task = 0; task < 9; task++) tell(`task ${task}`, 0, 100);
    bars.draw();
    expect(terminal.screen).toHaveLength(7);
    expect(terminal.screen.at(-1)).toBe("and 3 more");
  });

  test("it is drawn ten times a second at most, however often it is told", () => {
    const { terminal, pass, tell } = rig(100);
    tell("busy", 0, 100_000);
    const before = terminal.raw.split("busy").length;
    for (let step = 1; step < 10_000; step++) {
      tell("busy", step, 100_000);
      if (step % 10 === 0) pass(1);
    }
    // One second has passed; ticks come on top of what events ask for.
    expect(terminal.raw.split("busy").length - before).toBeLessThanOrEqual(12);
    expect(terminal.raw.split("busy").length - before).toBeGreaterThanOrEqual(8);
  });

  test("the rate of work that stands still falls, without an event", () => {
    const { terminal, pass, tell } = rig(100);
    tell("slow", 0, 100_000_000);
    pass(1000);
    tell("slow", 10_000_000, 100_000_000);
    pass(500);
    const left = (): number =>
      Number(
        /(\d+) s left/.exec(
          terminal.screen[0]!.replace(
            /(\d+) min (\d+) s/,
            (_, m: string, s: string) => `${Number(m) * 60 + Number(s)} s`,
          ),
        )![1],
      );
    const before = left();
    pass(5000);
    expect(left()).toBeGreaterThan(before * 2);
  });

  test.each([1, 5, 12, 20, 33, 47, 80, 300])("no line wraps in %i columns", (columns) => {
    const { terminal, pass, tell } = rig(columns);
    for (const task of ["push a-dataset-with-a-rather-long-name", "取得 画像データ", "x"]) tell(task, 0, 5_000_000_000);
    for (let step = 1; step < 20; step++) {
      pass(700);
      for (const task of ["push a-dataset-with-a-rather-long-name", "取得 画像データ", "x"]) {
        tell(task, step * 123_456_789, 5_000_000_000);
      }
    }
    expect(terminal.screen.length).toBeLessThanOrEqual(3);
  });

  test("a name cannot move the cursor, colour the line or begin another", () => {
    const { terminal, tell, bars } = rig(100);
    tell(`a${ESC}[2J\u009B1A\nb\rc\u202E`, 1, 100);
    bars.draw();
    expect(terminal.screen[0]).toContain("a\\u{1b}[2J\\u{9b}1A\\u{a}b\\u{d}c\\u{202e}");
    expect(terminal.raw).not.toContain(`${ESC}[2J`);
  });

  test("a total that is not known has bytes and rate, no percent", () => {
    const { terminal, pass, tell } = rig(100);
    tell("import x", 0, Number.POSITIVE_INFINITY);
    pass(1000);
    tell("import x", 2_000_000, Number.POSITIVE_INFINITY);
    pass(1000);
    expect(terminal.screen).toEqual([expect.stringMatching(/^import x 2\.0 MB {2}[\d.]+ [kM]B\/s$/)]);
    tell("import x", 2_000_000, 2_000_000);
    expect(terminal.screen).toEqual(["import x: 2.0 MB in 2.0 s (1.0 MB/s)"]);
  });

  test("colour is in the bar alone, and only where it is wanted", () => {
    const plain = rig(100);
    plain.tell("x", 50, 100);
    expect(plain.terminal.raw).not.toContain(ESC);
    const coloured = rig(100, true);
    coloured.tell("x", 50, 100);
    expect(coloured.terminal.raw).toContain(`${ESC}[36m`);
  });

  test("nothing of it is left when the work fails", () => {
    const { terminal, tell, bars, pass } = rig(100);
    tell("one", 1, 100);
    tell("two", 1, 100);
    bars.close();
    expect(terminal.screen).toEqual([]);
    const { length } = terminal.raw;
    pass(5000);
    expect(terminal.raw).toHaveLength(length);
  });
});

describe("a run on a terminal", () => {
  const start = (columns = 60): Rig & { event: (event: ProgressEvent) => void } => {
    const made = rig(columns);
    const event = (told: ProgressEvent): void => {
      made.bars.update(told);
      made.bars.draw();
    };
    event({ type: "run-started", pipeline: "churn", stages: 12 });
    return { ...made, event };
  };
  const output = (stage: string, text: string): ProgressEvent => ({
    type: "stage-output",
    stage,
    stream: "stdout",
    text,
  });

  test("how far it is, what runs for how long, and what each said last", () => {
    const { terminal, pass, event } = start();
    event({ type: "stage-cached", stage: "fetch", key: "1" });
    event(started("prepare"));
    event(started("train"));
    pass(65_000);
    event(output("train", `${ESC}[2Kepoch 3\tloss ${ESC}[31m0.2${ESC}[0m`));
    event(output("train", "  "));
    expect(terminal.screen).toEqual([
      "churn: 1 of 12 stages, 1 cached",
      "  prepare  1 min 5 s",
      "  train  1 min 5 s  | epoch 3 loss 0.2",
    ]);
    event({ type: "stage-ended", stage: "prepare", ms: 1, ok: false });
    pass(1000);
    expect(terminal.screen).toEqual([
      "churn: 2 of 12 stages, 1 cached, 1 failed",
      "  train  1 min 6 s  | epoch 3 loss 0.2",
    ]);
    event({ type: "run-ended" });
    expect(terminal.screen).toEqual([]);
    const { length } = terminal.raw;
    pass(5000);
    expect(terminal.raw).toHaveLength(length);
  });

  test("it shares the bottom of the terminal with transfers", () => {
    const { terminal, pass, event, tell } = start();
    event(started("train"));
    tell("push digits", 1, 100);
    pass(500);
    expect(terminal.screen).toEqual(["churn: 0 of 12 stages", "  train  0 s", expect.stringMatching(/^push digits /)]);
    tell("push digits", 100, 100);
    expect(terminal.screen).toEqual([expect.stringMatching(/^push digits: /), "churn: 0 of 12 stages", "  train  0 s"]);
  });

  test.each([1, 9, 30])("no line wraps in %i columns, and many stages are shown in part", (columns) => {
    const { terminal, event } = start(columns);
    for (let at = 0; at < 11; at++) {
      event(started(`取得@${at}`));
      event(output(`取得@${at}`, "画像データ".repeat(20)));
    }
    expect(terminal.screen.length).toBeLessThanOrEqual(10);
    if (columns === 30) expect(terminal.screen.at(-1)).toBe("  and 3 more");
  });

  test("a flood of lines does not have it drawn again for each", () => {
    const { terminal, bars, pass } = start();
    const before = terminal.raw.split("churn").length;
    for (let line = 0; line < 1000; line++) {
      bars.above(() => terminal.write(`line ${line}\n`), { often: true });
      pass(1);
    }
    expect(terminal.raw.split("churn").length - before).toBeLessThanOrEqual(12);
    expect(terminal.screen.slice(-2)).toEqual(["line 999", "churn: 0 of 12 stages"]);
  });
});

describe("elsewhere", () => {
  test("a short task is one line, a long one a line every ten seconds at most", () => {
    const { terminal, pass, tell } = rig(undefined);
    tell("push digits", 0, 40_000_000);
    for (let step = 1; step <= 40; step++) {
      pass(1000);
      tell("push digits", step * 1_000_000, 40_000_000);
    }
    tell("quick", 3, 3, "files");
    expect(terminal.screen).toEqual([
      expect.stringMatching(/^push digits: 25 %, 10\.0 MB of 40\.0 MB, .*B\/s, 30 s left$/),
      expect.stringMatching(/^push digits: 50 %/),
      expect.stringMatching(/^push digits: 75 %/),
      "push digits: 40.0 MB in 40.0 s (1.0 MB/s)",
      "quick: 3 files",
    ]);
    expect(terminal.raw).not.toContain(ESC);
  });
});

describe("the output", () => {
  const progress: ProgressEvent = { type: "progress", task: "push", unit: "bytes", done: 1, total: 2 };
  const output = (options: { json?: boolean; quiet?: boolean }, terminal: Terminal) =>
    createOutput({
      json: false,
      quiet: false,
      verbose: false,
      colour: false,
      ...options,
      stdout: terminal.write,
      stderr: terminal.write,
      screen: { columns: () => terminal.columns, now: () => 0, every: () => () => {} },
    });

  test("other lines go above the bars, and the answer stands alone", () => {
    const terminal = new Terminal(80);
    const out = output({}, terminal);
    out.emit(progress);
    out.emit({ type: "warning", message: `odd\n${ESC}[2Jname` });
    out.line("said");
    expect(terminal.screen).toEqual([
      "warning: odd\\u{a}\\u{1b}[2Jname",
      "said",
      expect.stringMatching(/^push .* 50 %/),
    ]);
    out.answer(ok({ json: {}, text: "done" }));
    expect(terminal.screen).toEqual(["warning: odd\\u{a}\\u{1b}[2Jname", "said", "done"]);
  });

  test.each([{ json: true }, { quiet: true }])("with %o there is none", (options) => {
    const terminal = new Terminal(80);
    output(options, terminal).emit(progress);
    expect(terminal.raw).toBe("");
  });
});
