import type { Result } from "../core/index.ts";

/** As git keeps it: whether a file may be executed is content, the rest of its mode is not. */
export type FileMode = "644" | "755";

/**
 * The files of a repository, in the working tree or at a revision. Equal content gives equal answers from both.
 * Symbolic links and submodules are listed, and a failure (`unsupported`) when they are read.
 */
export interface Source {
  /** For messages: "the working tree" or the revision as it was asked for. */
  readonly label: string;
  /** Null for the working tree. */
  readonly commit: string | null;
  /** Undefined: there is no such file. */
  read(path: string): Promise<Result<Buffer | undefined>>;
  /** Files below a folder ("" is the root), as paths from the root in code-unit order. No ignored files. */
  list(folder: string): Promise<Result<readonly string[]>>;
  stat(path: string): Promise<Result<"file" | "folder" | undefined>>;
  /** Undefined: there is no such file. */
  mode(path: string): Promise<Result<FileMode | undefined>>;
}
