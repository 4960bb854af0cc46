/** Upper bounds in seconds: from a small network on one core to a large one on a busy machine. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

interface Histogram {
  readonly counts: number[];
  sum: number;
  total: number;
}

/** What `/metrics` tells, in Prometheus' text format. */
export class Metrics {
  readonly #requests = new Map<string, number>();
  readonly #latency = new Map<string, Histogram>();
  readonly #counters = new Map<string, number>();

  /** One inference request; latency counts only where it was answered. */
  request(labels: { model: string; version: string; status: number }, seconds: number): void {
    const { model, version, status } = labels;
    const key = render({ model, version, status: String(status) });
    this.#requests.set(key, (this.#requests.get(key) ?? 0) + 1);
    if (status !== 200) return;
    const name = render({ model, version });
    const histogram = this.#latency.get(name) ?? { counts: BUCKETS.map(() => 0), sum: 0, total: 0 };
    this.#latency.set(name, histogram);
    const bucket = BUCKETS.findIndex((bound) => seconds <= bound);
    if (bucket >= 0) histogram.counts[bucket]! += 1;
    histogram.sum += seconds;
    histogram.total += 1;
  }

  count(name: string, by = 1): void {
    this.#counters.set(name, (this.#counters.get(name) ?? 0) + by);
  }

  text(): string {
    const lines = [
      "# HELP lockstep_requests_total Inference requests by answer.",
      "# TYPE lockstep_requests_total counter",
    ];
    for (const [labels, value] of this.#requests) lines.push(`lockstep_requests_total{${labels}} ${value}`);
    lines.push(
      "# HELP lockstep_request_seconds Time to answer an inference request.",
      "# TYPE lockstep_request_seconds histogram",
    );
    for (const [labels, { counts, sum, total }] of this.#latency) {
      let below = 0;
      for (const [i, bound] of BUCKETS.entries()) {
        below += counts[i]!;
        lines.push(`lockstep_request_seconds_bucket{${labels},le="${bound}"} ${below}`);
      }
      lines.push(
        `lockstep_request_seconds_bucket{${labels},le="+Inf"} ${total}`,
        `lockstep_request_seconds_sum{${labels}} ${sum}`,
        `lockstep_request_seconds_count{${labels}} ${total}`,
      );
    }
    for (const [name, value] of this.#counters) lines.push(`# TYPE ${name} counter`, `${name} ${value}`);
    return `${lines.join("\n")}\n`;
  }
}

function render(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, (c) => (c === "\n" ? "\\n" : `\\${c}`))}"`)
    .join(",");
}
