import { count } from "./format.ts";
import type { ModelReport } from "./schema.ts";

/** What is said of a comparison whose sides were not measured on the same examples. */
export function pairingNotes({ pairing }: ModelReport): string[] {
  if (pairing === null || pairing.kind === "same") return [];
  const sizes = `The base was measured on ${count(pairing.base, "example")}, the change on ${pairing.head}`;
  const labels = pairing.relabelled === 0 ? "" : ` Of the common ones, ${pairing.relabelled} have another label.`;
  if (pairing.kind === "common")
    return [`${sizes}. The comparison is on the ${pairing.examples} that both have with the same label.${labels}`];
  return [`${sizes}, with ${pairing.examples} in common, too few to compare the models on. No verdict.${labels}`];
}
