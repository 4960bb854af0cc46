import { seeded } from "../statistics/index.ts";
import { countSamples, isCounted } from "./counted.ts";
import { designOf } from "./design.ts";
import type { Metric } from "../metrics/index.ts";
import { passSamples } from "./passes.ts";
import type { Contrast, Distribution } from "./sampled.ts";
import { isTotalled, totalSamples } from "./totalled.ts";

/**
 * Bootstrap distributions of head minus base, one per metric in their order, each by the cheapest way that its form
 * allows: counts, sums, or passes over all examples.
 * @param options.seed words that the random numbers depend on
 * @param options.rows examples of all comparisons that share the bound on passes
 */
export function bootstrap(
  options: Contrast & {
    readonly metrics: readonly Metric[];
    readonly resamples: number;
    readonly seed: readonly string[];
    readonly rows: number;
  },
): Distribution[] {
  const { base, head, paired, metrics, resamples, seed, rows } = options;
  const counted = metrics.filter((metric) => isCounted(metric, [base, head]));
  const totalled = metrics.filter((metric) => !counted.includes(metric) && isTotalled(metric, [base, head]));
  const rest = metrics.filter((metric) => !counted.includes(metric) && !totalled.includes(metric));
  const drawing = (kind: string, of: readonly Metric[]): Parameters<typeof countSamples>[0] => ({
    base,
    head,
    paired,
    resamples,
    metrics: of,
    random: seeded("lockstep-bootstrap-2", kind, ...seed),
  });
  const found = new Map<Metric, Distribution>();
  const keep = (made: readonly Distribution[]): void => made.forEach((one) => found.set(one.metric, one));
  if (counted.length > 0) keep(countSamples(drawing("counts", counted)));
  if (totalled.length + rest.length > 0) {
    const random = seeded("lockstep-bootstrap-2", "design", ...seed);
    const before = designOf(base, paired, random);
    const designs = { base: before, head: paired ? before : designOf(head, paired, random) };
    if (totalled.length > 0) keep(totalSamples(drawing("sums", totalled), designs));
    if (rest.length > 0) keep(passSamples(drawing("passes", rest), designs, rows));
  }
  return metrics.map((metric) => found.get(metric) as Distribution);
}
