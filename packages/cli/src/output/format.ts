// Numbers as people read them.

const SIZES = ["B", "kB", "MB", "GB", "TB"];

/** `1234567` as `1 234 567`. */
export function formatCount(count: number): string {
  return String(Math.round(count)).replaceAll(/\B(?=(\d{3})+$)/g, " ");
}

/** `1234567` as `1.23 MB`; steps of 1000. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let step = 0;
  while (value >= 999.5 && step < SIZES.length - 1) {
    value /= 1_000;
    step += 1;
  }
  return `${step === 0 ? String(value) : threeDigits(value)} ${SIZES[step]}`;
}

/** `1234` as `1.23 s`, `75000` as `1:15`, `4` as `4.00 ms`. */
export function formatMs(ms: number): string {
  if (ms < 999.5) return `${threeDigits(ms)} ms`;
  return ms < 59_950 ? `${threeDigits(ms / 1_000)} s` : formatClock(ms);
}

/** `75000` as `1:15`, `3675000` as `1:01:15`. */
export function formatClock(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  const parts = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  const [first = 0, ...rest] = parts[0] === 0 ? parts.slice(1) : parts;
  return [first, ...rest.map((part) => String(part).padStart(2, "0"))].join(":");
}

/** `1 thing`, `2 things`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

function threeDigits(value: number): string {
  if (value >= 99.95) return value.toFixed(0);
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}
