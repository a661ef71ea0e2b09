// Reads values where they lie in what the server has sent, for the types for which a text in between would only cost time.

import { parseTimestamp } from "./timestamps.ts";
import { parseBool, parseSmall, type ValueParser } from "./type-parsers.ts";

/** Reads the value that lies from `start` to `end`. */
export type ValueReader = (bytes: Buffer, start: number, end: number) => unknown;

const ZERO = 0x30;
const MINUS = 0x2d;
const PLUS = 0x2b;
const COLON = 0x3a;
const POINT = 0x2e;
const SPACE = 0x20;
const TRUE = 0x74;
/** 2026-12-31 23:59:59+00 */
const SHORTEST_MOMENT = 22;

export const readText: ValueReader = (bytes, start, end) => bytes.toString("utf8", start, end);

const readBool: ValueReader = (bytes, start) => bytes[start] === TRUE;

/** For integers of up to 32 bits. */
export const readInteger: ValueReader = (bytes, start, end) => {
  const isNegative = bytes[start] === MINUS;
  let value = 0;
  for (let at = isNegative ? start + 1 : start; at < end; at++) value = value * 10 + digit(bytes, at);
  return isNegative ? -value : value;
};

/** The form nearly all moments have; any other is read as text. */
export const readTimestamp: ValueReader = (bytes, start, end) => {
  const isUsual =
    end - start >= SHORTEST_MOMENT &&
    bytes[start + 4] === MINUS &&
    bytes[start + 7] === MINUS &&
    bytes[start + 10] === SPACE &&
    bytes[start + 13] === COLON &&
    bytes[start + 16] === COLON;
  const year = pair(bytes, start) * 100 + pair(bytes, start + 2);
  if (!isUsual || year < 100) return parseTimestamp(bytes.toString("latin1", start, end));
  let at = start + 19;
  let milliseconds = 0;
  if (bytes[at] === POINT) {
    at += 1;
    for (let weight = 100; at < end && bytes[at] !== PLUS && bytes[at] !== MINUS; at++) {
      milliseconds += digit(bytes, at) * weight;
      weight = Math.floor(weight / 10);
    }
  }
  // Hours, and nothing more, is what a time zone nearly always is.
  if (at + 3 !== end) return parseTimestamp(bytes.toString("latin1", start, end));
  const offset = (bytes[at] === MINUS ? -1 : 1) * pair(bytes, at + 1);
  const [month, day] = [pair(bytes, start + 5) - 1, pair(bytes, start + 8)];
  const [hour, minute, second] = [pair(bytes, start + 11) - offset, pair(bytes, start + 14), pair(bytes, start + 17)];
  return new Date(Date.UTC(year, month, day, hour, minute, second, milliseconds));
};

/** For a type that has a parser. */
export function readerOf(parse: ValueParser): ValueReader {
  if (parse === parseBool) return readBool;
  if (parse === parseSmall) return readInteger;
  if (parse === parseTimestamp) return readTimestamp;
  return (bytes, start, end) => parse(bytes.toString("utf8", start, end));
}

/** Two digits. */
function pair(bytes: Buffer, at: number): number {
  return digit(bytes, at) * 10 + digit(bytes, at + 1);
}

function digit(bytes: Buffer, at: number): number {
  return (bytes[at] ?? ZERO) - ZERO;
}
