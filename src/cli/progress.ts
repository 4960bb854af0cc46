import { styleText } from "node:util";
import { harmless } from "../core/index.ts";
import type { ProgressEvent } from "../core/index.ts";
import { bytes, duration, printable } from "./text.ts";

interface ProgressOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly colour: boolean;
}

/** An event as one line (without its end) for a person who watches, or undefined when it is not for their eyes. */
export function progressLine(
  event: Exclude<ProgressEvent, { type: "progress" }>,
  options: ProgressOptions,
): string | undefined {
  const paint = (format: Parameters<typeof styleText>[0], text: string): string =>
    options.colour ? styleText(format, text, { validateStream: false }) : text;
  if (event.type === "warning") return `${paint("yellow", "warning:")} ${printable(event.message)}`;
  if (options.json || options.quiet) return undefined;
  switch (event.type) {
    case "note":
      return event.message;
    case "stage-cached":
      return `${paint("cyan", event.stage)}: cached${options.verbose ? ` (${event.key})` : ""}`;
    case "stage-started":
      return `${paint("cyan", event.stage)}: runs, because ${event.reason}`;
    case "stage-output":
      if (event.passing) return undefined;
      return `${paint("gray", `${event.stage} |`)} ${harmless(event.text, options.colour)}`;
    case "stage-ended":
      return `${paint("cyan", event.stage)}: ${event.ok ? paint("green", "done") : paint("red", "failed")} in ${duration(event.ms)}`;
    case "transfer":
      if (event.bytes < event.total && !options.verbose) return undefined;
      return `${event.direction === "push" ? "pushed" : "pulled"} ${event.what} (${bytes(event.total)})`;
    case "run-started":
    case "run-ended":
      return undefined;
    case "effect":
      return options.verbose ? paint("gray", `effect: ${event.name}`) : undefined;
  }
}
