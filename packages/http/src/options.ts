// What a session and a request can be told, with its defaults.

import { checkCount, checkFlag, checkMs, badArgument } from "./checks.ts";
import type { RequestLine } from "./errors.ts";
import type { RequestBody } from "./request-body.ts";
import type { HeadersInput } from "./request-headers.ts";
import type { RetryOption } from "./retries.ts";

/** Limits in milliseconds; `Infinity` switches one off. Each is of one attempt: `retry` starts them anew. */
export interface Timeouts {
  /**
   * From having a slot until the body has been read, redirects included, waiting in the pool excluded. Ends where
   * `stream()` is called: a download may take as long as bytes keep coming. Default: 30 000.
   */
  readonly totalMs?: number | undefined;
  /** For making a connection: DNS, TCP and TLS. Default: 10 000. */
  readonly connectMs?: number | undefined;
  /** For waiting for a slot of `limit` and `limitPerHost`. Default: `Infinity`. */
  readonly poolMs?: number | undefined;
  /** The longest time without a byte from the server while one is awaited; the head of the answer counts as one. Default: 30 000. */
  readonly idleMs?: number | undefined;
}

/** What both a session and a request can be told. The request's word counts. */
export interface CommonOptions {
  /** Header fields. Those of a request are added to those of its session and replace the ones of the same name. */
  readonly headers?: HeadersInput | undefined;
  /** Each is taken from the request, then from the session, then its default. */
  readonly timeouts?: Timeouts | undefined;
  /** Whether to try again: `false`, how often in all, or a policy. Default: `false`. */
  readonly retry?: RetryOption | undefined;
  /** Whether a status of 400 or above is a `StatusError`. Default: `false`. */
  readonly raiseForStatus?: boolean | undefined;
  /** The largest body, unpacked, in bytes; `Infinity` for no limit. Default: 64 MiB. */
  readonly maxBodyBytes?: number | undefined;
  /** How many redirects are followed; with 0 the redirect itself is the answer. Default: 10. */
  readonly maxRedirects?: number | undefined;
  /** Whether a redirect may lead from https to http. Default: `false`. */
  readonly allowDowngrade?: boolean | undefined;
  /** Whether a redirect may take the body of a request to another origin. Default: `false`. */
  readonly allowCrossOriginBody?: boolean | undefined;
  /**
   * Whether connections are kept for later requests. With `false` each request has one of its own, closed behind it: so
   * that a server one does not trust can leave nothing on it for the next. Default: `true`.
   */
  readonly keepAlive?: boolean | undefined;
  /** Whether bodies coded with gzip, deflate, br or zstd are asked for and unpacked. Default: `true`. */
  readonly decompress?: boolean | undefined;
}

/** Options of a {@link ClientSession}. */
export interface SessionOptions extends CommonOptions {
  /** What relative URLs are resolved against. */
  readonly baseUrl?: string | URL | undefined;
  /** How many requests may have a connection at once. Default: 100. */
  readonly limit?: number | undefined;
  /** How many of them to one origin (scheme, host and port). Default: no limit but `limit`. */
  readonly limitPerHost?: number | undefined;
  /** The largest head of an answer, in bytes; the same for its trailer. Default: 16 384. */
  readonly maxHeaderBytes?: number | undefined;
  /** The largest number of header fields of an answer, trailer included. Default: 128. */
  readonly maxHeaderCount?: number | undefined;
  /** The header `User-Agent`. Default: `meanwhile`. */
  readonly userAgent?: string | undefined;
}

/** Options of one request. At most one of `json`, `form` and `body`. */
export interface RequestOptions extends CommonOptions {
  /** Added to the query of the URL. A list gives its key several times; what is undefined is left out. */
  readonly params?: ParamsInput | undefined;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as `application/x-www-form-urlencoded`. */
  readonly form?: ParamsInput | undefined;
  /** Sent as it is. What an async iterable yields is sent as fast as the server takes it, and only once. */
  readonly body?: RequestBody | undefined;
}

type Param = string | number | bigint | boolean | undefined;

/** Keys and values: of a query, or of a form. */
export type ParamsInput =
  | URLSearchParams
  | Readonly<Record<string, Param | ReadonlyArray<Param>>>
  | ReadonlyArray<readonly [string, Param]>;

/** Common options with nothing left open. */
export interface Settled {
  readonly totalMs: number;
  readonly connectMs: number;
  readonly poolMs: number;
  readonly idleMs: number;
  readonly retry: RetryOption;
  readonly raiseForStatus: boolean;
  readonly maxBodyBytes: number;
  readonly maxRedirects: number;
  readonly allowDowngrade: boolean;
  readonly allowCrossOriginBody: boolean;
  readonly keepAlive: boolean;
  readonly decompress: boolean;
}

export const DEFAULTS: Settled = {
  totalMs: 30_000,
  connectMs: 10_000,
  poolMs: Infinity,
  idleMs: 30_000,
  retry: false,
  raiseForStatus: false,
  maxBodyBytes: 64 * 1024 * 1024,
  maxRedirects: 10,
  allowDowngrade: false,
  allowCrossOriginBody: false,
  keepAlive: true,
  decompress: true,
};

/** Checks the options and puts them over the ones of the session. */
export function settle(options: CommonOptions, base: Settled, request: RequestLine): Settled {
  const { timeouts } = options;
  if (timeouts !== undefined) checkTimeouts(timeouts, request);
  checkCount(request, "maxBodyBytes", options.maxBodyBytes, 0);
  checkCount(request, "maxRedirects", options.maxRedirects, 0);
  for (const name of ["raiseForStatus", "allowDowngrade", "allowCrossOriginBody", "keepAlive", "decompress"] as const) {
    checkFlag(request, name, options[name]);
  }
  return {
    totalMs: timeouts?.totalMs ?? base.totalMs,
    connectMs: timeouts?.connectMs ?? base.connectMs,
    poolMs: timeouts?.poolMs ?? base.poolMs,
    idleMs: timeouts?.idleMs ?? base.idleMs,
    retry: options.retry ?? base.retry,
    raiseForStatus: options.raiseForStatus ?? base.raiseForStatus,
    maxBodyBytes: options.maxBodyBytes ?? base.maxBodyBytes,
    maxRedirects: options.maxRedirects ?? base.maxRedirects,
    allowDowngrade: options.allowDowngrade ?? base.allowDowngrade,
    allowCrossOriginBody: options.allowCrossOriginBody ?? base.allowCrossOriginBody,
    keepAlive: options.keepAlive ?? base.keepAlive,
    decompress: options.decompress ?? base.decompress,
  };
}

function checkTimeouts(timeouts: Timeouts, request: RequestLine): void {
  if (typeof timeouts !== "object" || timeouts === null) {
    throw badArgument(request, "timeouts", timeouts, "an object like { totalMs: 5_000 }");
  }
  for (const name of ["totalMs", "connectMs", "poolMs", "idleMs"] as const) checkMs(request, name, timeouts[name]);
}
