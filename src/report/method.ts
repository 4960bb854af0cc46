import type { ModelReport } from "./schema.ts";

/** How the verdicts were come by, in a few words without any of the repository's; null where there are none. */
export function methodOf(models: readonly ModelReport[]): string | null {
  const tests = new Set(models.flatMap(({ metrics }) => metrics.map(({ test }) => test)));
  const words = [
    ...(tests.has("bootstrap") ? ["paired bootstrap"] : []),
    ...(tests.has("cluster-bootstrap") ? ["paired bootstrap of groups"] : []),
    ...(tests.has("mcnemar") ? ["exact McNemar for accuracy"] : []),
    ...(tests.has("delong") ? ["DeLong for ROC AUC"] : []),
    ...corrections(models),
  ];
  return words.length === 0 ? null : words.join(", ");
}

function corrections(models: readonly ModelReport[]): string[] {
  const made = models.flatMap(({ correction }) => (correction === null || correction.tests < 2 ? [] : [correction]));
  if (made.length === 0) return [];
  const counts = [...new Set(made.map(({ tests }) => tests))].sort((a, b) => a - b).join(" and ");
  return [`verdicts corrected by Holm over ${counts} metrics`];
}
