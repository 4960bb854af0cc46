import { ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { git } from "./command.ts";
import type { Source } from "./source.ts";
import type { SwapChange, SwapOutcome } from "./swap.ts";

export interface Identity {
  readonly name: string;
  readonly email: string;
}

interface NewCommit {
  /** A ref of its own, that the commit is left under. */
  readonly ref: string;
  readonly parent: string | undefined;
  readonly current: Source | undefined;
  readonly author: Identity;
  readonly change: SwapChange;
}

/**
 * Makes a commit from a parent and changed files with one process and without an index, however many files there are
 * (see git-fast-import(1)). A change that leaves the tree as it is makes no commit.
 */
export async function writeCommit(context: Context, commit: NewCommit): Promise<Result<SwapOutcome>> {
  const { ref, parent, current, author, change } = commit;
  const seconds = Math.floor(context.now().getTime() / 1000);
  const lines: (string | Uint8Array)[] = [
    "feature done\n",
    `reset ${ref}\n`, // a ref left by a lost attempt must not become the parent
    `commit ${ref}\n`,
    `committer ${plain(author.name)} <${plain(author.email)}> ${seconds} +0000\n`,
    ...data(Buffer.from(change.message)),
    ...(parent === undefined ? [] : [`from ${parent}\n`]),
  ];
  for (const [path, bytes] of change.files) {
    if (bytes === null) {
      lines.push(`D ${quoted(path)}\n`);
      continue;
    }
    const mode = await current?.mode(path);
    if (mode?.ok === false) return mode;
    lines.push(`M 100${mode?.value ?? "644"} inline ${quoted(path)}\n`, ...data(bytes));
  }
  lines.push("\ndone\n");
  const input = Buffer.concat(lines.map((line) => (typeof line === "string" ? Buffer.from(line) : line)));
  const imported = await git(context, ["fast-import", "--quiet", "--force", "--date-format=raw"], { input });
  if (!imported.ok) return imported;
  const parsed = await git(context, [
    "rev-parse",
    ref,
    `${ref}^{tree}`,
    ...(parent === undefined ? [] : [`${parent}^{tree}`]),
  ]);
  if (!parsed.ok) return parsed;
  const [made = "", tree, before] = parsed.value.split("\n");
  return ok({ commit: made, changed: tree !== before });
}

function data(bytes: Uint8Array): (string | Uint8Array)[] {
  return [`data ${bytes.length}\n`, bytes, "\n"];
}

/** What the format has no escape for is left out. */
function plain(text: string): string {
  return text.replace(/[<>\n\r\0]/g, "").trim();
}

function quoted(path: string): string {
  return `"${path.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n")}"`;
}
