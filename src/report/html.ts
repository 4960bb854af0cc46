import { visible } from "./markdown.ts";

/** Markup that is safe to put into a page: only `html` and `raw` make it. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

const INDENT = /\n\s+/g;

type Part = string | number | Html | readonly Part[] | null;

/** A template in which every value is escaped unless it is markup already. How our own text is indented is left out. */
export function html(strings: TemplateStringsArray, ...values: readonly Part[]): Html {
  return new Html(
    strings
      .map((text, index) => text.replace(INDENT, "\n") + (index < values.length ? part(values[index] ?? null) : ""))
      .join(""),
  );
}

function part(value: Part): string {
  if (value === null) return "";
  if (value instanceof Html) return value.text;
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return escapeHtml(value);
  return value.map(part).join("");
}

/** Text of the repository for an element or a quoted attribute; characters that cannot be seen are told. */
export function escapeHtml(text: string): string {
  return visible(text, 1_000).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
