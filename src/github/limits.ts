/** GitHub's limits that Lockstep meets, with what is done when one is reached. Sizes of text count UTF-16 units. */
export const LIMITS = {
  /** Body of a comment, an issue, a pull request or a release. GitHub refuses more with 422. */
  body: 65_536,
  /** `output.summary` and `output.text` of a check run, each. */
  checkText: 65_535,
  /** Annotations in one request about a check run; the rest are added by further requests. */
  checkAnnotations: 50,
  /** Title of a check run, an issue or an annotation. */
  title: 255,
  /** Description of a commit status or of a deployment's status. */
  description: 140,
  /** Bytes of one job step's summary; more is dropped as a whole. */
  stepSummary: 1024 * 1024,
  /** Characters of one annotation message that the runner keeps. */
  annotation: 4_096,
  /** Annotations of one level that a step shows. */
  annotationsPerLevel: 10,
  /** Bytes of one release asset: strictly less than 2 GiB. */
  assetBytes: 2 * 1024 ** 3 - 1,
  assetsPerRelease: 1_000,
  /** Files in one request for a tree; more go in further ones, each laid over the one before. */
  treeEntries: 500,
  /** Largest page of any list. */
  page: 100,
  /** Tries to create one thing, each after having looked for it again. */
  attempts: 3,
} as const;

/** Shortens a text to a limit, at the end of a line where one is near, and says that it did. */
export function fit(
  text: string,
  limit: number,
  note = "\n\n_Shortened: the text is longer than GitHub takes._",
): string {
  if (text.length <= limit) return text;
  if (note.length >= limit) return text.slice(0, limit);
  const room = text.slice(0, limit - note.length);
  const line = room.lastIndexOf("\n");
  const cut = line > room.length / 2 ? room.slice(0, line) : room;
  return `${cut.replace(/[\uD800-\uDBFF]$/, "")}${note}`;
}

/** One line of at most `limit` units, for titles and descriptions. */
export function fitLine(text: string, limit: number): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= limit ? line : `${line.slice(0, limit - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
}
