// Request headers given on the command line, checked before anything is sent.

import { usageError } from "../errors.ts";

export type Header = readonly [name: string, value: string];

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
// A field value is what RFC 9110 calls visible, with spaces and tabs inside.
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
// Framing belongs to the connection, not to the user: a wrong one would let one request become two.
const FRAMING = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Reads `name: value`.
 *
 * @throws {@link CommandError} with exit code 2 for what is no header, or one that frames the request. The value is
 * not in the message: it may be a secret.
 */
export function parseHeader(text: string): Header {
  const colon = text.indexOf(":");
  const name = text.slice(0, Math.max(0, colon)).trim().toLowerCase();
  const value = text.slice(colon + 1).trim();
  if (colon === -1) throw usageError("-H needs a header like 'name: value'");
  if (!NAME.test(name)) throw usageError(`-H "${name}" is no name of a header`);
  if (!VALUE.test(value)) throw usageError(`-H "${name}" has a value with characters a header cannot have`);
  if (FRAMING.has(name)) throw usageError(`-H "${name}" cannot be set: it belongs to the connection`);
  return [name, value];
}
