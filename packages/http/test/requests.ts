// Requests made by hand, for middlewares without a session around them.

import { ClientRequest, onion, type Middleware } from "../src/middleware.ts";
import { DEFAULTS } from "../src/options.ts";
import { payloadOf, type RequestBody } from "../src/request-body.ts";
import { type HeadersInput, mergeFields, NO_FIELDS } from "../src/request-headers.ts";
import type { ClientResponse } from "../src/response.ts";

export interface HandMade {
  readonly method?: string;
  readonly headers?: HeadersInput;
  readonly body?: RequestBody;
  readonly isCrossOrigin?: boolean;
}

/** A request as a session would hand it to its first middleware. */
export function requestTo(url: string, options: HandMade = {}): ClientRequest {
  const { method = "GET", headers, body, isCrossOrigin = false } = options;
  const line = { method, url };
  const payload = payloadOf(body === undefined ? {} : { body }, line);
  const fields = mergeFields(NO_FIELDS, headers, line);
  const redirects = isCrossOrigin ? ["http://elsewhere.test/"] : [];
  return new ClientRequest(
    { url: new URL(url), method, fields, payload, redirects, isCrossOrigin, isPublicOnly: false },
    DEFAULTS,
    1,
  );
}

/** Sends through a middleware to a server that is a middleware itself. */
export function through(middleware: Middleware, server: Middleware) {
  const send = onion([middleware, server], () => Promise.reject(new TypeError("There is no network")));
  return (url: string, options?: HandMade): Promise<ClientResponse> => send(requestTo(url, options));
}
