import { binomial } from "../statistics/index.ts";
import type { Random, Strata } from "../statistics/index.ts";
import type { Predictions } from "../metrics/index.ts";

/** Which examples a bootstrap sample draws together, and within which strata. */
export interface Design extends Strata {
  /** Per row its unit; units of one stratum lie side by side. */
  readonly unit: Int32Array;
  readonly starts: Int32Array;
  /** Where units are the groups that the evaluation names, or a ranking's queries: how many they count as. */
  readonly groups: number | null;
}

/** More units than this say nothing more about a mean and its tails. */
const MAX_UNITS = 4_096;

/**
 * What is drawn: examples, within each class, so that the test set's balance stays (of two different test sets each has
 * its own balance by chance too, and examples are drawn from all classes together); or whole groups where there are
 * any, because their rows are not independent. Of more than `MAX_UNITS` these are first put at random into that many
 * batches of one size, and batches are drawn ("random groups", Wolter 2007, chapter 2): the sums of batches have the
 * mean, the variance and the skewness of those of the examples, and a sample costs the same however many there are.
 */
export function designOf(from: Predictions, paired: boolean, random: Random): Design {
  const together = from.group ?? (from.task === "ranking" ? from.query : null);
  if (together === null) return { ...assign(from.ids.length, paired ? stratumOf(from) : null, random), groups: null };
  const item = numbered(together.code);
  const { unit, starts, times } = assign(item.count, null, random);
  return { unit: item.code.map((one) => unit[one] as number), starts, times, groups: effective(from, item) };
}

/**
 * Groups that count the same are as many as they are; one that holds most of the rows is hardly more than one (Kish's
 * effective number; Carter, Schnepel and Steigerwald 2017). Queries of a ranking count alike, whatever their length.
 */
function effective(from: Predictions, { code, count }: { code: Int32Array; count: number }): number {
  if (from.group === null) return count;
  const sizes = new Float64Array(count);
  for (const [row, one] of code.entries()) sizes[one] = (sizes[one] as number) + (from.weight?.[row] ?? 1);
  const [sum, squares] = sizes.reduce(([all, square], size) => [all + size, square + size ** 2], [0, 0]);
  return squares === 0 ? 0 : sum ** 2 / squares;
}

export function fewer({ base, head }: { readonly base: Design; readonly head: Design }): number | null {
  return base.groups === null || head.groups === null ? null : Math.min(base.groups, head.groups);
}

/**
 * Class of each row, for classification; null where labels are no classes. A class of a single example would always be
 * drawn once, as if it had no noise: it goes with the most frequent class ("collapsed strata", Wolter 2007, chapter 2).
 */
export function stratumOf(from: Predictions): ArrayLike<number> | null {
  if (from.task !== "binary" && from.task !== "multiclass") return null;
  const sizes = new Int32Array(from.task === "binary" ? 2 : from.classes.length);
  for (let row = 0; row < from.label.length; row++) {
    const one = from.label[row] as number;
    sizes[one] = (sizes[one] as number) + 1;
  }
  if (!sizes.includes(1)) return from.label;
  const most = sizes.indexOf(Math.max(...sizes));
  return Int32Array.from(from.label, (one) => (sizes[one] === 1 ? most : one));
}

function assign(
  items: number,
  stratum: ArrayLike<number> | null,
  random: Random,
): { unit: Int32Array; starts: Int32Array; times: null } {
  const sizes: number[] = [];
  for (let item = 0; item < items; item++) {
    const of = stratum === null ? 0 : (stratum[item] as number);
    sizes[of] = (sizes[of] ?? 0) + 1;
  }
  const present = sizes.flatMap((size, of) => (size > 0 ? [{ of, size }] : []));
  const least = Math.min(256, MAX_UNITS / present.length); // of a rare class too
  const starts = new Int32Array(present.length + 1);
  const decks = new Map<number, Deck>();
  for (const [index, { of, size }] of present.entries()) {
    const share = Math.ceil(Math.max(least, (MAX_UNITS * size) / items));
    const units = items <= MAX_UNITS ? size : Math.min(size, share);
    const first = starts[index] as number;
    starts[index + 1] = first + units;
    decks.set(of, { first, at: 0, order: Int32Array.from({ length: units }, (_, one) => one), shuffled: units < size });
  }
  const unit = new Int32Array(items);
  for (let item = 0; item < items; item++)
    unit[item] = deal(decks.get(stratum === null ? 0 : (stratum[item] as number)) as Deck, random);
  return { unit, starts, times: null };
}

/** Units of a stratum, dealt out until none is left and then again, so that all of them get equally many. */
interface Deck {
  readonly first: number;
  readonly order: Int32Array;
  readonly shuffled: boolean;
  at: number;
}

function deal(deck: Deck, random: Random): number {
  const { order, first, shuffled } = deck;
  const at = deck.at;
  deck.at = at + 1 === order.length ? 0 : at + 1;
  if (shuffled) {
    const other = at + Math.floor(((random.next() >>> 0) / 0x1_0000_0000) * (order.length - at));
    const kept = order[at] as number;
    order[at] = order[other] as number;
    order[other] = kept;
  }
  return first + (order[at] as number);
}

/** The codes that occur, numbered from 0 in the order in which they are met. */
function numbered(code: Int32Array): { readonly code: Int32Array; readonly count: number } {
  const known = new Map<number, number>();
  const numbers = code.map((one) => {
    const number = known.get(one) ?? known.size;
    if (number === known.size) known.set(one, number);
    return number;
  });
  return { code: numbers, count: known.size };
}

/** Draws as many units as there are, with replacement, within each stratum; `drawn` becomes how often each was. */
export function draw({ starts, times }: Strata, random: Random, drawn: Float64Array): void {
  drawn.fill(0);
  for (let stratum = 0; stratum + 1 < starts.length; stratum++) {
    const [from, to] = [starts[stratum] as number, starts[stratum + 1] as number];
    if (times !== null) {
      drawAlike(times, from, to, random, drawn);
      continue;
    }
    const scale = (to - from) / 0x1_0000_0000;
    for (let count = from; count < to; count++) {
      const unit = from + Math.floor((random.next() >>> 0) * scale);
      drawn[unit] = (drawn[unit] as number) + 1;
    }
  }
}

/** A multinomial draw, one binomial after the other: exactly what drawing every single one would come to. */
function drawAlike(times: ArrayLike<number>, from: number, to: number, random: Random, drawn: Float64Array): void {
  let left = 0;
  for (let unit = from; unit < to; unit++) left += times[unit] as number;
  let draws = left;
  for (let unit = from; unit < to && draws > 0; unit++) {
    const count = times[unit] as number;
    const got = binomial(random, draws, count / left);
    drawn[unit] = got;
    draws -= got;
    left -= count;
  }
}
