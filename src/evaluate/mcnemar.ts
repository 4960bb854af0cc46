/**
 * Exact two-sided McNemar test: of the examples on which the two sides differ, are `fixed` and `broken` ones equally
 * likely? A binomial test, summed relative to its largest term, so that a million pairs do not underflow.
 * @returns p-value; 1 when no example changed
 */
export function mcnemar(fixed: number, broken: number): number {
  const pairs = fixed + broken;
  const smaller = Math.min(fixed, broken);
  let log = -pairs * Math.LN2; // of the probability that none of the pairs is on the smaller side
  const logs = [log];
  for (let k = 0; k < smaller; k++) {
    log += Math.log((pairs - k) / (k + 1));
    logs.push(log);
  }
  const sum = logs.reduce((all, one) => all + Math.exp(one - log), 0);
  return Math.min(1, 2 * Math.exp(log) * sum);
}
