/**
 * Text of a pull request (names, messages, values) in Markdown that we write. All of it goes into code: there GitHub
 * neither mentions, nor links, nor references, nor renders, and a screen reader still says it.
 */

/** Characters that would stay unseen or turn the direction of text: told by their number. Newlines become a sign. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\u00A0\u115F\u1160\u2800\u3164\uFFA0]/gu;
/** Marks on one letter beyond what any writing has: they would cover the lines around. */
const PILED = /(\p{M}{4})\p{M}+/gu;
const ASCII = /^[ -~]*$/;
/** What an ordinary code span may hold, even in a table. Angle brackets are literal there, but only to GitHub. */
const PLAIN = /^[^`|\\<]*$/;
/** Characters that mean nothing in running text, wherever they stand, with an underscore inside of a word. */
const HARMLESS = /^(?:[A-Za-z0-9 ,.;:%+()'"=/−–…↑↓·-]|(?<=[A-Za-z0-9])_(?=[A-Za-z0-9])|(?<= -)>(?= ))*$/;
/** What GitHub makes something of all the same: links, emoji, references, and what starts a list. */
const MEANINGFUL = /www\.|:\/\/|:\w+:|\bGH-\d|^[+-](\s|$)|^\d+[.)](\s|$)|^[-=]+$/i;
/** What GitHub links as a commit: a code span of its own in a sentence. */
const COMMIT = /\b[0-9a-f]{7,40}\b/gi;

/** What a runner takes for a command when a report is printed in a job: at the start of a line, and anywhere in one. */
const COMMAND = /^::|##(?=\[|vso\[)/gi;

/** Makes every character visible and the text one line of at most `most` characters, which is no runner's command. */
export function visible(text: string, most = 120): string {
  return seen(text, most).replace(COMMAND, ([sign]) => `${sign} ${sign}`);
}

function seen(text: string, most: number): string {
  const start = text.slice(0, most * 2);
  if (ASCII.test(start)) {
    const trimmed = start.trim();
    return trimmed.length <= most && text.length <= most * 2 ? trimmed : `${trimmed.slice(0, most - 1)}…`;
  }
  const line = start
    .replace(/\r\n?|\n/g, "⏎")
    .replace(UNSEEN, (character) => `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`)
    .replace(PILED, "$1…")
    .trim();
  const characters = Array.from(line);
  return characters.length <= most && text.length <= most * 2 ? line : `${characters.slice(0, most - 1).join("")}…`;
}

/** Foreign text inline, in a table cell as well as in a sentence. */
export function code(text: string, most = 120): string {
  const shown = visible(text, most);
  if (shown === "") return "<code>(empty)</code>";
  if (PLAIN.test(shown)) return `\`${shown}\``;
  return `<code>${shown.replace(/[^A-Za-z0-9 ]/gu, entity)}</code>`;
}

/** Numbered, and where an address could begin in an element of its own: addresses are looked for in decoded text. */
function entity(character: string): string {
  const numbered = `&#${character.codePointAt(0)};`;
  return ".:@".includes(character) ? `<span>${numbered}</span>` : numbered;
}

/** A sentence that may name foreign things: as it is if nothing in it can mean anything to Markdown, else as code. */
export function sentence(text: string, most = 400): string {
  const shown = visible(text, most);
  const harmless = shown !== "" && HARMLESS.test(shown) && !MEANINGFUL.test(shown);
  return harmless ? shown.replace(COMMIT, (id) => `\`${id}\``) : code(text, most);
}

/** Foreign text of several lines, as a block; lines and length are bounded. */
export function block(text: string, lines: number, most = 4_000): string {
  const all = text.slice(-most * 4).split(/\r\n?|\n/);
  const kept = all.slice(-lines).map(quoted);
  let body = kept.join("\n").slice(-most);
  if (all.length > lines) body = `… ${all.length - lines} earlier lines\n${body}`;
  const longest = Math.max(0, ...[...body.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(Math.max(3, longest + 1));
  return `${fence}text\n${body}\n${fence}`;
}

/** A line of a block: no marker of ours, and no order to a bot (`/merge`), which looks for those in the raw text. */
function quoted(line: string): string {
  return visible(line, 300)
    .replaceAll("<!--", "<! --")
    .replace(/^\/(?=[a-z-]+(?:\s|$))/i, "/ ");
}

export type Align = "left" | "right";

/** A table of cells that are Markdown already. */
export function table(head: readonly (readonly [string, Align])[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [
    line(head.map(([title]) => title)),
    line(head.map(([, align]) => (align === "right" ? "--:" : ":--"))),
    ...rows.map(line),
  ].join("\n");
}

/** `summary` is our own text; GitHub needs the empty lines to read the body as Markdown. */
export function details(summary: string, body: string, open = false): string {
  return `<details${open ? " open" : ""}>\n<summary>${summary}</summary>\n\n${body}\n\n</details>`;
}

export function alert(kind: "TIP" | "NOTE" | "IMPORTANT" | "WARNING" | "CAUTION", lines: readonly string[]): string {
  return [`> [!${kind}]`, ...lines.map((line) => `> ${line}`)].join("\n");
}
