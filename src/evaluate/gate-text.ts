/** Four decimals (three digits of what is smaller) and a true minus, with the unit of a business metric. */
export function show(value: number, unit?: string): string {
  const size = Math.abs(value);
  const shown = Number(size < 0.01 ? size.toPrecision(3) : size.toFixed(4));
  return `${value < 0 ? "−" : ""}${unit === undefined ? "" : `${unit} `}${shown}`;
}

/** A difference, with its sign. */
export function change(difference: number, unit?: string): string {
  return `${difference > 0 ? "+" : ""}${show(difference, unit)}`;
}

/** Three digits. */
export function brief(value: number): string {
  return String(Number(value.toPrecision(3)));
}

export function showSize(bytes: number): string {
  if (bytes < 1e3) return `${bytes} B`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}

export function showTime(ms: number): string {
  if (ms < 1) return `${brief(ms * 1000)} us`;
  return ms < 1000 ? `${brief(ms)} ms` : `${brief(ms / 1000)} s`;
}

const SIZES: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};
const TIMES: Readonly<Record<string, number>> = { us: 1e-3, ms: 1, s: 1e3 };

/** Bytes of a size as in `50MB` or `1.5 GiB`, which the schema has checked. */
export function parseSize(text: string): number {
  return measure(text, SIZES);
}

/** Milliseconds of a time as in `20ms`, which the schema has checked. */
export function parseTime(text: string): number {
  return measure(text, TIMES);
}

function measure(text: string, units: Readonly<Record<string, number>>): number {
  const [, amount, unit] = /^([\d.]+)\s?(\w+)$/.exec(text) ?? [];
  return Number(amount) * (units[unit ?? ""] ?? Number.NaN);
}
