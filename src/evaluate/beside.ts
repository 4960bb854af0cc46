import { numberIn, notNegativeIn } from "./cells.ts";
import type { Complain } from "./cells.ts";
import type { Columns } from "./columns.ts";
import { codes, floats } from "./growing.ts";
import type { Growing } from "./growing.ts";
import type { Coded, Examples } from "./predictions.ts";
import type { Row } from "./table.ts";

/** Characters of a preview's cell that are kept. */
const PREVIEW = 200;

/** Gathers what predictions have beside labels and answers. */
export interface Beside {
  push(row: Row, complain: Complain): void;
  finish(): Omit<Examples, "digest" | "ids">;
}

export function besideOf(columns: Columns): Beside {
  const weight = columns.weight === undefined ? undefined : floats();
  const group = columns.group === undefined ? undefined : new Words();
  const slices = columns.slices.map(([title, cell]) => ({ title, cell, words: new Words() }));
  const numbers = columns.numbers.map(([title, cell]) => ({ title, cell, values: floats() }));
  const preview = columns.preview.map(([title, cell]) => ({ title, cell, texts: [] as string[] }));
  return {
    push(row, complain) {
      if (columns.weight !== undefined) weight?.push(notNegativeIn(row, columns.weight, "weight", complain));
      if (columns.group !== undefined) group?.push(needed(row, columns.group, "group", complain));
      for (const { cell, words } of slices) words.push(row.text(cell));
      for (const { cell, values } of numbers) values.push(numberIn(row, cell, complain));
      for (const { cell, texts } of preview) texts.push(row.text(cell).slice(0, PREVIEW));
    },
    finish: () => ({
      weight: weight?.finish() ?? null,
      group: group?.finish() ?? null,
      slices: Object.fromEntries(slices.map(({ title, words }) => [title, words.finish()])),
      numbers: Object.fromEntries(numbers.map(({ title, values }) => [title, values.finish()])),
      preview: Object.fromEntries(preview.map(({ title, texts }) => [title, texts])),
    }),
  };
}

/** A text that may not be empty. */
export function needed(row: Row, cell: number, what: string, complain: Complain): string {
  const text = row.text(cell);
  if (text === "") complain(cell, `the ${what} is missing`);
  return text;
}

/** Words by the order in which they came. */
export class Words {
  readonly #code = new Map<string, number>();
  readonly #rows: Growing<Int32Array> = codes();

  push(word: string): void {
    let code = this.#code.get(word);
    if (code === undefined) this.#code.set(word, (code = this.#code.size));
    this.#rows.push(code);
  }

  finish(): Coded {
    return { values: [...this.#code.keys()], code: this.#rows.finish() };
  }
}
