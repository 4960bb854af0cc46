import { SIDE } from "./examples.ts";
import type { Random } from "../lib/random.ts";

/** The value between pixels, from the four around it; paper outside of the image. */
export function sample(pixels: ArrayLike<number>, offset: number, x: number, y: number): number {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const [right, down] = [x - left, y - top];
  const at = (column: number, row: number): number =>
    column < 0 || row < 0 || column >= SIDE || row >= SIDE ? 0 : (pixels[offset + row * SIDE + column] ?? 0);
  return (
    (at(left, top) * (1 - right) + at(left + 1, top) * right) * (1 - down) +
    (at(left, top + 1) * (1 - right) + at(left + 1, top + 1) * right) * down
  );
}

/** Writes a slightly turned, slanted, scaled and shifted copy of one image. Strength 1 turns by up to 11 degrees. */
export function jitter(
  from: ArrayLike<number>,
  offset: number,
  to: Float32Array,
  toOffset: number,
  strength: number,
  source: Random,
): void {
  const angle = 0.2 * strength * source.signed();
  const scale = 1 + 0.12 * strength * source.signed();
  const [right, down] = [0.8 * strength * source.signed(), 0.8 * strength * source.signed()];
  const slant = 0.15 * strength * source.signed();
  const [cos, sin] = [Math.cos(angle) / scale, Math.sin(angle) / scale];
  const middle = (SIDE - 1) / 2;
  for (let row = 0; row < SIDE; row++) {
    for (let column = 0; column < SIDE; column++) {
      const [x, y] = [column - middle - right, row - middle - down];
      const value = sample(from, offset, cos * x + (slant - sin) * y + middle, sin * x + cos * y + middle);
      to[toOffset + row * SIDE + column] = value;
    }
  }
}
