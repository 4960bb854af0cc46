import { posix } from "node:path";

/** What a process asked of a path. */
export interface Call {
  /** The system call: openat, execve, newfstatat, ... */
  readonly name: string;
  /** What it was about; of a call that names two paths, the new one. Absolute. */
  readonly path: string;
  /** What was opened, where links and descriptors lead; undefined where strace does not say. */
  readonly opened: string | undefined;
  /** All arguments as strace spells them: flags are looked for here. */
  readonly text: string;
  /** ENOENT, ...; null when the call did what it was asked. */
  readonly error: string | null;
}

/**
 * Reads the lines of `strace -f -y -o` (strace 5 or 6) one at a time. It remembers, for each living process, the folder
 * it stands in and the call it waits in; a line it does not understand is passed over.
 */
export class TraceReader {
  readonly #folders = new Map<string, string>();
  readonly #unfinished = new Map<string, string>();
  readonly #start: string;

  /** @param start folder that the first process stands in. */
  constructor(start: string) {
    this.#start = start;
  }

  /** The call that ends with this line, if it is one about a path. */
  read(line: string): Call | undefined {
    const [, pid, rest = ""] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (pid === undefined) return undefined;
    if (rest.startsWith("+++")) {
      this.#folders.delete(pid);
      this.#unfinished.delete(pid);
      return undefined;
    }
    if (rest.endsWith(UNFINISHED)) {
      this.#unfinished.set(pid, rest.slice(0, -UNFINISHED.length));
      return undefined;
    }
    const resumed = /^<\.\.\. \w+ resumed>/.exec(rest)?.[0];
    const whole = resumed === undefined ? rest : `${this.#unfinished.get(pid) ?? ""}${rest.slice(resumed.length)}`;
    if (resumed !== undefined) this.#unfinished.delete(pid);
    return this.#call(pid, whole);
  }

  #call(pid: string, text: string): Call | undefined {
    const name = /^(\w+)\(/.exec(text)?.[1];
    if (name === undefined) return undefined;
    const { args, end } = splitArgs(text, name.length + 1);
    const [, result, error = null] =
      /^\) += +(-?\w+(?:<(?:[^>\\]|\\.)*>)?)(?: (E[A-Z0-9]+)\b)?/.exec(text.slice(end)) ?? [];
    if (result === undefined) return undefined;
    if (FORKS.has(name)) {
      if (error === null && /^\d+/.test(result)) this.#inherit(pid, /^\d+/.exec(result)![0]);
      return undefined;
    }
    for (const arg of args) {
      const stands = /^AT_FDCWD(<.*>)$/.exec(arg)?.[1];
      if (stands !== undefined) this.#folders.set(pid, unescaped(stands.slice(1, -1)));
    }
    if (name === "fchdir") {
      const to = descriptor(args[0] ?? "");
      if (error === null && to !== undefined) this.#folders.set(pid, to);
      return undefined;
    }
    const path = this.#path(pid, name, args);
    if (path === undefined) return undefined;
    if (name === "chdir" && error === null) this.#folders.set(pid, path);
    return { name, path, opened: descriptor(result), text: args.join(", "), error };
  }

  /** The path that a call is about, from the folder that its descriptor or its process stands in. */
  #path(pid: string, name: string, args: readonly string[]): string | undefined {
    const quoted = args.flatMap((arg, at) => (arg.startsWith('"') ? [at] : []));
    const at = MAKES_SECOND.has(name) ? quoted[1] : quoted[0];
    if (at === undefined) return undefined;
    const path = unescaped(args[at]!.replace(/^"|"(\.\.\.)?$/g, ""));
    const from = args[at - 1] === undefined ? undefined : descriptor(args[at - 1]!);
    if (path === "") return from;
    return posix.resolve(from ?? this.#folder(pid), path);
  }

  /** A process that was not announced is the child of one that is still in the call that makes it. */
  #folder(pid: string): string {
    if (!this.#folders.has(pid)) {
      const parent = [...this.#unfinished].findLast(([, call]) => FORKS.has(call.slice(0, call.indexOf("("))))?.[0];
      this.#folders.set(pid, (parent === undefined ? undefined : this.#folders.get(parent)) ?? this.#start);
    }
    return this.#folders.get(pid)!;
  }

  #inherit(parent: string, child: string): void {
    if (!this.#folders.has(child)) this.#folders.set(child, this.#folder(parent));
  }
}

const UNFINISHED = " <unfinished ...>";
const FORKS = new Set(["fork", "vfork", "clone", "clone3"]);
const MAKES_SECOND = new Set(["rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat"]);

/** Takes the arguments apart, from the opening parenthesis to the closing one: commas and brackets also come in texts. */
function splitArgs(text: string, from: number): { readonly args: string[]; readonly end: number } {
  const args: string[] = [];
  let depth = 0;
  let start = from;
  let at = from;
  for (; at < text.length; at++) {
    const character = text[at]!;
    if (character === '"') at = skip(text, at, '"');
    else if (character === "<") at = skip(text, at, ">");
    else if ("([{".includes(character)) depth++;
    else if (")]}".includes(character) && depth-- === 0) break;
    else if (character === "," && depth === 0) {
      args.push(text.slice(start, at).trim());
      start = at + 1;
    }
  }
  args.push(text.slice(start, at).trim());
  return { args, end: at };
}

/** Where a quoted text ends that begins here. */
function skip(text: string, from: number, closing: string): number {
  let at = from + 1;
  while (at < text.length && text[at] !== closing) at += text[at] === "\\" ? 2 : 1;
  return at;
}

/** Where a descriptor leads: of `3</a/b>`, /a/b; undefined of pipes, sockets and all that is no path. */
function descriptor(text: string): string | undefined {
  const path = /^(?:\d+|AT_FDCWD)<((?:[^>\\]|\\.)*)>/.exec(text)?.[1];
  return path?.startsWith("/") ? unescaped(path) : undefined;
}

const LETTERS: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, v: 11, f: 12, a: 7, b: 8 };

/** strace spells bytes as C does. What is no UTF-8 comes out with replacement characters. */
function unescaped(text: string): string {
  if (!text.includes("\\")) return text;
  const bytes: number[] = [];
  for (const [token, octal, letter] of text.matchAll(/\\([0-7]{1,3})|\\(.)|[^\\]/gsu)) {
    if (octal !== undefined) bytes.push(Number.parseInt(octal, 8) & 0xff);
    else if (letter !== undefined) bytes.push(...(letter in LETTERS ? [LETTERS[letter]!] : Buffer.from(letter)));
    else bytes.push(...Buffer.from(token));
  }
  return Buffer.from(bytes).toString();
}
