// Sends what the line of a list and the command line say together.

import type { ClientResponse, ClientSession, RequestOptions } from "@meanwhile/http";

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
export async function send(
  { text, request }: Target,
  { session, plan }: SendOptions,
  more: RequestOptions = {},
): Promise<ClientResponse> {
  const { secrets } = plan;
  const own = request.headers?.map((header) => filled(header, secrets)) ?? [];
  const named = new Set(own.map(([name]) => name));
  const headers = [...plan.headers.filter(([name]) => !named.has(name)), ...own, ...pairsOf(more.headers)];
  const body = request.body ?? plan.body;
  return session.request(request.method ?? plan.method, secrets.fillUrl(text), {
    ...more,
    ...(headers.length === 0 ? {} : { headers }),
    ...(body === undefined ? {} : { body }),
  });
}

/** The pairs of headers in whatever form. */
export function pairsOf(headers: RequestOptions["headers"]): Array<readonly [string, string]> {
  if (headers === undefined) return [];
  const entries = Symbol.iterator in headers ? [...headers] : Object.entries(headers);
  return entries.map(([name, value]) => [name, String(value)]);
}
