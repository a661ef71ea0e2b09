// When a server wants to be asked again.

import { retryAfterMs } from "@meanwhile/http";

const LONGEST_MS = 365 * 24 * 3_600_000;
const LONGEST_HEADER = 1_000;
/** A number of seconds above this is a time, in seconds since 1970. */
const EARLIEST_TIME_S = 1_000_000_000;

interface Headers {
  get(name: string): string | null;
}

/**
 * How long a host wants to be left alone after this answer: by `Retry-After` if the answer is a failure, and by the
 * `RateLimit` fields if they say that nothing is left; a year at most.
 *
 * @see {@link https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/}
 */
export function restMsOf(status: number, headers: Headers, nowMs: number = Date.now()): number | undefined {
  const after = status < 400 ? undefined : retryAfterMs(headers.get("retry-after"), nowMs);
  const reset = parseRateLimitMs(status === 429, headers, nowMs);
  if (after === undefined && reset === undefined) return undefined;
  return Math.min(Math.max(after ?? 0, reset ?? 0), LONGEST_MS);
}

/** @param isExhausted - whether the status says already that nothing is left */
function parseRateLimitMs(isExhausted: boolean, headers: Headers, nowMs: number): number | undefined {
  const both = headers.get("ratelimit")?.slice(0, LONGEST_HEADER);
  const left = numberIn(headers.get("ratelimit-remaining")) ?? parameterIn(both, ["r", "remaining"]);
  const reset = numberIn(headers.get("ratelimit-reset")) ?? parameterIn(both, ["t", "reset"]);
  if (reset === undefined || !(isExhausted || left === 0)) return undefined;
  // Some servers say when, not how long.
  const ms = reset >= EARLIEST_TIME_S ? reset * 1_000 - nowMs : reset * 1_000;
  return Math.max(0, ms);
}

function numberIn(text: string | null): number | undefined {
  return text !== null && /^\s*\d{1,15}\s*$/.test(text) ? Number(text) : undefined;
}

/** `"default";r=0;t=30` and the older `limit=100, remaining=0, reset=30`. */
function parameterIn(text: string | undefined, names: readonly string[]): number | undefined {
  for (const pair of text?.split(/[;,]/) ?? []) {
    const [name = "", value = ""] = pair.split("=", 2);
    if (names.includes(name.trim().toLowerCase())) return numberIn(value);
  }
  return undefined;
}
