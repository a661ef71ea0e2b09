// The session of a run.

import { ClientSession, type CookieJar } from "@meanwhile/http";

import { readVersion } from "../version.ts";
import type { FetchOptions } from "./options.ts";

const DEFAULT_TIMEOUT_MS = 30_000;

/** A session that is limited as the options say. Headers are those of each request: a list may have its own. */
export function openSession(options: FetchOptions, cookies: CookieJar | undefined): ClientSession {
  const { concurrency, connectMs, idleMs, maxBytes, minSpeed, network, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  return new ClientSession({
    ...network.session,
    cookies: cookies ?? false,
    limit: concurrency,
    timeouts: { totalMs: timeoutMs, connectMs, idleMs, minBytesPerSecond: minSpeed },
    maxBodyBytes: maxBytes,
    userAgent: `meanwhile/${readVersion()}`,
  });
}
