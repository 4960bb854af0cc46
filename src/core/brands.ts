/** Strings that must not mix. A brand says what was checked about a string and costs nothing at run time. */
declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** `sha256:` and 64 lower-case hex digits: the name of a blob. */
export type Digest = Branded<"Digest">;
/** 64 lower-case hex digits: the hash of everything a stage's result depends on. */
export type StageKey = Branded<"StageKey">;
/** A POSIX path inside the repository: no leading `/`, no `.` or `..` segment, no backslash. */
export type RelativePath = Branded<"RelativePath">;

const DIGEST = /^sha256:[0-9a-f]{64}$/;
const KEY = /^[0-9a-f]{64}$/;

export function isDigest(text: string): text is Digest {
  return DIGEST.test(text);
}

export function isStageKey(text: string): text is StageKey {
  return KEY.test(text);
}

/** True for a path that stays inside the folder it is joined to, on every platform. */
export function isRelativePath(text: string): text is RelativePath {
  if (text === "" || text.length > 4096 || /[\\\0]/.test(text) || /^[A-Za-z]:/.test(text)) return false;
  return text.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}
