// The session of a run.

import { ClientSession, type CookieJar, type RetryRules } from "@meanwhile/http";

import { readVersion } from "../version.ts";
import type { FetchOptions } from "./options.ts";

/** For an attempt, unless it is said. */
export const DEFAULT_TIMEOUT_MS = 30_000;

/** What of the limits of a run its session holds. */
type SessionLimits = Pick<
  FetchOptions,
  "concurrency" | "connectMs" | "idleMs" | "maxBytes" | "minSpeed" | "perHost" | "retryMaxMs" | "timeoutMs"
>;

/** A session that is limited as the options say. Headers are those of each request: a list may have its own. */
export function openSession(options: FetchOptions, cookies: CookieJar | undefined): ClientSession {
  return openRunSession(options, options.network.session, cookies);
}

/** The same, where there is no more of a run than that. */
export function openRunSession(
  limits: SessionLimits,
  network: FetchOptions["network"]["session"],
  cookies: CookieJar | undefined,
): ClientSession {
  const { concurrency, connectMs, idleMs, maxBytes, minSpeed, perHost, retryMaxMs } = limits;
  const { timeoutMs = DEFAULT_TIMEOUT_MS } = limits;
  return new ClientSession({
    ...network,
    cookies: cookies ?? false,
    limit: concurrency,
    limitPerHost: perHost,
    timeouts: { totalMs: timeoutMs, connectMs, idleMs, minBytesPerSecond: minSpeed },
    maxBodyBytes: maxBytes,
    retry: heeding(Math.min(retryMaxMs, timeoutMs / 2)),
    userAgent: `meanwhile/${readVersion()}`,
  });
}

/**
 * Rules that try nothing again, which is the run's to do, but keep off a host that wants to be left alone: redirects lead
 * there from others. A longer rest would use up the time of the attempt.
 */
function heeding(longestMs: number): RetryRules {
  return { attempts: 1, pauseHost: true, maxRetryAfterMs: longestMs };
}
