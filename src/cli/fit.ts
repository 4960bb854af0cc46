/** The text cut to a width. Characters from Hangul on count double: too short a line is better than a wrapped one. */
export function fit(text: string, width: number): string {
  if (columnsOf(text) <= width) return text;
  let kept = "";
  let columns = 0;
  for (const character of text) {
    columns += columnsOf(character);
    if (columns > width - 1) break;
    kept += character;
  }
  return width < 1 ? "" : `${kept}~`;
}

/** Columns of a terminal that a text takes, rather too many than too few. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += character >= "\u1100" ? 2 : 1;
  return columns;
}
