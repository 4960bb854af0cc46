import { parseSize, showSize } from "./gate-text.ts";
import type { GateInput, Judged } from "./gate.ts";

/** `{file, max_size}` */
export function judgeSize(gate: { readonly file: string; readonly max_size: string }, input: GateInput): Judged {
  const { file, max_size } = gate;
  const rule = `${file} at most ${max_size}`;
  const size = input.files[file] ?? null;
  if (size === null) return { rule, passed: false, found: `the model has no file "${file}"` };
  const over = size - parseSize(max_size);
  return {
    rule,
    passed: over <= 0,
    found: over <= 0 ? showSize(size) : `${showSize(size)}, ${showSize(over)} too large`,
  };
}

/** `{check}`: a name that several stages use has to pass in each. */
export function judgeCheck({ check }: { readonly check: string }, { checks = [] }: GateInput): Judged {
  const rule = `check ${check} passes`;
  const results = checks.filter(({ name }) => name === check);
  const told = results.find(({ passed }) => !passed) ?? results[0];
  if (told !== undefined)
    return { rule, passed: told.passed, found: told.found || (told.passed ? "passed" : "failed") };
  const names = [...new Set(checks.map(({ name }) => name))];
  const known = names.length === 0 ? "no stage of the pipeline has `checks`" : `there are ${list(names)}`;
  return { rule, passed: false, found: `there is no check "${check}"; ${known}` };
}

/** `{card}`: a field of blanks is not filled in. */
export function judgeCard({ card }: { readonly card: readonly string[] }, input: GateInput): Judged {
  const missing = card.filter((field) => (input.card?.[field] ?? "").trim() === "");
  const rule = `card says ${list(card)}`;
  if (missing.length === 0) return { rule, passed: true, found: "all are filled in" };
  return {
    rule,
    passed: false,
    found: `${list(missing)} ${missing.length === 1 ? "is" : "are"} missing: card in model.yaml is where to say it`,
  };
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 10);
  return names.length > shown.length ? `${shown.join(", ")} and ${names.length - shown.length} more` : shown.join(", ");
}
