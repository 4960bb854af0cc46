/**
 * The few special functions that the statistics need, accurate to about 1e-10, which is far more than a decision at
 * 0.01 asks for. Golden values in the tests come from SciPy.
 */

const LANCZOS = [
  676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
  -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

/** ln Γ(x) for x > 0 (Lanczos, g = 7). */
export function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  let sum = 0.99999999999980993;
  for (const [i, coefficient] of LANCZOS.entries()) sum += coefficient / (x + i);
  const t = x + 6.5;
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum);
}

/** Upper tail of the chi-square distribution, Q(df/2, x/2): series below the mean, continued fraction above it. */
export function chiSquareTail(x: number, df: number): number {
  if (x <= 0 || df <= 0) return 1;
  const a = df / 2;
  const z = x / 2;
  const scale = Math.exp(-z + a * Math.log(z) - logGamma(a));
  if (z < a + 1) {
    let term = 1 / a;
    let sum = term;
    for (let n = 1; n < 10_000 && term > sum * 1e-16; n++) {
      term *= z / (a + n);
      sum += term;
    }
    return Math.max(0, 1 - scale * sum);
  }
  // Lentz's method, from the far end of the fraction forwards.
  let b = z + 1 - a;
  let c = 1e300;
  let d = 1 / b;
  let fraction = d;
  for (let n = 1; n < 10_000; n++) {
    const numerator = -n * (n - a);
    b += 2;
    d = 1 / (numerator * d + b);
    c = b + numerator / c;
    const factor = c * d;
    fraction *= factor;
    if (Math.abs(factor - 1) < 1e-16) break;
  }
  return Math.min(1, scale * fraction);
}

/** Upper tail of the standard normal distribution. */
export function normalTail(z: number): number {
  const half = chiSquareTail(z * z, 1) / 2;
  return z >= 0 ? half : 1 - half;
}

/** P(K > x) for the Kolmogorov distribution: the limit of a two-sample KS statistic times sqrt(nm / (n + m)). */
export function kolmogorovTail(x: number): number {
  if (x < 0.2) return 1;
  let sum = 0;
  for (let k = 1; k <= 100; k++) {
    const term = 2 * (-1) ** (k - 1) * Math.exp(-2 * k * k * x * x);
    sum += term;
    if (Math.abs(term) < 1e-16) break;
  }
  return Math.min(1, Math.max(0, sum));
}

/**
 * z with P(Z <= z) = share, for 0 < share < 1: Abramowitz and Stegun's 26.2.23 (good to 4.5e-4), then Halley's steps.
 * @returns -Infinity at 0 and Infinity at 1
 */
export function normalQuantile(share: number): number {
  if (share <= 0 || share >= 1) return share <= 0 ? -Infinity : Infinity;
  if (share === 0.5) return 0;
  const tail = Math.min(share, 1 - share);
  const t = Math.sqrt(-2 * Math.log(tail));
  let z = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
  for (let step = 0; step < 3; step++) {
    const off = (normalTail(z) - tail) * Math.sqrt(2 * Math.PI) * Math.exp((z * z) / 2);
    z += off / (1 - (z * off) / 2);
  }
  return share < 0.5 ? -z : z;
}

/** Upper tail of Student's t distribution, t of either sign: half of I_x(df/2, 1/2) at x = df / (df + t^2). */
export function studentTail(t: number, df: number): number {
  if (df > 1e7) return normalTail(t);
  const half = incompleteBeta(df / (df + t * t), df / 2, 0.5) / 2;
  return t >= 0 ? half : 1 - half;
}

/** t with P(T <= t) = share; -Infinity at 0 and Infinity at 1. Bisection, because it is asked for a few times only. */
export function studentQuantile(share: number, df: number): number {
  if (share <= 0 || share >= 1) return share <= 0 ? -Infinity : Infinity;
  if (share > 0.5) return -studentQuantile(1 - share, df);
  let [low, high] = [0, 1]; // of -t
  while (studentTail(high, df) > share && high < 1e300) high *= 2;
  for (let step = 0; step < 80 && high - low > 1e-14 * high; step++) {
    const middle = (low + high) / 2;
    if (studentTail(middle, df) > share) low = middle;
    else high = middle;
  }
  return -(low + high) / 2;
}

/** Regularised incomplete beta function I_x(a, b), by its continued fraction (Lentz's method). */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0 || x >= 1) return x <= 0 ? 0 : 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const scale = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x)) / a;
  const away = (value: number): number => (Math.abs(value) < 1e-300 ? 1e-300 : value);
  let c = 1;
  let d = 1 / away(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m < 10_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away(1 + even * d);
    c = away(1 + even / c);
    fraction *= c * d;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away(1 + odd * d);
    c = away(1 + odd / c);
    fraction *= c * d;
    if (Math.abs(c * d - 1) < 1e-15) break;
  }
  return scale * fraction;
}
