// The header fields that a client sends beside those of the handshake itself.

import { validateHeaderName, validateHeaderValue } from "node:http";

import { badArgument } from "./checks.ts";
import { WebSocketError } from "./errors.ts";

/** Header fields to send: an object, a `Headers`, or pairs. */
export type HeadersInput =
  | Readonly<Record<string, string | readonly string[] | undefined>>
  | Iterable<readonly [name: string, value: string]>;

/** By their names in small letters. */
export type RequestFields = Readonly<Record<string, string | string[]>>;

/** Those of the handshake, and the option that is meant. */
const OURS: Readonly<Record<string, string>> = {
  connection: "leave it out",
  upgrade: "leave it out",
  "content-length": "leave it out, a handshake has no body",
  "transfer-encoding": "leave it out, a handshake has no body",
  trailer: "leave it out, a handshake has no body",
  expect: "leave it out, a handshake has no body",
  "sec-websocket-key": "leave it out",
  "sec-websocket-version": "leave it out",
  "sec-websocket-protocol": "pass 'subprotocols'",
  "sec-websocket-extensions": "pass 'compression'",
};

/**
 * Checks header fields. What a wrong one says is not shown: it may be secret.
 *
 * @throws {@link WebSocketError} `MW_ERR_WS_INVALID_ARGUMENT`
 */
export function settleFields(headers: HeadersInput | undefined): RequestFields {
  if (headers === undefined) return {};
  if (typeof headers !== "object" || headers === null)
    throw badArgument("headers", headers, "an object of header fields");
  const pairs: Iterable<readonly [string, unknown]> =
    Symbol.iterator in headers ? headers : Object.entries<unknown>(headers);
  const fields = new Map<string, string[]>();
  for (const pair of pairs) {
    if (!Array.isArray(pair)) throw badArgument("headers", headers, "an object, a Headers, or pairs of name and value");
    const [name, value] = pair;
    if (value === undefined) continue;
    const values = Array.isArray(value) ? value : [value];
    const key = checkField(name, values);
    fields.set(key, [...(fields.get(key) ?? []), ...values.map(String)]);
  }
  return Object.fromEntries([...fields].map(([name, values]) => [name, one(values)]));
}

/**
 * Checks the value of a header field that has an option of its own.
 *
 * @throws {@link WebSocketError} `MW_ERR_WS_INVALID_ARGUMENT`
 */
export function checkFieldValue(option: string, value: unknown): void {
  if (value === undefined) return;
  try {
    if (typeof value === "string") return validateHeaderValue(option, value);
  } catch {
    // As any other that is none.
  }
  throw badArgument(option, value, "a text without line breaks and other characters that no header field may have");
}

function one(values: string[]): string | string[] {
  const [first = ""] = values;
  return values.length === 1 ? first : values;
}

function checkField(name: string, values: readonly unknown[]): string {
  try {
    validateHeaderName(name);
    for (const value of values) validateHeaderValue(name, typeof value === "string" ? value : "\0");
  } catch {
    throw new WebSocketError(
      "MW_ERR_WS_INVALID_ARGUMENT",
      "Cannot use 'headers': a name or a value has characters that no header field may have; check for line breaks",
    );
  }
  const key = name.toLowerCase();
  if (!Object.hasOwn(OURS, key)) return key;
  throw new WebSocketError(
    "MW_ERR_WS_INVALID_ARGUMENT",
    `Cannot use 'headers': '${key}' belongs to the handshake; ${OURS[key] ?? "leave it out"}`,
  );
}
