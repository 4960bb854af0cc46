/*
 * Filter patterns of `branches`, `tags` and `paths`: `*` is anything but `/`, `**` anything, `?` and `+` repeat the
 * character before them, `[]` is a set, a leading `!` takes back what matched before.
 * https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#filter-pattern-cheat-sheet
 */

const literal = (char: string): string => char.replace(/[.*+?^${}()|[\]\\/]/u, "\\$&");

function expression(pattern: string): RegExp {
  let source = "";
  for (let index = 0; index < pattern.length; index += 1) {
    const char = pattern.charAt(index);
    if (char === "*" && pattern.charAt(index + 1) === "*") {
      index += 1;
      // `**/` also stands for no folder at all.
      if (pattern.charAt(index + 1) === "/") {
        index += 1;
        source += "(?:.*/)?";
      } else source += ".*";
    } else if (char === "*") source += "[^/]*";
    else if (char === "?" || char === "+") source += char;
    else if (char === "[") {
      const end = pattern.indexOf("]", index);
      if (end < 0) source += "\\[";
      else {
        source += `[${pattern.slice(index + 1, end).replaceAll("\\", "\\\\")}]`;
        index = end;
      }
    } else if (char === "\\" && index + 1 < pattern.length) {
      index += 1;
      source += literal(pattern.charAt(index));
    } else source += literal(char);
  }
  return new RegExp(`^${source}$`, "u");
}

/** Whether a name matches a list of patterns; the last one that says something about it decides. */
export function matches(patterns: readonly string[], name: string): boolean {
  let matched = false;
  for (const pattern of patterns) {
    const negative = pattern.startsWith("!");
    if (expression(negative ? pattern.slice(1) : pattern).test(name)) matched = !negative;
  }
  return matched;
}
