import { formatChange } from "./format.ts";
import { html } from "./html.ts";
import type { Html } from "./html.ts";
import type { MetricRow } from "./schema.ts";

const [WIDTH, HEIGHT] = [160, 20];

/**
 * The difference with its interval on a line whose middle is zero, so that a glance tells whether zero is inside.
 * Drawn so that right is always better.
 */
export function intervalPlot(metric: MetricRow): Html | null {
  const { difference, interval, direction, unit } = metric;
  if (difference === null || interval === null) return null;
  const sign = direction === "lower" ? -1 : 1;
  const reach = Math.max(Math.abs(interval[0]), Math.abs(interval[1]), Math.abs(difference)) * 1.15 || 1;
  const x = (value: number): number => Math.round((WIDTH / 2) * (1 + (sign * value) / reach) * 10) / 10;
  const [from, to] = [x(interval[0]), x(interval[1])].sort((a, b) => a - b) as [number, number];
  const label = `difference ${formatChange(difference, unit)}, 95 % interval ${formatChange(interval[0], unit)} to ${formatChange(interval[1], unit)}`;
  return html`<svg
    class="interval ${metric.verdict ?? ""}"
    role="img"
    aria-label="${label}"
    viewBox="0 0 ${WIDTH} ${HEIGHT}"
    width="${WIDTH}"
    height="${HEIGHT}"
  >
    <line class="zero" x1="${WIDTH / 2}" x2="${WIDTH / 2}" y1="1" y2="${HEIGHT - 1}" />
    <line class="bar" x1="${from}" x2="${to}" y1="10" y2="10" />
    <circle cx="${x(difference)}" cy="10" r="4" />
  </svg>`;
}
