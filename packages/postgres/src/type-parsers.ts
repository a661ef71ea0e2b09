// From the text of a value to a value, for the types that are more than text.

import { encodeUtcDate, encodeUtcTimestamp, parseTimestamp } from "./timestamps.ts";
import type { TypeCodec } from "./types.ts";
import { unreadable } from "./value-errors.ts";

/** Reads the text of a value that is not NULL. */
export type ValueParser = (text: string) => unknown;

const ESCAPED = /\\(?:\\|([0-3][0-7]{2}))/g;

/** For `bool`. */
export const parseBool: ValueParser = (text) => text === "t";
/** For integers of up to 32 bits. */
export const parseSmall: ValueParser = (text) => Number(text);
const parseJson: ValueParser = (text) => JSON.parse(text);

function parseInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value))
    throw unreadable(`an int8 does not fit into a number; leave 'types.int8' at "bigint"`);
  return value;
}

function parseDay(text: string): Date | number {
  return parseTimestamp(isEndless(text) ? text : text.replace(/( BC)?$/, " 00:00:00+00$1"));
}

function parseUtc(text: string): Date | number {
  return parseTimestamp(isEndless(text) ? text : text.replace(/( BC)?$/, "+00$1"));
}

/** No day, so there is nothing to be put behind it. */
function isEndless(text: string): boolean {
  return text.endsWith("infinity");
}

/** Both forms that servers write: `\x0a0b`, and bytes with escapes. */
export function parseBytea(text: string): Uint8Array {
  // A copy, so that it keeps nothing else in memory, and is a plain Uint8Array.
  if (text.startsWith("\\x")) return new Uint8Array(Buffer.from(text.slice(2), "hex"));
  const plain = text.replaceAll(ESCAPED, (_found, octal: string | undefined) =>
    octal === undefined ? "\\" : String.fromCharCode(Number.parseInt(octal, 8)),
  );
  return new Uint8Array(Buffer.from(plain, "latin1"));
}

const AS_TEXT: TypeCodec = {};
/** Whoever reads the text of a document writes it as well. */
const JSON_TEXT: TypeCodec = { encode: (value) => (typeof value === "string" ? value : JSON.stringify(value)) };

const NAMED: Readonly<Record<string, Readonly<Record<string, TypeCodec>>>> = {
  int8: { bigint: { parse: BigInt }, number: { parse: parseInteger }, string: AS_TEXT },
  numeric: { string: AS_TEXT, number: { parse: Number } },
  date: { string: AS_TEXT, utc: { parse: parseDay, encode: encodeUtcDate } },
  timestamp: { string: AS_TEXT, utc: { parse: parseUtc, encode: encodeUtcTimestamp } },
  timestamptz: { date: { parse: parseTimestamp }, string: AS_TEXT },
  json: { parsed: { parse: parseJson }, string: JSON_TEXT },
  jsonb: { parsed: { parse: parseJson }, string: JSON_TEXT },
};

const ALWAYS: Readonly<Record<string, TypeCodec>> = {
  bool: { parse: parseBool },
  bytea: { parse: parseBytea },
  int2: { parse: parseSmall },
  int4: { parse: parseSmall },
  oid: { parse: parseSmall },
  float4: { parse: Number },
  float8: { parse: Number },
};

/** What a name says for a type; what the type has anyway, without a name; null if it has no such name. */
export function namedParser(type: string, name: string | undefined): TypeCodec | null {
  if (name === undefined) return ALWAYS[type] ?? AS_TEXT;
  const names = NAMED[type];
  if (names !== undefined && Object.hasOwn(names, name)) return names[name] ?? null;
  return name === "string" ? AS_TEXT : null;
}
