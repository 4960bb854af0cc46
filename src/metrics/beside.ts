import { TextTable } from "../tables/index.ts";
import type { Row, Texts } from "../tables/index.ts";
import { numberIn, notNegativeIn } from "./cells.ts";
import type { Complain } from "./cells.ts";
import type { Columns } from "./columns.ts";
import { codes, floats } from "../tables/index.ts";
import type { Growing } from "../tables/index.ts";
import type { Coded, Examples, Grouped, Words } from "./predictions.ts";

/** Values of a slice column: nobody reads a report of so many parts. */
const MOST_SLICES = 10_000;

/** Gathers what predictions have beside labels and answers. */
export interface Beside {
  push(row: Row, complain: Complain): void;
  finish(): Omit<Examples, "digest" | "ids">;
}

export function besideOf(columns: Columns): Beside {
  const weight = columns.weight === undefined ? undefined : floats();
  const group = columns.group === undefined ? undefined : new WordColumn();
  const slices = columns.slices.map(([title, cell]) => ({ title, cell, words: new WordColumn() }));
  const numbers = columns.numbers.map(([title, cell]) => ({ title, cell, values: floats() }));
  const preview = columns.preview.map(([title, cell]) => ({ title, cell, words: new WordColumn() }));
  return {
    push(row, complain) {
      if (columns.weight !== undefined) weight?.push(notNegativeIn(row, columns.weight, "weight", complain));
      if (columns.group !== undefined) group?.pushNeeded(row, columns.group, "group", complain);
      for (const { cell, words } of slices) words.pushFew(row, cell, complain);
      for (const { cell, values } of numbers) values.push(numberIn(row, cell, complain));
      for (const { cell, words } of preview) words.push(row, cell);
    },
    finish: () => ({
      weight: weight?.finish() ?? null,
      group: group?.finish() ?? null,
      slices: Object.fromEntries(slices.map(({ title, words }) => [title, words.finishCoded()])),
      numbers: Object.fromEntries(numbers.map(({ title, values }) => [title, values.finish()])),
      preview: Object.fromEntries(preview.map(({ title, words }) => [title, wordsOf(words.finish())])),
    }),
  };
}

function wordsOf({ values, code }: Grouped): Words {
  return { length: code.length, at: (row) => values.at(code[row] ?? -1) };
}

/** Words of a column, each kept once. */
export class WordColumn {
  readonly #table = new TextTable();
  readonly #rows: Growing<Int32Array> = codes();

  push(row: Row, cell: number): number {
    const code = row.code(cell, this.#table);
    this.#rows.push(code);
    return code;
  }

  pushNeeded(row: Row, cell: number, what: string, complain: Complain): void {
    if (this.#table.isEmpty(this.push(row, cell))) complain(cell, `the ${what} is missing`);
  }

  /** Of a column that cuts the test set into few parts. */
  pushFew(row: Row, cell: number, complain: Complain): void {
    const before = this.#table.length;
    const code = this.push(row, cell);
    if (code === MOST_SLICES && before === MOST_SLICES)
      complain(cell, `a slice column of more than ${MOST_SLICES} values`);
  }

  finish(): Grouped & { readonly values: Texts } {
    return { values: this.#table.texts, code: this.#rows.finish() };
  }

  finishCoded(): Coded {
    const { values, code } = this.finish();
    return { values: Array.from({ length: values.length }, (_, at) => values.at(at) ?? ""), code };
  }
}
