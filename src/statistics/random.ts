import { createHash } from "node:crypto";
import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";
import type { JumpableRandomGenerator } from "pure-rand/types/JumpableRandomGenerator";
import { logGamma } from "./special.ts";

export type Random = JumpableRandomGenerator;

/** A random generator that depends on the words alone: the same comparison has the same intervals on every machine. */
export function seeded(...words: readonly string[]): Random {
  const hash = createHash("sha256")
    .update(words.map((word) => `${word.length}:${word}`).join(","))
    .digest();
  return xoroshiro128plusFromState([0, 4, 8, 12].map((offset) => hash.readInt32LE(offset)));
}

/** Between 0 and 1, neither of them, in steps of 2^-32. */
export function uniform(random: Random): number {
  return ((random.next() >>> 0) + 0.5) / 0x1_0000_0000;
}

/**
 * Successes of `n` trials that succeed with probability `p`. Few are counted by the waiting times between them; many
 * are drawn by transformed rejection (Hörmann 1993, "The generation of binomial random variates", algorithm BTRS), so
 * that a million trials cost as much as a hundred.
 */
export function binomial(random: Random, n: number, p: number): number {
  if (n <= 0 || p <= 0) return 0;
  if (p >= 1) return n;
  if (p > 0.5) return n - binomial(random, n, 1 - p);
  return n * p < 10 ? byWaiting(random, n, p) : byRejection(random, n, p);
}

function byWaiting(random: Random, n: number, p: number): number {
  const scale = 1 / Math.log1p(-p);
  let successes = 0;
  for (let trial = Math.floor(Math.log(uniform(random)) * scale); trial < n; successes++)
    trial += 1 + Math.floor(Math.log(uniform(random)) * scale);
  return successes;
}

function byRejection(random: Random, n: number, p: number): number {
  const deviation = Math.sqrt(n * p * (1 - p));
  const b = 1.15 + 2.53 * deviation;
  const a = -0.0873 + 0.0248 * b + 0.01 * p;
  const c = n * p + 0.5;
  const inner = 0.92 - 4.2 / b;
  const alpha = (2.83 + 5.1 / b) * deviation;
  const mode = Math.floor((n + 1) * p);
  for (;;) {
    const u = uniform(random) - 0.5;
    const v = uniform(random);
    const us = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / us + b) * u + c);
    if (us >= 0.07 && v <= inner) return k;
    if (k < 0 || k > n) continue;
    const height = Math.log((v * alpha) / (a / (us * us) + b));
    if (height <= logChoose(n, k) - logChoose(n, mode) + (k - mode) * Math.log(p / (1 - p))) return k;
  }
}

function logChoose(n: number, k: number): number {
  return -logGamma(k + 1) - logGamma(n - k + 1);
}
