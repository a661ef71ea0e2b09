// The public API of @meanwhile/http: this list is it.

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
export type { CommonOptions, ParamsInput, RequestOptions, SessionOptions, Timeouts } from "./options.ts";
export type { HostStatistics, SessionStatistics } from "./pool.ts";
export { redactUrl } from "./redact.ts";
export type { RequestBody } from "./request-body.ts";
export type { HeadersInput } from "./request-headers.ts";
export { ClientResponse } from "./response.ts";
export { ResponseHeaders } from "./response-headers.ts";
export type { RetryOption, RetryRules } from "./retries.ts";
export { ClientSession } from "./session.ts";
