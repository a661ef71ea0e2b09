// Request headers given on the command line, checked before anything is sent.

import { readFileSync } from "node:fs";

import { startError, usageError } from "../errors.ts";

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
// By their names these hold what others must not see.
const SECRET_NAME = /^(?:proxy-)?authorization$|^cookie$|token|secret|password|api-?key/;
const MAX_FILE_BYTES = 1024 * 1024;

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
  checkHeaderValue(name, value);
  if (FRAMING.has(name)) throw usageError(`-H "${name}" cannot be set: it belongs to the connection`);
  return [name, value];
}

/** @throws {@link CommandError} with exit code 2 */
export function checkHeaderValue(name: string, value: string): void {
  if (!VALUE.test(value)) throw usageError(`-H "${name}" has a value with characters a header cannot have`);
}

/**
 * Reads `name: value`, or the lines of `@FILE`; blank ones and those that start with # are skipped.
 *
 * @throws {@link CommandError} as {@link parseHeader}, and with exit code 3 for a file that cannot be read
 */
export function readHeaders(text: string): Header[] {
  if (!text.startsWith("@")) return [parseHeader(text)];
  const lines = readSmallFile(text.slice(1)).split("\n");
  return lines.filter((line) => line.trim() !== "" && !line.startsWith("#")).map(parseHeader);
}

/** Whether a header tells who we are. */
export function isSecretHeader([name]: Header): boolean {
  return SECRET_NAME.test(name);
}

/** A file that an option names, as text. */
export function readSmallFile(path: string): string {
  let text: Buffer;
  try {
    text = readFileSync(path);
  } catch (error) {
    throw startError(`cannot read "${path}"`, error);
  }
  if (text.length > MAX_FILE_BYTES) throw usageError(`"${path}" is larger than 1 MiB`);
  return text.toString("utf8");
}
