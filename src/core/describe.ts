import type { Failure, Location } from "./failure.ts";

/** 0 done; 1 a gate, check or stage failed; 2 wrong usage or configuration; 3 something outside failed; 130 interrupted. */
export type ExitCode = 0 | 1 | 2 | 3 | 130;

/** The wording of every failure, for the command line and the actions alike. One line, without place and hint. */
export function message(failure: Failure): string {
  switch (failure.code) {
    case "usage":
      return failure.message;
    case "file-missing":
      return `${failure.path} does not exist${failure.neededBy === undefined ? "" : `; ${failure.neededBy} needs it`}`;
    case "file-invalid":
      return failure.problem;
    case "merge-conflict":
      return "the file holds the markers of an unfinished merge";
    case "cycle":
      return `these stages wait for each other: ${shortened(failure.stages).join(" -> ")}`;
    case "dep-missing":
      return `stage "${failure.stage}" depends on ${failure.path}, which is neither a file, a dataset nor any stage's output`;
    case "output-twice":
      return `${failure.path} is an output of both "${failure.stages[0]}" and "${failure.stages[1]}"`;
    case "param-missing":
      return `${failure.file} has no parameter "${failure.key}"`;
    case "unknown-name":
      return `there is no ${failure.what} "${failure.name}"`;
    case "stage-failed":
      return `stage "${failure.stage}" ${failure.reason}`;
    case "hook-failed":
      return `the hook "${failure.hook}" of ${failure.of} ${failure.reason}`;
    case "reads-undeclared": {
      const more = failure.more === 0 ? "" : ` and ${failure.more} more`;
      return `stage "${failure.stage}" reads what it does not declare: ${failure.paths.join(", ")}${more}`;
    }
    case "output-missing":
      return `stage "${failure.stage}" ended well but did not write its output ${failure.path}`;
    case "metrics-invalid":
    case "predictions-invalid":
      return failure.problem;
    case "data-changed":
      if (failure.files !== undefined) {
        return `dataset "${failure.dataset}": no store has what is in ${failure.files.join(", ")}`;
      }
      if (failure.by !== undefined) return `${failure.path} is not ${failure.by}`;
      return `${failure.path} is not what data.lock.json says dataset "${failure.dataset}" is`;
    case "file-changed":
      return `${failure.path} changed while it was read`;
    case "data-conflict":
      return `dataset "${failure.dataset}": ${failure.path} ${failure.problem}`;
    case "blob-missing":
      return `${failure.digest} is not in ${failure.store}; ${failure.neededBy} needs it`;
    case "blob-corrupt":
      return `${failure.where} holds ${failure.actual} under the name ${failure.digest}`;
    case "tree-invalid":
      return `${failure.tree} is not a tree that can be used: ${failure.problem}`;
    case "workspace-busy":
      return `another run is at work here (${failure.holder})`;
    case "result-refused":
      return `the result was refused: ${failure.reason}`;
    case "swap-lost":
      return `${failure.ref} moved under every one of ${failure.attempts} attempts`;
    case "git":
      return `\`git ${failure.command}\` ended with ${failure.exitCode ?? "a signal"}: ${failure.stderr.trim()}`;
    case "github":
      return `GitHub answered ${failure.status} to ${failure.method} ${failure.url}: ${failure.message}`;
    case "gate-failed":
      return `model "${failure.model}" does not pass: ${failure.gates.join("; ")}`;
    case "unsupported":
      return `${failure.what} is not supported`;
    case "external":
      return `${failure.what}: ${failure.problem}`;
    case "interrupted":
      return "interrupted";
  }
}

/** What to do about it: the failure's own hint, or the one that goes with its code. */
export function hint(failure: Failure): string | undefined {
  if (failure.hint !== undefined) return failure.hint;
  switch (failure.code) {
    case "merge-conflict":
      return "finish the merge (edit the file, then `git add` it) and run again";
    case "unknown-name":
      return failure.known.length === 0 ? "there are none yet" : `there is ${shortened(failure.known).join(", ")}`;
    case "data-changed":
      if (failure.by !== undefined) {
        return `\`dvc commit\` records the change; \`lockstep data pull --overwrite\` loses it`;
      }
      return `\`lockstep data add ${failure.path}\` records the change; \`lockstep data checkout --force\` loses it`;
    case "blob-missing":
      return "`lockstep data push` where the bytes are, or run the stage again with --force";
    case "blob-corrupt":
      return "delete that file; it is fetched or made again when it is needed";
    case "workspace-busy":
      return `wait for it, or delete ${failure.lock} if that process is gone`;
    case "swap-lost":
      return "others are writing to it; run the same command again";
    case "external":
      return /^(ENOSPC|EDQUOT)\b/.test(failure.problem)
        ? "the disk is full: make room there and run the same command again"
        : undefined;
    case "dep-missing":
      return "a path is spelled from the repository's root (or the stage's wdir)";
    default:
      return undefined;
  }
}

export function location(failure: Failure): Location | undefined {
  return "at" in failure ? failure.at : undefined;
}

/** The failure as a person reads it: place, squiggle, message, tail of a log, hint. */
export function describe(failure: Failure): string {
  const at = location(failure);
  const lines = [`${at === undefined ? "" : `${at.file}:${at.line}:${at.column}: `}${message(failure)}`];
  if (at?.source !== undefined) {
    const indent = at.source.slice(0, at.column - 1).replace(/[^\t]/g, " ");
    lines.push(`    ${at.source}`, `    ${indent}${"~".repeat(Math.max(1, at.length ?? 1))}`);
  }
  if ((failure.code === "stage-failed" || failure.code === "hook-failed") && failure.tail !== "") {
    lines.push(...failure.tail.split("\n").map((line) => `    | ${line}`));
  }
  const advice = hint(failure);
  if (advice !== undefined) lines.push(`  hint: ${advice}`);
  return lines.join("\n");
}

export function exitCode(failure: Failure): ExitCode {
  switch (failure.code) {
    case "stage-failed":
    case "hook-failed":
    case "reads-undeclared":
    case "output-missing":
    case "metrics-invalid":
    case "predictions-invalid":
    case "gate-failed":
    case "data-changed":
    case "file-changed":
    case "data-conflict":
    case "result-refused":
      return 1;
    case "usage":
    case "file-missing":
    case "file-invalid":
    case "merge-conflict":
    case "cycle":
    case "dep-missing":
    case "output-twice":
    case "param-missing":
    case "unknown-name":
    case "unsupported":
      return 2;
    case "blob-missing":
    case "blob-corrupt":
    case "tree-invalid":
    case "workspace-busy":
    case "swap-lost":
    case "git":
    case "github":
    case "external":
      return 3;
    case "interrupted":
      return 130;
  }
}

const SHOWN = 20;

/** The beginning and the end of a long list of names, and how many are left out. */
function shortened(names: readonly string[]): readonly string[] {
  if (names.length <= SHOWN) return names;
  const half = SHOWN / 2;
  return [...names.slice(0, half), `(${(names.length - SHOWN).toLocaleString("en")} more)`, ...names.slice(-half)];
}
