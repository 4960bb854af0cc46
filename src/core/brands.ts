/** Strings that must not mix. A brand says what was checked about a string and costs nothing at run time. */
declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** `sha256:` and 64 lower-case hex digits: the name of a blob. */
export type Digest = Branded<"Digest">;
/**
 * What DVC calls content: `md5:` and 32 lower-case hex digits, with `.dir` after them for a folder; `md5-dos2unix:` where
 * DVC 2 named it, which takes CRLF in texts for LF.
 */
export type DvcDigest = Branded<"DvcDigest">;
/** Content as a key or a run names it: by us, or, where git holds only DVC's word for it, by DVC. */
export type ContentDigest = Digest | DvcDigest;
/** 64 lower-case hex digits: the hash of everything a stage's result depends on. */
export type StageKey = Branded<"StageKey">;
/** A POSIX path inside the repository: no leading `/`, no `.` or `..` segment, no backslash. */
export type RelativePath = Branded<"RelativePath">;

const DIGEST = /^sha256:[0-9a-f]{64}$/;
const DVC_DIGEST = /^md5(-dos2unix)?:[0-9a-f]{32}(\.dir)?$/;
const KEY = /^[0-9a-f]{64}$/;

export function isDigest(text: string): text is Digest {
  return DIGEST.test(text);
}

export function isDvcDigest(text: string): text is DvcDigest {
  return DVC_DIGEST.test(text);
}

export function isStageKey(text: string): text is StageKey {
  return KEY.test(text);
}

/** True for a path that stays inside the folder it is joined to, on every platform. */
export function isRelativePath(text: string): text is RelativePath {
  if (text === "" || text.length > 4096 || /[\\\0]/.test(text) || /^[A-Za-z]:/.test(text)) return false;
  return text.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}
