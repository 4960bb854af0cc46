import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { attempt, fail, isWithin, ok } from "../../core/index.ts";
import type { Context, Failure, Result } from "../../core/index.ts";
import type { Stage } from "../stage.ts";
import { below, callsIn } from "./trace-file.ts";
import { placesOf } from "./view.ts";
import type { View } from "./view.ts";

/** What a confined stage ended with. */
interface Confined {
  readonly stage: Stage;
  readonly view: View;
  readonly root: string;
  readonly ended: Result<void>;
  /** The calls that failed; undefined where there is no strace to write them down. */
  readonly trace: string | undefined;
}

/** Names in a message. */
export const SHOWN = 5;
/** Paths that are looked at; a stage that tries more than this in vain is told of the first ones. */
const MOST = 10_000;

/** Adds to a failure what the stage looked for in vain; of a stage that went on without it, that is a warning. */
export async function withMissed(context: Context, confined: Confined): Promise<Result<void>> {
  const { stage, ended } = confined;
  const found = await attempt("the trace", () => missed(confined));
  if (!found.ok) return found;
  const { hidden, unwritten } = found.value;
  const looked = hidden.length === 0 ? [] : [`looked for ${listed(hidden)}: there, but not declared`];
  if (ended.ok) {
    for (const message of looked) context.emit({ type: "warning", message: `${stage.name} ${message}` });
    return ok();
  }
  const wrote = unwritten.length === 0 ? [] : [`tried to write ${listed(unwritten)}: read-only under --strict`];
  const told = [...looked, ...wrote];
  const seen = told.length > 0 ? `it ${told.join("; it ")}` : undefined;
  const [first, ...rest] = ended.failures.map((failure): Failure =>
    failure.code === "stage-failed" ? hinted(failure, seen ?? failure.hint ?? guess(confined)) : failure,
  );
  return fail(first!, ...rest);
}

function hinted(failure: Failure, hint: string | undefined): Failure {
  return hint === undefined ? failure : { ...failure, hint };
}

/** What may be the matter where no call tells. */
function guess({ view, trace }: Confined): string | undefined {
  const cut = view.params.map(({ path, keys }) => `${keys!.join(", ")} of ${path}`);
  if (cut.length > 0) return `of parameters it is shown what it declares: ${cut.join(", ")}`;
  return trace === undefined ? "with strace installed, what it looked for in vain is named here" : undefined;
}

async function missed({ stage, view, root, trace }: Confined): Promise<{ hidden: string[]; unwritten: string[] }> {
  if (trace === undefined) return { hidden: [], unwritten: [] };
  const declared = placesOf(view);
  const candidates = new Set<string>();
  const unwritten = new Set<string>();
  for await (const { path, error } of callsIn(trace, join(root, stage.wdir ?? ""))) {
    if (error === "EROFS" && unwritten.size < MOST) unwritten.add(below(root, path) ?? path);
    const inside = error === "ENOENT" ? below(root, path) : undefined;
    if (inside === undefined || candidates.size >= MOST) continue;
    if (!isWithin(declared, inside)) candidates.add(inside);
  }
  const hidden: string[] = [];
  for (const path of candidates) {
    const there = await lstat(join(root, path)).catch(() => undefined);
    if (there !== undefined) hidden.push(path);
  }
  return { hidden, unwritten: [...unwritten] };
}

export function listed(paths: readonly string[]): string {
  const more = paths.length - SHOWN;
  return `${paths.slice(0, SHOWN).map(stripVTControlCharacters).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
