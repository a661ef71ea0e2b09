// When a server wants to be asked again.

const LONGEST_MS = 365 * 24 * 3_600_000;

/** The header `Retry-After` in milliseconds from now; undefined if there is none, or none that makes sense. */
export function parseRetryAfterMs(value: string | null | undefined, nowMs: number = Date.now()): number | undefined {
  if (value === null || value === undefined) return undefined;
  const text = value.trim();
  if (/^\d{1,15}$/.test(text)) return Math.min(Number(text) * 1_000, LONGEST_MS);
  // All forms of an HTTP date begin with the name of a day; Date.parse alone would take nearly anything.
  if (!/^(mon|tue|wed|thu|fri|sat|sun)/i.test(text)) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.min(Math.max(0, at - nowMs), LONGEST_MS);
}
