// Every error of the package and every code it uses. A class exists only where callers catch it apart.
// No error shows a secret: the URL is redacted here, once, for all of them.

import { printable, redactUrl } from "./redact.ts";

/** The stable codes of errors thrown by this package. */
export type HttpErrorCode =
  | "MW_ERR_HTTP_ADDRESS_REFUSED"
  | "MW_ERR_HTTP_AUTH"
  | "MW_ERR_HTTP_BODY_TOO_LARGE"
  | "MW_ERR_HTTP_BODY_USED"
  | "MW_ERR_HTTP_CHECKSUM"
  | "MW_ERR_HTTP_CLOSED"
  | "MW_ERR_HTTP_CONNECT"
  | "MW_ERR_HTTP_CONNECT_TIMEOUT"
  | "MW_ERR_HTTP_CONTENT_TYPE"
  | "MW_ERR_HTTP_COOKIE_FILE"
  | "MW_ERR_HTTP_COOKIE_REFUSED"
  | "MW_ERR_HTTP_CREDENTIALS_FILE"
  | "MW_ERR_HTTP_DECOMPRESSION_BOMB"
  | "MW_ERR_HTTP_DNS"
  | "MW_ERR_HTTP_ENCODING"
  | "MW_ERR_HTTP_EVENT_TOO_LARGE"
  | "MW_ERR_HTTP_FILE"
  | "MW_ERR_HTTP_FILE_EXISTS"
  | "MW_ERR_HTTP_HEADERS_TOO_LARGE"
  | "MW_ERR_HTTP_IDLE_TIMEOUT"
  | "MW_ERR_HTTP_INCOMPLETE"
  | "MW_ERR_HTTP_INVALID_ARGUMENT"
  | "MW_ERR_HTTP_INVALID_HEADER"
  | "MW_ERR_HTTP_INVALID_JSON"
  | "MW_ERR_HTTP_INVALID_URL"
  | "MW_ERR_HTTP_LINE_TOO_LONG"
  | "MW_ERR_HTTP_NOT_MOCKED"
  | "MW_ERR_HTTP_POOL_TIMEOUT"
  | "MW_ERR_HTTP_PROTOCOL"
  | "MW_ERR_HTTP_PROXY"
  | "MW_ERR_HTTP_REDIRECT_LOOP"
  | "MW_ERR_HTTP_REDIRECT_REFUSED"
  | "MW_ERR_HTTP_REQUEST_BODY"
  | "MW_ERR_HTTP_RESET"
  | "MW_ERR_HTTP_STATUS"
  | "MW_ERR_HTTP_TLS"
  | "MW_ERR_HTTP_TLS_FINGERPRINT"
  | "MW_ERR_HTTP_TOO_MANY_REDIRECTS"
  | "MW_ERR_HTTP_TOO_SLOW"
  | "MW_ERR_HTTP_TOTAL_TIMEOUT";

/** Which request an error is about. The URL may hold secrets: only its redacted form is shown. */
export interface RequestLine {
  readonly method: string;
  readonly url: string;
}

/**
 * A request could not be carried out. The class of all errors of this package; `code` tells them apart.
 *
 * @see {@link https://docs.aiohttp.org/en/stable/client_reference.html#hierarchy-of-exceptions}
 */
export class HttpError extends Error {
  override readonly name: string = "HttpError";
  /** Stable code of the error. */
  readonly code: HttpErrorCode;
  /** The method of the request. */
  readonly method: string;
  /** The URL of the request, without userinfo and fragment, and with the values of secret query keys masked. */
  readonly url: string;
  /** How often the request was tried; 0 if nothing was sent because it could not be a request. */
  readonly attempts: number = 1;

  /** @internal */
  constructor(code: HttpErrorCode, request: RequestLine, what: string, options?: ErrorOptions) {
    const url = redactUrl(request.url);
    super(`Cannot ${request.method} ${url}: ${what}`, options);
    this.code = code;
    this.method = request.method;
    this.url = url;
  }
}

/**
 * No connection could be made, so nothing was sent: `MW_ERR_HTTP_DNS`, `MW_ERR_HTTP_CONNECT`, `MW_ERR_HTTP_TLS`,
 * `MW_ERR_HTTP_TLS_FINGERPRINT`, `MW_ERR_HTTP_PROXY` or `MW_ERR_HTTP_ADDRESS_REFUSED`.
 */
export class ConnectError extends HttpError {
  override readonly name: string = "ConnectError";
}

/** One of the {@link Timeouts} has passed; `phase` says which. The deadline of a scope around the call is no such error. */
export class HttpTimeoutError extends HttpError {
  override readonly name: string = "HttpTimeoutError";
  /** `total`, `connect`, `pool` or `idle`: the option that was too short, without its `Ms`; `speed` for `minBytesPerSecond`. */
  readonly phase: TimeoutPhase;

  /** @internal */
  constructor(phase: TimeoutPhase, request: RequestLine, what: string) {
    super(TIMEOUT_CODES[phase], request, what);
    this.phase = phase;
  }
}

/** What an {@link HttpTimeoutError} can be about. */
export type TimeoutPhase = "total" | "connect" | "pool" | "idle" | "speed";

const TIMEOUT_CODES: Readonly<Record<TimeoutPhase, HttpErrorCode>> = {
  total: "MW_ERR_HTTP_TOTAL_TIMEOUT",
  connect: "MW_ERR_HTTP_CONNECT_TIMEOUT",
  pool: "MW_ERR_HTTP_POOL_TIMEOUT",
  idle: "MW_ERR_HTTP_IDLE_TIMEOUT",
  speed: "MW_ERR_HTTP_TOO_SLOW",
};

/** The server answered with a status of 400 or above, and `raiseForStatus` was asked for. */
export class StatusError extends HttpError {
  override readonly name: string = "StatusError";
  /** The status code, like 404. */
  readonly status: number;
  /** The reason phrase, as it came; may be empty. */
  readonly statusText: string;
  /** What the header `Retry-After` asked for, in milliseconds; undefined if it asked for nothing. */
  readonly retryAfterMs: number | undefined;

  /** @internal */
  constructor(request: RequestLine, status: number, statusText: string, retryAfterMs: number | undefined) {
    super("MW_ERR_HTTP_STATUS", request, `the server answered ${printable(`${status} ${statusText}`.trimEnd())}`);
    this.status = status;
    this.statusText = statusText;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The answer is larger than allowed: its body, its headers, or what its compressed body unpacks to. */
export class TooLargeError extends HttpError {
  override readonly name: string = "TooLargeError";
}

/** A redirect was not followed: a loop, too many, or one that must not be followed. */
export class RedirectError extends HttpError {
  override readonly name: string = "RedirectError";
  /** The URLs that were asked, in order, redacted. */
  readonly redirects: ReadonlyArray<string>;

  /** @internal */
  constructor(code: HttpErrorCode, request: RequestLine, what: string, redirects: ReadonlyArray<string>) {
    super(code, request, what);
    this.redirects = redirects.map(redactUrl);
  }
}

/** @internal What is wrong with a body that is about to be sent: the cause of `MW_ERR_HTTP_REQUEST_BODY`. */
export class BodyProblem extends Error {
  override readonly name: string = "BodyProblem";
}
