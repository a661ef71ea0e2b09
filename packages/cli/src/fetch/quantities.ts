// Quantities of the command line: durations, sizes, rates, counts. All return undefined for what is none.

const MS_PER: Readonly<Record<string, number>> = { "": 1_000, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const BYTES_PER: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
};

/** `"30"` and `"30s"` are 30 000 ms; also `500ms`, `1.5m`, `2h`. */
export function parseDurationMs(text: string): number | undefined {
  return parseWithUnit(text, MS_PER);
}

/** `"1024"`, `"10MB"`, `"64KiB"`, `"1G"` in bytes; k, m and g alone are powers of 1024. */
export function parseBytes(text: string): number | undefined {
  const bytes = parseWithUnit(text, BYTES_PER);
  return bytes === undefined ? undefined : Math.floor(bytes);
}

/** `"20"` and `"20/s"` are 20 per second; also `100/m`, `1000/h`. */
export function parseRatePerSecond(text: string): number | undefined {
  const [, count = "", unit = "s"] = /^([\d.]+)(?:\/(s|m|h))?$/.exec(text) ?? [];
  const perUnit = parseWithUnit(count, { "": 1 });
  const unitMs = MS_PER[unit];
  return perUnit === undefined || perUnit === 0 || unitMs === undefined ? undefined : (perUnit * 1_000) / unitMs;
}

/** A whole number >= `least`. */
export function parseCount(text: string, least: number): number | undefined {
  const count = /^\d{1,9}$/.test(text) ? Number(text) : -1;
  return count >= least ? count : undefined;
}

function parseWithUnit(text: string, factors: Readonly<Record<string, number>>): number | undefined {
  const [, digits, unit = ""] = /^(\d{1,15}(?:\.\d{1,9})?)([a-z]*)$/.exec(text.toLowerCase()) ?? [];
  const factor = Object.hasOwn(factors, unit) ? factors[unit] : undefined;
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor;
}
