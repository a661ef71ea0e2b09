// The header Retry-After: seconds, or a date.

const LONGEST_DATE = 64;
/** All forms of an HTTP date begin like this and have a time of day; Date.parse alone would take nearly anything. */
const DATE = /^(mon|tue|wed|thu|fri|sat|sun)[a-z]*,? .*\d\d:\d\d:\d\d/i;
/** Ends with the time of day, or as C's asctime() does with the year: it is in the zone of Greenwich like all of them. */
const WITHOUT_ZONE = /\d\d:\d\d:\d\d( \d{4})?$/;

/**
 * How long a header field `Retry-After` asks to wait, in milliseconds from `nowMs` on: 0 for a date that has passed;
 * undefined if there is no such field, or none that can be read. There is no upper limit: a server may ask for any time.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3}
 */
export function retryAfterMs(
  header: string | ReadonlyArray<string> | null | undefined,
  nowMs: number = Date.now(),
): number | undefined {
  const value = (typeof header === "string" ? header : header?.[0])?.trim();
  if (value === undefined || value === "" || value.length > LONGEST_DATE) return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1_000;
  if (!DATE.test(value)) return undefined;
  const at = Date.parse(WITHOUT_ZONE.test(value) ? `${value} GMT` : value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}
