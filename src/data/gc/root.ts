import type { Digest, Failure } from "../../core/index.ts";

/** Where a name of data was found. */
export type MarkSource =
  | "branches and tags"
  | "open pull requests"
  | "working trees"
  | "records"
  | "untrusted records"
  | "records of this machine"
  | "checkpoints"
  | "prediction log";

/** Content that a store has to keep. */
export interface Root {
  /** `any`: whoever names it does not say, or is not believed. */
  readonly kind: "file" | "tree" | "any";
  readonly digest: Digest;
  readonly source: MarkSource;
  /** What names it, for a person: `dataset "digits" at 1a2b3c4d5e6f`. */
  readonly why: string;
}

/** Why a look around may not have found every need. Nothing is deleted on its word. */
export interface Doubt {
  /**
   * `unseen`: a place could not be looked at. `unreadable`: a lockfile is not one. `missing`: the store lacks what is
   * named, or has it damaged, so that what else belongs to it is not known. A person may say that the last two are
   * as they should be.
   */
  readonly kind: "unseen" | "unreadable" | "missing";
  readonly failure: Failure;
}

/** What was found by looking for names. */
export interface Marks {
  readonly roots: readonly Root[];
  readonly doubts: readonly Doubt[];
}

export function together(marks: readonly Marks[]): Marks {
  return { roots: marks.flatMap(({ roots }) => roots), doubts: marks.flatMap(({ doubts }) => doubts) };
}

/** Every digest that a text spells: what is kept on account of a document that cannot be read. */
export function spelledDigests(text: string): Digest[] {
  return [...new Set(text.match(/sha256:[0-9a-f]{64}(?![0-9a-f])/g))] as Digest[];
}
