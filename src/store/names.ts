import type { Failure } from "../core/index.ts";

/** Names that Windows keeps for devices, with any extension. */
const DEVICE = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)/i;
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const ODD = /[\\\u0000-\u001f\u007f\ufffd]/;

/**
 * What keeps the names of one folder (sorted, a folder's with "/" at its end) from being data on every machine: names
 * that are not UTF-8, hold a control character or a backslash, belong to git, or are one name on a file system that
 * ignores case or Unicode composition.
 */
export function problemOfNames(folder: string, names: readonly string[]): Failure[] {
  const problems: Failure[] = [];
  const refuse = (name: string, problem: string, hint: string): void => {
    problems.push({ code: "unsupported", what: `${JSON.stringify(`${folder}/${name}`)}: ${problem} in data`, hint });
  };
  const seen = new Map<string, string>();
  for (const spelled of names) {
    const name = spelled.endsWith("/") ? spelled.slice(0, -1) : spelled;
    if (ODD.test(name)) {
      refuse(
        name,
        "a name that is not plain UTF-8",
        "rename it: control characters and backslashes cannot be kept everywhere",
      );
      continue;
    }
    if (/^[a-z]:/i.test(name)) refuse(name, "a name that begins like a drive of Windows", "rename it");
    const folded = fold(name);
    if (folded === ".git") refuse(name, "a git folder", "keep repositories out of data");
    const other = seen.get(folded);
    if (other !== undefined) {
      const problem = `a name that is ${JSON.stringify(other)} on some file systems`;
      refuse(name, problem, "rename one of the two: they cannot be kept side by side everywhere");
    }
    seen.set(folded, name);
  }
  return problems;
}

/** Names that are folded already: most of them. */
const FOLDED = /^[a-z0-9._-]*$/;

/** A name as a file system without case and composition sees it. */
export function fold(name: string): string {
  return FOLDED.test(name) ? name : name.normalize("NFC").toLowerCase();
}

/** True for a path that Windows cannot hold: such data is kept, and a checkout there says which file it is. */
export function isImpossibleOnWindows(path: string): boolean {
  return path.split("/").some((name) => /[<>:"|?*]|[. ]$/.test(name) || DEVICE.test(name));
}
