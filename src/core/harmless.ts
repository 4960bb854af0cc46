import { stripVTControlCharacters } from "node:util";

// oxlint-disable-next-line no-control-regex -- that is what a terminal takes for a colour
const COLOUR = /(\u001B\[[\d;:]*m)/;
const RESET = "\u001B[0m";

/** Another program's line as text: it cannot move the cursor or ring; colours stay where they are wanted. */
export function harmless(line: string, colour: boolean): string {
  const parts = line.split(COLOUR).map((part, at) => {
    if (at % 2 === 1) return colour ? part : "";
    return stripVTControlCharacters(part).replace(/(?!\t)\p{Cc}/gu, "\uFFFD");
  });
  return parts.join("") + (colour && parts.length > 1 ? RESET : "");
}
