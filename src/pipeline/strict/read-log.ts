import type { Stage } from "../stage.ts";
import { foldersOf, isWithin } from "../../core/index.ts";
import { below, sourceOf } from "./trace-file.ts";
import type { Call } from "./trace.ts";
import { placesOf } from "./view.ts";
import type { View } from "./view.ts";

/** Undeclared files that are kept; a stage with more of them has been told enough. */
const MOST = 10_000;
const OPENS = new Set(["open", "openat", "openat2"]);
const RUNS = new Set(["execve", "execveat"]);
/** Calls after which something is the stage's own. */
const MAKES = /^(creat|mkdir(at)?|mknod(at)?|rename(at2?)?|link(at)?|symlink(at)?)$/;

/**
 * What a stage's calls say about files. Reading is opening to read, and starting a program; asking
 * whether something is there, or what a folder holds, is not. What the stage itself wrote before is its own.
 */
export class ReadLog {
  /** From the root, and absolute where that is outside of the repository. Folders may be among them. */
  readonly undeclared = new Set<string>();
  readonly #declared: ReadonlySet<string>;
  readonly #untouched: Set<string>;
  readonly #made = new Set<string>();
  readonly #roots: readonly string[];

  /** @param roots absolute paths that lead to the repository. */
  constructor(view: View, stage: Stage, roots: readonly string[]) {
    this.#declared = placesOf(view);
    this.#untouched = new Set(stage.deps.map(({ path }) => path));
    this.#roots = roots;
  }

  add(call: Call): void {
    if (call.error !== null) return;
    const paths = [call.path, call.opened].flatMap((path) => this.#inside(path));
    for (const path of paths) for (const place of [path, ...foldersOf(path)]) this.#untouched.delete(place);
    // A link may lead from an undeclared name to a declared file, or the other way.
    if (paths.some((path) => isWithin(this.#declared, path))) return;
    const path = paths.at(-1) ?? call.opened ?? call.path;
    const opens = OPENS.has(call.name);
    const writes = opens && /\bO_(CREAT|TRUNC|WRONLY)\b/.test(call.text);
    if (writes || MAKES.test(call.name)) this.#make(path);
    else if ((opens && !/\bO_(DIRECTORY|PATH)\b/.test(call.text)) || (RUNS.has(call.name) && paths.length > 0))
      this.#read(path);
  }

  /** Deps that no call was about. */
  untouched(): string[] {
    return [...this.#untouched];
  }

  #inside(path: string | undefined): string[] {
    const [inside] = this.#roots.flatMap((root) => below(root, path) ?? []);
    return inside === undefined ? [] : [sourceOf(inside)];
  }

  #make(path: string): void {
    if (this.#made.size < MOST && !this.undeclared.has(path) && !isWithin(this.#made, path)) this.#made.add(path);
  }

  #read(path: string): void {
    if (this.undeclared.size < MOST && !isWithin(this.#made, path)) this.undeclared.add(path);
  }
}
