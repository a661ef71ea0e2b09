// Sends what the line of a list and the command line say together.

import type { ClientResponse, ClientSession, RequestOptions } from "@meanwhile/http";

import type { Header } from "./headers.ts";
import { filled, type RequestPlan } from "./request-plan.ts";
import type { Target } from "./target.ts";

export interface SendOptions {
  readonly session: ClientSession;
  readonly plan: RequestPlan;
}

/**
 * Requests the target, with `more` over what it says.
 *
 * Cancellation: loses the answer.
 *
 * @throws what `session.request` throws
 */
export function send(
  { text, request }: Target,
  { session, plan }: SendOptions,
  more?: RequestOptions,
): Promise<ClientResponse> {
  const { secrets } = plan;
  const method = request.method ?? plan.method;
  const url = secrets.fillUrl(text);
  const body = request.body ?? plan.body;
  const headers = headersOf(request.headers ?? [], plan, more);
  // As nearly all are: the session need not check what it is told.
  if (more === undefined && body === undefined && headers.length === 0) return session.request(method, url);
  return session.request(method, url, {
    ...more,
    ...(headers.length === 0 ? {} : { headers }),
    ...(body === undefined ? {} : { body }),
  });
}

/** Those of the list count before those of the command line. */
function headersOf(
  own: readonly Header[],
  plan: RequestPlan,
  more: RequestOptions | undefined,
): RequestPlan["headers"] {
  if (own.length === 0 && more === undefined) return plan.headers;
  const named = new Set(own.map(([name]) => name));
  const others = plan.headers.filter(([name]) => !named.has(name));
  return [...others, ...own.map((header) => filled(header, plan.secrets)), ...pairsOf(more?.headers)];
}

/** The pairs of headers in whatever form. */
export function pairsOf(headers: RequestOptions["headers"]): Array<readonly [string, string]> {
  if (headers === undefined) return [];
  const entries = Symbol.iterator in headers ? [...headers] : Object.entries(headers);
  return entries.map(([name, value]) => [name, String(value)]);
}
