const [POINT, MINUS, ZERO] = [46, 45, 48];
/** Whole numbers of so many digits, and powers of ten, are exact in a double. */
const EXACT = 15;
const TENS = Array.from({ length: EXACT + 1 }, (_, power) => 10 ** power);

/**
 * The number that bytes spell in decimal, correctly rounded; not a number where they spell none, or are empty. Numbers
 * of up to 15 digits are one exact division (Clinger 1990), the rest is the engine's.
 */
export function decimal(bytes: Buffer, from: number, to: number): number {
  const negative = bytes[from] === MINUS;
  let value = 0;
  let digits = 0;
  let point = -1;
  for (let at = negative ? from + 1 : from; at < to; at++) {
    const byte = bytes[at] as number;
    if (byte === POINT && point === -1) point = digits;
    else if (byte >= ZERO && byte < ZERO + 10 && digits < EXACT) {
      value = value * 10 + byte - ZERO;
      digits++;
    } else return decimalOf(bytes.toString("latin1", from, to));
  }
  if (digits === 0) return Number.NaN;
  const sized = point === -1 ? value : value / (TENS[digits - point] as number);
  return negative ? -sized : sized;
}

/** As `decimal`, of a text. */
export function decimalOf(text: string): number {
  // The engine also reads 0x10, 0b1 and 0o7, and nothing as 0.
  return /^\s*$|[xob]/i.test(text) ? Number.NaN : Number(text);
}
