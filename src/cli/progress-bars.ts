import { styleText } from "node:util";
import type { ProgressEvent } from "../core/index.ts";
import { columnsOf, fit } from "./fit.ts";
import { isStageEvent, StageBoard } from "./progress-stages.ts";
import { ProgressTask } from "./progress-task.ts";

/** Where progress is drawn, and by which clock. */
export interface Screen {
  readonly write: (text: string) => void;
  /** Characters in a line; undefined: this is no terminal, and gets plain lines now and then. */
  readonly columns: () => number | undefined;
  readonly colour: boolean;
  /** In ms; only differences count. */
  readonly now: () => number;
  /** Calls `work` every so many ms until the function it gives is called. It must not keep the process alive. */
  readonly every: (ms: number, work: () => void) => () => void;
}

/** No terminal is drawn to more often. */
const DRAW_MS = 100;
/** A file that is read later gets a line about a task that lasts no more often than this. */
const LINE_MS = 10_000;
const BARS = 6;
const BAR_WIDTH = 20;
const ESCAPE = "\u001B[";

/**
 * What is going on, at the bottom of a terminal: the stages that run, and the tasks with a bar each, of which one line
 * stays for good when they end. Whoever else writes to the terminal does it by `above`.
 */
export class ProgressBars {
  readonly #screen: Screen;
  readonly #stages = new StageBoard();
  readonly #tasks = new Map<string, { readonly task: ProgressTask; saidAt: number }>();
  /** Lines that stand on the terminal now. */
  #drawn = 0;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #stop: (() => void) | undefined;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  update(event: ProgressEvent): void {
    const now = this.#screen.now();
    if (isStageEvent(event)) this.#stages.update(event, now);
    if (event.type === "run-started") this.#wake();
    if (event.type === "run-ended") {
      this.#rest();
      this.draw();
    }
    if (event.type !== "progress") return;
    const known = this.#tasks.get(event.task);
    const entry = known ?? { task: new ProgressTask(event, now), saidAt: now };
    if (known === undefined) this.#tasks.set(event.task, entry);
    else entry.task.update(event, now);
    if (entry.task.ended) return this.#end(event.task, entry.task, now);
    if (this.#screen.columns() === undefined) return this.#say(entry, now);
    this.#wake();
    if (now - this.#drawnAt >= DRAW_MS) this.draw();
  }

  /** Writes something above all this. A flood of lines does not have it drawn again for each: a tick will. */
  above(write: () => void, { often = false } = {}): void {
    this.clear();
    write();
    if (!often || this.#screen.now() - this.#drawnAt >= DRAW_MS) this.draw();
  }

  #end(name: string, task: ProgressTask, now: number): void {
    this.clear();
    this.#tasks.delete(name);
    this.#screen.write(`${task.summary(now)}\n`);
    this.#rest();
    this.draw();
  }

  #say(entry: { readonly task: ProgressTask; saidAt: number }, now: number): void {
    if (now - entry.saidAt < LINE_MS) return;
    entry.saidAt = now;
    this.#screen.write(`${entry.task.label}: ${entry.task.state().join(", ")}\n`);
  }

  /** Takes the bars off the terminal. */
  clear(): void {
    if (this.#drawn === 0) return;
    const up = this.#drawn > 1 ? `${ESCAPE}${this.#drawn - 1}A` : "";
    this.#screen.write(`\r${up}${ESCAPE}J`);
    this.#drawn = 0;
  }

  draw(): void {
    const columns = this.#screen.columns();
    if (columns === undefined) return;
    const now = this.#screen.now();
    for (const { task } of this.#tasks.values()) task.look(now);
    const running = [...this.#tasks.values()].map(({ task }) => task);
    const bars = running.slice(0, BARS).map((task) => barLine(task, columns - 1, this.#screen.colour));
    if (running.length > BARS) bars.push(fit(`and ${running.length - BARS} more`, columns - 1));
    const lines = [...this.#stages.lines(now, columns - 1), ...bars];
    this.clear();
    if (lines.length === 0) return;
    this.#screen.write(lines.join("\n"));
    this.#drawn = lines.length;
    this.#drawnAt = now;
  }

  /** Ends all, finished or not: nothing of it is left on the terminal. */
  close(): void {
    this.clear();
    this.#tasks.clear();
    this.#stages.update({ type: "run-ended" }, this.#screen.now());
    this.#rest();
  }

  #wake(): void {
    if (this.#screen.columns() !== undefined) this.#stop ??= this.#screen.every(DRAW_MS * 5, () => this.draw());
  }

  /** Nothing moves any more. */
  #rest(): void {
    if (this.#tasks.size > 0 || this.#stages.isRunning) return;
    this.#stop?.();
    this.#stop = undefined;
  }
}

/** A task in one line of at most `width` characters: what is known, from the right; the bar, if there is room. */
function barLine(task: ProgressTask, width: number, colour: boolean): string {
  const state = task.state();
  while (state.length > 1 && columnsOf(task.label) + 1 + state.join("  ").length > width) state.pop();
  const told = state.join("  ");
  const room = width - told.length - 1;
  const { share } = task;
  if (share === undefined || room < BAR_WIDTH + 10)
    return `${fit(task.label, room)} ${told}`.slice(0, Math.max(0, width));
  const full = Math.round(share * BAR_WIDTH);
  const paint = (text: string): string => (colour ? styleText("cyan", text, { validateStream: false }) : text);
  const bar = `${paint("#".repeat(full))}${".".repeat(BAR_WIDTH - full)}`;
  return `${fit(task.label, room - BAR_WIDTH - 1)} ${bar} ${told}`;
}
