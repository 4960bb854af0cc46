/**
 * Holm's step-down correction (1979): p-values that may each be held against a level, however many were looked at; the
 * chance of even one false finding stays below that level, whatever the dependence between them.
 */
export function holm(values: readonly number[]): number[] {
  const order = ranked(values);
  const adjusted = values.map(() => 1);
  let running = 0;
  for (const [rank, index] of order.entries()) {
    running = Math.max(running, Math.min(1, (values[index] ?? 1) * (values.length - rank)));
    adjusted[index] = running;
  }
  return adjusted;
}

/**
 * Benjamini-Hochberg (1995): p-values adjusted so that those below `a` hold on average at most a share `a` of false
 * ones. For exploration, where some false leads are worth the more that is found.
 */
export function benjaminiHochberg(values: readonly number[]): number[] {
  const order = ranked(values);
  const adjusted = values.map(() => 1);
  let least = 1;
  for (let rank = order.length; rank >= 1; rank--) {
    const index = order[rank - 1] as number;
    least = Math.min(least, ((values[index] ?? 1) * values.length) / rank);
    adjusted[index] = least;
  }
  return adjusted;
}

function ranked(values: readonly number[]): number[] {
  return values.map((_, index) => index).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0) || a - b);
}
