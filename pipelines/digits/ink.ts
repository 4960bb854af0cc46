import { INK, PIXELS } from "./examples.ts";

/**
 * An image's group by its share of ink: about a third of the published images each. The bounds are fixed, so that an
 * image stays in its group whatever is added.
 */
export function inkBand(pixels: readonly number[]): "light" | "medium" | "heavy" {
  const share = pixels.reduce((sum, value) => sum + value, 0) / (PIXELS * INK);
  return share < 0.288 ? "light" : share < 0.321 ? "medium" : "heavy";
}
