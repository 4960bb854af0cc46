import { random } from "../lib/random.ts";
import { INK, SIDE } from "./examples.ts";
import type { Example } from "./examples.ts";

/**
 * The same image through a worn scanner: blurred, pale, on grey paper, noisy. Whole numbers from 0 to 16, as a scanner
 * gives them. Severity 0 changes nothing, 1 is plainly worn; the same seed gives the same image.
 */
export function degrade(pixels: readonly number[], seed: number, severity = 1): number[] {
  if (severity === 0) return [...pixels];
  const source = random(seed);
  const blur = Math.min(1, 0.6 * severity) * (0.8 + 0.4 * source.next());
  const contrast = 1 - Math.min(0.8, 0.45 * severity) * (0.8 + 0.4 * source.next());
  const paper = 1.5 * severity * source.next();
  return pixels.map((value, at) => {
    const soft = (1 - blur) * value + blur * around(pixels, at % SIDE, Math.floor(at / SIDE));
    const read = paper + contrast * soft + severity * source.normal();
    return Math.min(INK, Math.max(0, Math.round(read)));
  });
}

/** Mean of the pixel and its eight neighbours; outside of the image is paper. */
function around(pixels: readonly number[], column: number, row: number): number {
  let sum = 0;
  for (let y = Math.max(0, row - 1); y <= Math.min(SIDE - 1, row + 1); y++) {
    for (let x = Math.max(0, column - 1); x <= Math.min(SIDE - 1, column + 1); x++) sum += pixels[y * SIDE + x] ?? 0;
  }
  return sum / 9;
}

/**
 * `count` labelled examples as the worn scanner would send them, drawn from `examples` in a random order (again from the
 * start when they run out). The id `uci-0001--scan-7-0` says where it is from, and keeps it in that image's split.
 */
export function scanned(
  examples: readonly Example[],
  options: { count: number; seed: number; severity?: number },
): Example[] {
  const source = random(options.seed);
  const order = examples.map((example) => ({ example, rank: source.next() })).toSorted((a, b) => a.rank - b.rank);
  return Array.from({ length: order.length === 0 ? 0 : options.count }, (_, at) => {
    const { example } = order[at % order.length] as (typeof order)[number];
    const seed = Math.floor(source.next() * 2 ** 31);
    const pixels = degrade(example.pixels, seed, options.severity);
    return { ...example, id: `${example.id}--scan-${options.seed}-${at}`, source: "feedback", pixels };
  });
}
