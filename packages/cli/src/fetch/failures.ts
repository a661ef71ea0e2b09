// Turns an error of the session into a code of the closed list, and says whether another attempt is worthwhile.

import { HttpError, type HttpErrorCode } from "@meanwhile/http";

import type { Failure, FailureCode } from "./record.ts";

const CODES: Readonly<Partial<Record<HttpErrorCode, FailureCode>>> = {
  MW_ERR_HTTP_BODY_TOO_LARGE: "too_large",
  MW_ERR_HTTP_CONNECT: "connect",
  MW_ERR_HTTP_CONNECT_TIMEOUT: "timeout",
  MW_ERR_HTTP_DECOMPRESSION_BOMB: "bomb",
  MW_ERR_HTTP_DNS: "dns",
  MW_ERR_HTTP_HEADERS_TOO_LARGE: "too_large",
  MW_ERR_HTTP_IDLE_TIMEOUT: "stall",
  MW_ERR_HTTP_INCOMPLETE: "incomplete",
  MW_ERR_HTTP_INVALID_URL: "bad_url",
  MW_ERR_HTTP_POOL_TIMEOUT: "timeout",
  MW_ERR_HTTP_REDIRECT_LOOP: "redirect_loop",
  MW_ERR_HTTP_REDIRECT_REFUSED: "redirect_blocked",
  MW_ERR_HTTP_RESET: "reset",
  MW_ERR_HTTP_TLS: "tls",
  MW_ERR_HTTP_TOO_MANY_REDIRECTS: "redirect_loop",
  MW_ERR_HTTP_TOTAL_TIMEOUT: "timeout",
};

const WORTH_RETRYING: ReadonlySet<FailureCode> = new Set(["connect", "dns", "incomplete", "reset", "stall", "timeout"]);
const RETRIED_STATUSES: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504, 521, 522, 524]);

/** Whether an answer with this status may be different next time. */
export function isRetriedStatus(status: number): boolean {
  return RETRIED_STATUSES.has(status);
}

/** Whether a failure may be gone next time. */
export function isRetriedFailure({ code }: Failure): boolean {
  return WORTH_RETRYING.has(code);
}

/** What a status of 400 or above says. */
export function failureOfStatus(status: number): Failure {
  if (status === 429) return { code: "rate_limited", message: "the server answered 429 to every attempt" };
  return { code: status < 500 ? "http_4xx" : "http_5xx", message: `the server answered ${status}` };
}

/** What an error of the session says; undefined for an error that is not about the request. */
export function failureOfError(error: unknown): Failure | undefined {
  if (!(error instanceof HttpError)) return undefined;
  // The record has the URL already.
  const message = error.message.replace(/^Cannot \S+ \S+: /, "");
  return { code: CODES[error.code] ?? "protocol", message };
}
