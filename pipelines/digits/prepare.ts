import { examplesIn, rowOf } from "./examples.ts";
import type { ExampleRow } from "./examples.ts";
import { parseParams } from "../lib/params.ts";
import { SPLITS, splitOf, splitParams } from "./split.ts";
import type { Split } from "./split.ts";

/** Splits the examples of every CSV file in the folder. */
export function prepare(
  inputs: { readonly examples: Readonly<Record<string, Uint8Array>> },
  given: Readonly<Record<string, unknown>>,
): Record<Split, ExampleRow[]> {
  const params = parseParams(given, "prepare", splitParams);
  const examples = examplesIn(inputs.examples);
  const parts = SPLITS.map((split): [Split, ExampleRow[]] => {
    const part = examples.filter((example) => splitOf(example.id, params) === split);
    if (part.length === 0) throw new Error(`no example falls to ${split}`);
    console.log(`${split}: ${part.length} examples`);
    return [split, part.map(rowOf)];
  });
  return Object.fromEntries(parts) as Record<Split, ExampleRow[]>;
}
