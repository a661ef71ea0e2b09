// The header Retry-After: seconds, or a date.

const LONGEST_DATE = 64;

/** How long the server asks to be left alone, in milliseconds; undefined if it does not, or not in a way we can read. */
export function retryAfterMs(header: string | string[] | undefined, nowMs: number = Date.now()): number | undefined {
  const value = (typeof header === "string" ? header : header?.[0])?.trim();
  if (value === undefined || value === "" || value.length > LONGEST_DATE) return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1_000;
  const at = /^[A-Z][a-z]+, /.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}
