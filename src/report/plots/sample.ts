export type Point = [number, number];

/** Points of one line or cloud that are kept: more than these cannot be told apart on a chart of this size. */
export const POINTS = 200;

/**
 * Largest-triangle-three-buckets: of each of `most` - 2 equal runs of points the one that spans the largest triangle
 * with the point kept before and the mean of the next run, so that peaks stay. First and last are kept. Points are in
 * order of x. (Steinarsson, Downsampling Time Series for Visual Representation, 2013)
 */
export function lttb(points: readonly Point[], most = POINTS): Point[] {
  const last = points.length - 1;
  if (points.length <= most || most < 3) return points.slice(0, most);
  const width = (points.length - 2) / (most - 2);
  const edge = (bucket: number): number => Math.floor(bucket * width) + 1;
  const kept: Point[] = [points[0]!];
  for (let bucket = 0; bucket < most - 2; bucket++) {
    const [from, to] = [edge(bucket), Math.min(edge(bucket + 1), last)];
    const next = meanOf(points, to, Math.min(edge(bucket + 2), last + 1));
    const before = kept.at(-1)!;
    let best = from;
    let largest = -1;
    for (let index = from; index < to; index++) {
      const [x, y] = points[index]!;
      const area = Math.abs((before[0] - next[0]) * (y - before[1]) - (before[0] - x) * (next[1] - before[1]));
      if (area > largest) [best, largest] = [index, area];
    }
    kept.push(points[best]!);
  }
  kept.push(points[last]!);
  return kept;
}

/** Rows of a cloud that are kept: evenly spread over the file, so that its density stays. */
export function strideRows(rows: number, most = POINTS): number[] {
  const size = Math.min(rows, most);
  return Array.from({ length: size }, (_, index) => Math.floor((index * rows) / size));
}

function meanOf(points: readonly Point[], from: number, to: number): Point {
  let [x, y] = [0, 0];
  for (let index = from; index < to; index++) {
    x += points[index]![0];
    y += points[index]![1];
  }
  const size = Math.max(1, to - from);
  return [x / size, y / size];
}
