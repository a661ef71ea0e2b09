// What every way to log in has in common: to whom credentials may go, and what of them can be sent.

import { badArgument } from "./checks.ts";
import type { RequestLine } from "./errors.ts";
import type { ClientRequest } from "./middleware.ts";
import { Secret } from "./secret.ts";
import { targetOf } from "./target.ts";

/** Options of {@link basicAuth}, {@link bearerAuth} and {@link digestAuth}. */
export interface AuthOptions {
  /** The only origin that gets the credentials, as a URL of it. Default: any that is asked, without a redirect to it. */
  readonly origin?: string | URL | undefined;
}

/** Whether a request may get credentials. */
export type MayLogIn = (request: ClientRequest) => boolean;

/** The rule for a way to log in. Whatever it is, what the caller has set stays, and no redirect takes credentials along. */
export function loginRule({ origin }: AuthOptions, call: RequestLine): MayLogIn {
  const only = origin === undefined ? undefined : targetOf(origin, undefined, undefined, call.method).url.origin;
  return (request) => {
    if (request.isCrossOrigin || request.headers.has("authorization")) return false;
    return only === undefined || request.url.origin === only;
  };
}

/** Where a wrong argument stands: no request is made yet. */
export function callOf(name: string): RequestLine {
  return { method: "call", url: `${name}()` };
}

/** Checks a name or password and returns its text. */
export function credential(value: unknown, name: string, call: RequestLine): string {
  const text = value instanceof Secret ? value.reveal() : value;
  if (typeof text !== "string") throw badArgument(call, name, value, "a string");
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(text)) throw badArgument(call, name, text, "one without control characters");
  return text;
}
