import { harmless } from "../core/index.ts";
import type { ProgressEvent } from "../core/index.ts";
import { fit } from "./fit.ts";
import { printable, span } from "./text.ts";

type StageEvent = Extract<
  ProgressEvent,
  { type: "run-started" | "run-ended" | "stage-cached" | "stage-started" | "stage-output" | "stage-ended" }
>;

const SHOWN = 8;

export function isStageEvent(event: ProgressEvent): event is StageEvent {
  return event.type.startsWith("stage-") || event.type === "run-started" || event.type === "run-ended";
}

/** A run as it goes on: how far it is, and of each stage that runs how long it has and what it said last. */
export class StageBoard {
  #run: { readonly name: string; readonly stages: number } | undefined;
  #cached = 0;
  #ended = 0;
  #failed = 0;
  readonly #running = new Map<string, { readonly startedAt: number; line: string }>();

  get isRunning(): boolean {
    return this.#run !== undefined;
  }

  /** `now` in ms, from any clock. */
  update(event: StageEvent, now: number): void {
    switch (event.type) {
      case "run-started":
        this.#run = { name: event.pipeline, stages: event.stages };
        return this.#reset();
      case "run-ended":
        this.#run = undefined;
        return this.#reset();
      case "stage-cached":
        this.#cached++;
        return;
      case "stage-started":
        this.#running.set(event.stage, { startedAt: now, line: "" });
        return;
      case "stage-output": {
        const running = this.#running.get(event.stage);
        if (running !== undefined && event.text.trim() !== "") running.line = event.text;
        return;
      }
      case "stage-ended":
        this.#running.delete(event.stage);
        if (event.ok) this.#ended++;
        else this.#failed++;
        return;
    }
  }

  #reset(): void {
    this.#cached = 0;
    this.#ended = 0;
    this.#failed = 0;
    this.#running.clear();
  }

  /** At most `width` characters each; none when nothing goes on. */
  lines(now: number, width: number): string[] {
    if (this.#run === undefined) return [];
    const { name, stages } = this.#run;
    const done = this.#cached + this.#ended + this.#failed;
    const parts = [`${printable(name)}: ${done} of ${stages} stages`];
    if (this.#cached > 0) parts.push(`${this.#cached} cached`);
    if (this.#failed > 0) parts.push(`${this.#failed} failed`);
    const running = [...this.#running].slice(0, SHOWN).map(([stage, { startedAt, line }]) => {
      const told = `  ${printable(stage)}  ${span(Math.floor((now - startedAt) / 1000))}`;
      return line === "" ? told : `${told}  | ${harmless(line, false).replaceAll("\t", " ")}`;
    });
    if (this.#running.size > SHOWN) running.push(`  and ${this.#running.size - SHOWN} more`);
    return [parts.join(", "), ...running].map((text) => fit(text, width));
  }
}
