// What a session and a request can be told, with its defaults.

import type { UploadProgress } from "./body-stream.ts";
import { checkCount, checkFlag, checkMs, badArgument } from "./checks.ts";
import type { RequestCoding } from "./compression.ts";
import type { CookieJar } from "./cookie-jar.ts";
import type { RequestLine } from "./errors.ts";
import type { Middleware } from "./middleware.ts";
import type { MultipartInput } from "./multipart.ts";
import type { RequestBody } from "./request-body.ts";
import type { HeadersInput } from "./request-headers.ts";
import type { RetryOption } from "./retries.ts";
import type { TraceListener } from "./trace.ts";
import type { TransportOptions } from "./transport-options.ts";

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
  /** The least that has to come of a body, in bytes per second of waiting for it, over each `speedMs`. Default: 0. */
  readonly minBytesPerSecond?: number | undefined;
  /** Over how much waiting the speed is looked at. Default: 15 000. */
  readonly speedMs?: number | undefined;
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
  /**
   * What every request and its answer go through, the outermost first; those of a request are inside those of its session.
   * Default: none.
   */
  readonly middlewares?: ReadonlyArray<Middleware> | undefined;
  /** How requests prove who they are: `basicAuth`, `bearerAuth`, `digestAuth` and the like. Around all middlewares. */
  readonly auth?: Middleware | null | undefined;
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
export interface SessionOptions extends CommonOptions, TransportOptions {
  /**
   * Where cookies are kept: a jar, `true` for one of the session's own, `false` for nowhere. What servers set is sent
   * back to those it is for. Default: `false`.
   */
  readonly cookies?: CookieJar | boolean | undefined;
  /** Is told of every step of every request. */
  readonly trace?: TraceListener | undefined;
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

/** Options of one request. At most one of `json`, `form`, `multipart` and `body`. */
export interface RequestOptions extends CommonOptions {
  /** With `false` no cookies of the session's jar are sent, and none are kept of the answer. Default: `true`. */
  readonly cookies?: boolean | undefined;
  /** Added to the query of the URL. A list gives its key several times; what is undefined is left out. */
  readonly params?: ParamsInput | undefined;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as `application/x-www-form-urlencoded`. */
  readonly form?: ParamsInput | undefined;
  /** Sent as `multipart/form-data`. Files are read as fast as the server takes them. */
  readonly multipart?: MultipartInput | undefined;
  /** Sent as it is. What an async iterable yields is sent as fast as the server takes it, and only once. */
  readonly body?: RequestBody | undefined;
  /** Packs the body while it is sent, and says so in `Content-Encoding`: for servers that are known to unpack. Default: as it is. */
  readonly compress?: RequestCoding | undefined;
  /**
   * Called each time the connection has taken a piece of the body: what it counts is on its way, and not in memory. Begins
   * anew when the body is sent anew. An exception of it fails the request; what an async one rejects with is only reported.
   */
  readonly onUploadProgress?: ((progress: UploadProgress) => void) | undefined;
}

type Param = string | number | bigint | boolean | undefined;

/** Keys and values: of a query, or of a form. */
export type ParamsInput =
  | URLSearchParams
  | Readonly<Record<string, Param | ReadonlyArray<Param>>>
  | Iterable<readonly [string, Param | ReadonlyArray<Param>]>
  // An interface has no index signature, so that it fits into no Record. What is in it is checked by the call.
  | object;

/** Common options with nothing left open. */
export interface Settled {
  readonly totalMs: number;
  readonly connectMs: number;
  readonly poolMs: number;
  readonly idleMs: number;
  readonly minBytesPerSecond: number;
  readonly speedMs: number;
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
  minBytesPerSecond: 0,
  speedMs: 15_000,
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
    minBytesPerSecond: timeouts?.minBytesPerSecond ?? base.minBytesPerSecond,
    speedMs: timeouts?.speedMs ?? base.speedMs,
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
  for (const name of ["totalMs", "connectMs", "poolMs", "idleMs", "speedMs"] as const) {
    checkMs(request, name, timeouts[name]);
  }
  const { minBytesPerSecond } = timeouts;
  if (minBytesPerSecond === undefined || (typeof minBytesPerSecond === "number" && minBytesPerSecond >= 0)) return;
  throw badArgument(request, "minBytesPerSecond", minBytesPerSecond, "bytes per second >= 0");
}
