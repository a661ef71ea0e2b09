// The public API of @meanwhile/http: this list is it.

export type { AddressRule } from "./addresses.ts";
export { basicAuth, bearerAuth, type TokenSource } from "./auth.ts";
export type { AuthOptions } from "./auth-rules.ts";
export type { UploadProgress } from "./body-stream.ts";
export { httpCache, type HttpCacheOptions } from "./cache.ts";
export { type CacheEntry, type CacheStore, MemoryCacheStore, type MemoryCacheStoreOptions } from "./cache-store.ts";
export type { RequestCoding } from "./compression.ts";
export type { Checksum } from "./checksum.ts";
export type { ContentDisposition } from "./content-disposition.ts";
export type { CookieInput, JarCookie, SameSite } from "./cookie.ts";
export { CookieJar, type CookieJarOptions, type SaveCookiesOptions } from "./cookie-jar.ts";
export type { CookieJarJson } from "./cookie-json.ts";
export { digestAuth } from "./digest-auth.ts";
export type { DnsOptions, DnsStatistics, LookupFunction } from "./dns.ts";
export { download, type DownloadOptions } from "./download.ts";
export {
  ConnectError,
  HttpError,
  type HttpErrorCode,
  HttpTimeoutError,
  RedirectError,
  StatusError,
  type TimeoutPhase,
  TooLargeError,
} from "./errors.ts";
export type { ReconnectEvent } from "./event-reconnection.ts";
export type { EventStreamOptions, ServerSentEvent } from "./event-stream.ts";
export { FileBody, fileBody } from "./file-body.ts";
export { safeFileName } from "./file-name.ts";
export type { Link } from "./links.ts";
export type { FilePart, MultipartInput, MultipartValue } from "./multipart.ts";
export {
  ClientRequest,
  type MadeResponse,
  type Middleware,
  type RequestChanges,
  type SendRequest,
} from "./middleware.ts";
export { netrcAuth } from "./netrc.ts";
export type { CommonOptions, ParamsInput, RequestOptions, SessionOptions, Timeouts } from "./options.ts";
export type { ProxyOption, ProxyOptions } from "./proxies.ts";
export { redactUrl } from "./redact.ts";
export type { BodyContent, RequestBody } from "./request-body.ts";
export type { HeadersInput } from "./request-headers.ts";
export { ClientResponse, type JsonOptions } from "./response.ts";
export { ResponseHead } from "./response-head.ts";
export { ResponseHeaders } from "./response-headers.ts";
export type { LinesOptions } from "./response-lines.ts";
export type { RetryOption, RetryRules } from "./retries.ts";
export { retryAfterMs } from "./retry-after.ts";
export type { Saved, SaveOptions } from "./save.ts";
export { serverSentEvents, type ServerSentEventsOptions } from "./server-sent-events.ts";
export { Secret } from "./secret.ts";
export type { RetryBudget } from "./retry-budget.ts";
export { ClientSession } from "./session.ts";
export type { HostStatistics, SessionStatistics } from "./statistics.ts";
export { TRACE_CHANNEL, type TraceEvent, type TraceEventKind, type TraceListener } from "./trace.ts";
export type { OnProgress, TransferProgress } from "./transfer-progress.ts";
export type { TlsOptions } from "./tls.ts";
export type { TransportOptions } from "./transport-options.ts";
