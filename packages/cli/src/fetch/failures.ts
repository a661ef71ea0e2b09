// Turns an error of the session into a code of the closed list, and says whether another attempt is worthwhile.

import { HttpError, type HttpErrorCode } from "@meanwhile/http";

import { systemCodeOf } from "../errors.ts";
import { messageOf } from "./failure-messages.ts";
import type { Outcome } from "./outcome.ts";
import type { Failure, FailureCode } from "./record.ts";
import type { Target } from "./target.ts";

const CODES: Readonly<Partial<Record<HttpErrorCode, FailureCode>>> = {
  MW_ERR_HTTP_ADDRESS_REFUSED: "policy_blocked",
  MW_ERR_HTTP_BODY_TOO_LARGE: "too_large",
  MW_ERR_HTTP_CHECKSUM: "checksum",
  MW_ERR_HTTP_FILE: "write",
  MW_ERR_HTTP_CONNECT: "connect",
  MW_ERR_HTTP_CONNECT_TIMEOUT: "timeout",
  MW_ERR_HTTP_DECOMPRESSION_BOMB: "bomb",
  MW_ERR_HTTP_DNS: "dns",
  MW_ERR_HTTP_HEADERS_TOO_LARGE: "too_large",
  MW_ERR_HTTP_IDLE_TIMEOUT: "stall",
  MW_ERR_HTTP_INCOMPLETE: "incomplete",
  MW_ERR_HTTP_INVALID_URL: "bad_url",
  MW_ERR_HTTP_POOL_TIMEOUT: "timeout",
  MW_ERR_HTTP_PROXY: "connect",
  MW_ERR_HTTP_REDIRECT_LOOP: "redirect_loop",
  MW_ERR_HTTP_REDIRECT_REFUSED: "redirect_blocked",
  MW_ERR_HTTP_RESET: "reset",
  MW_ERR_HTTP_TLS: "tls",
  MW_ERR_HTTP_TLS_FINGERPRINT: "tls",
  MW_ERR_HTTP_TOO_SLOW: "stall",
  MW_ERR_HTTP_TOO_MANY_REDIRECTS: "redirect_loop",
  MW_ERR_HTTP_TOTAL_TIMEOUT: "timeout",
};

const WORTH_RETRYING: ReadonlySet<FailureCode> = new Set(["connect", "dns", "incomplete", "reset", "stall", "timeout"]);
const RETRIED_STATUSES: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504, 521, 522, 524]);

/** Whether an answer with this status may be different next time. */
function isRetriedStatus(status: number): boolean {
  return RETRIED_STATUSES.has(status);
}

/** Whether a failure may be gone next time. */
function isRetriedFailure({ code }: Failure): boolean {
  return WORTH_RETRYING.has(code);
}

// Doing it twice is doing it once (RFC 9110, 9.2.2).
const IDEMPOTENT: ReadonlySet<string> = new Set(["DELETE", "GET", "HEAD", "OPTIONS", "PUT", "TRACE"]);
/** With these the request was not sent. */
const UNSENT: ReadonlySet<FailureCode> = new Set(["connect", "dns"]);

/** What decides whether a request may be sent twice. */
export interface RetryScope {
  readonly retryAllMethods: boolean;
  readonly plan: { readonly method: string };
}

/** Whether another attempt is worthwhile, and allowed. */
export function mayRetry(
  { request }: Target,
  { failure, status = 0 }: Outcome,
  { retryAllMethods, plan }: RetryScope,
): boolean {
  if (failure === undefined || !(isRetriedFailure(failure) || isRetriedStatus(status))) return false;
  return retryAllMethods || UNSENT.has(failure.code) || IDEMPOTENT.has(request.method ?? plan.method);
}

/** What a status says that is none of `--ok`. */
export function failureOfStatus(status: number): Failure {
  if (status < 400) return { code: "policy_blocked", message: `the server answered ${status}, which is not in --ok` };
  if (status === 429) return { code: "rate_limited", message: "the server answered 429 to every attempt" };
  return { code: status < 500 ? "http_4xx" : "http_5xx", message: `the server answered ${status}` };
}

/** What an error of the session says; undefined for an error that is not about the request. */
export function failureOfError(error: unknown): Failure | undefined {
  if (!(error instanceof HttpError)) return undefined;
  return { code: CODES[error.code] ?? "protocol", message: messageOf(error) };
}

/** Errors that have others behind them have few. */
const MOST_CAUSES = 5;
/** What this machine has too little of. */
const LOCAL: ReadonlySet<string | undefined> = new Set(["EADDRNOTAVAIL", "EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"]);

/** Whether this machine had too little of something, and the host may be as well as ever. */
export function isLocal(error: unknown): boolean {
  return codesOf(error).some((code) => LOCAL.has(code));
}

/** The code of the operating system where a file could not be written; undefined if it is no such error. */
export function diskCodeOf(error: unknown): string | undefined {
  if (!(error instanceof HttpError)) return systemCodeOf(error);
  return error.code === "MW_ERR_HTTP_FILE" ? codesOf(error)[0] : undefined;
}

/** The codes of the operating system, of an error and of those behind it. */
function codesOf(error: unknown): string[] {
  const codes: string[] = [];
  for (let depth = 0; depth < MOST_CAUSES && error instanceof Error; depth++) {
    const code = systemCodeOf(error);
    if (code !== undefined) codes.push(code);
    error = error instanceof AggregateError ? (error.errors[0] as unknown) : error.cause;
  }
  return codes;
}
