/**
 * Four significant digits, but never fewer than the decimals of a percentage point's hundredth. With a unit as an
 * amount is written: `EUR 1,234.50`.
 */
export function formatValue(value: number | null, unit: string | null = null): string {
  if (value === null) return "–";
  const size = Math.abs(value);
  if (unit !== null) return `${value < 0 ? "−" : ""}${unit} ${amount(size)}`;
  if (Number.isInteger(value) && size < 1e9) return String(value);
  if (size >= 1e7 || (size > 0 && size < 1e-4)) return value.toExponential(3);
  return size >= 1000 ? value.toFixed(1) : size >= 10 ? value.toFixed(2) : value.toFixed(4);
}

/** Hundredths, thousands apart; from a hundred thousand on whole ones only. */
function amount(size: number): string {
  if (size >= 1e15 || (size > 0 && size < 0.01)) return size.toExponential(3);
  const [whole = "", cents] = size.toFixed(size >= 1e5 ? 0 : 2).split(".");
  const thousands = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return cents === undefined ? thousands : `${thousands}.${cents}`;
}

/** A difference: always with a sign, a true minus, and nothing before an exact zero. */
export function formatChange(value: number | null, unit: string | null = null): string {
  if (value === null) return "–";
  if (value === 0) return "0";
  return `${value > 0 ? "+" : "−"}${formatValue(Math.abs(value), unit)}`;
}

/** As one word, so that a narrow column breaks no number apart; of our own texts only. */
export function unbroken(text: string): string {
  return text.replaceAll(" ", "\u00a0");
}

/** p as papers write it. */
export function formatP(p: number): string {
  return p < 0.001 ? "p < 0.001" : `p = ${p.toFixed(3)}`;
}

/** A length of time as a person says it: 340 ms, 12.3 s, 4 min 5 s, 2 h 10 min. */
export function formatTime(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `one gate`, `2 gates`. */
export function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${number} ${number === 1 ? noun : plural}`;
}

export function shortCommit(commit: string | null): string {
  return commit === null ? "none" : commit.slice(0, 7);
}

/** A digest's first digits, enough to tell versions of a dataset apart by eye. */
export function shortDigest(digest: string | null): string {
  return digest === null ? "–" : digest.replace("sha256:", "").slice(0, 12);
}

/** An amount of money: cents, or of less than ten of them two digits that say something. */
export function formatCost(amount: number | null, currency: string): string {
  if (amount === null) return "–";
  const shown = amount === 0 || amount >= 0.1 ? amount.toFixed(2) : String(Number(amount.toPrecision(2)));
  return [...(currency === "" ? [] : [currency]), amount > 0 && amount < 1e-4 ? "< 0.0001" : shown].join(" ");
}
