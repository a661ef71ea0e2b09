// The session of a run.

import { ClientSession, type CookieJar, type RetryRules } from "@meanwhile/http";

import { readVersion } from "../version.ts";
import type { FetchOptions } from "./options.ts";

/** For an attempt, unless it is said. */
export const DEFAULT_TIMEOUT_MS = 30_000;

/** A session that is limited as the options say. Headers are those of each request: a list may have its own. */
export function openSession(options: FetchOptions, cookies: CookieJar | undefined): ClientSession {
  const { concurrency, connectMs, idleMs, maxBytes, minSpeed, network, perHost, retryMaxMs } = options;
  const { timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  return new ClientSession({
    ...network.session,
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
