// From an argument to what is sent for it. The server has said which type it wants; what cannot be of that type is refused
// before it is run, and nothing is guessed.

import { quoteItem } from "./array-text.ts";
import type { Encoded } from "./message-writer.ts";
import { encodeDate, endlessText } from "./timestamps.ts";
import { UnsuitableValue } from "./value-errors.ts";

/** Throws an {@link UnsuitableValue} for what the type does not take; null and undefined are never given to it. */
export type ArgumentEncoder = (value: unknown) => Encoded;

const INTEGER = /^\s*[+-]?\d+\s*$/;
const NUMBER = /^\s*[+-]?(?:\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?|infinity|inf|nan)\s*$/i;

const encodeBool: ArgumentEncoder = (value) => {
  if (typeof value === "boolean") return value ? "t" : "f";
  if (typeof value === "string" && /^(?:t|f|true|false|yes|no|on|off|1|0)$/i.test(value)) return value;
  throw new UnsuitableValue(value, "bool", "true or false");
};

function integerEncoder(type: string, least: bigint, most: bigint): ArgumentEncoder {
  const wanted = `a whole number from ${least} to ${most}`;
  const [low, high] = [Number(least), Number(most)];
  return (value) => {
    if (typeof value === "number") {
      if (Number.isSafeInteger(value) && value >= low && value <= high) return String(value);
    } else if (
      typeof value === "bigint" ? value >= least && value <= most : typeof value === "string" && INTEGER.test(value)
    ) {
      return String(value);
    }
    throw new UnsuitableValue(value, type, wanted);
  };
}

function numberEncoder(type: string): ArgumentEncoder {
  return (value) => {
    if (Object.is(value, -0)) return "-0";
    if (typeof value === "number" || typeof value === "bigint") return String(value);
    if (typeof value === "string" && NUMBER.test(value)) return value;
    throw new UnsuitableValue(value, type, "a number, a bigint, or a string of digits");
  };
}

const encodeJson =
  (type: string): ArgumentEncoder =>
  (value) => {
    // A string is a string, so that what was read can be written again; the text of a document is `$1::text::jsonb`.
    let text: string | undefined;
    try {
      text = JSON.stringify(value);
    } catch (cause) {
      throw new UnsuitableValue(value, type, "what JSON.stringify takes: no bigint, and nothing that contains itself", {
        cause,
      });
    }
    if (text === undefined) throw new UnsuitableValue(value, type, "a value that has a form in JSON");
    return text;
  };

const encodeBytea: ArgumentEncoder = (value) => {
  if (value instanceof Uint8Array) return value;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  throw new UnsuitableValue(value, "bytea", "a Uint8Array; of a text, new TextEncoder().encode(text)");
};

const encodeMoment: ArgumentEncoder = (value) => {
  if (typeof value === "string") return value;
  if (value === Infinity || value === -Infinity) return endlessText(value);
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw new UnsuitableValue(value, "timestamptz", "a Date that is valid");
    return encodeDate(value);
  }
  return temporal(value) ?? refuse(value, "timestamptz", "a Date, or a string with a time zone");
};

/** A Date is a moment. What these are of it depends on a time zone, and nobody has said which. */
const withoutZone =
  (type: string, example: string): ArgumentEncoder =>
  (value) => {
    if (typeof value === "string") return value;
    return temporal(value) ?? refuse(value, type, `a string like "${example}", in the time zone that is meant`);
  };

function textLike(type: string): ArgumentEncoder {
  return (value) => {
    if (typeof value === "string") return checkText(value, type);
    if (typeof value === "number" || typeof value === "bigint") return String(value);
    return refuse(value, type, "a string");
  };
}

/** For types that are not known here: as text. */
export const plainEncoder: ArgumentEncoder = (value) => {
  if (typeof value === "string") return checkText(value, "text");
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") return String(value);
  if (value instanceof Date) return encodeMoment(value);
  if (Array.isArray(value)) return encodeArray(value, plainEncoder);
  return temporal(value) ?? refuse(value, "that the server has", "its text");
};

/** For a type with an encoder of the user's. */
export function textEncoder(type: string, encode: (value: unknown) => string): ArgumentEncoder {
  return (value) => {
    const text: unknown = encode(value);
    if (typeof text !== "string") throw new UnsuitableValue(text, type, "a string, as the result of its encoder");
    return text;
  };
}

const BY_NAME: Readonly<Record<string, ArgumentEncoder>> = {
  bool: encodeBool,
  int2: integerEncoder("int2", -32_768n, 32_767n),
  int4: integerEncoder("int4", -2_147_483_648n, 2_147_483_647n),
  int8: integerEncoder("int8", -9_223_372_036_854_775_808n, 9_223_372_036_854_775_807n),
  oid: integerEncoder("oid", 0n, 4_294_967_295n),
  float4: numberEncoder("float4"),
  float8: numberEncoder("float8"),
  numeric: numberEncoder("numeric"),
  json: encodeJson("json"),
  jsonb: encodeJson("jsonb"),
  bytea: encodeBytea,
  timestamptz: encodeMoment,
  timestamp: withoutZone("timestamp", "2026-12-31 23:59:59"),
  date: withoutZone("date", "2026-12-31"),
  time: withoutZone("time", "23:59:59"),
  text: textLike("text"),
  varchar: textLike("varchar"),
  bpchar: textLike("bpchar"),
  name: textLike("name"),
};

/** The encoder of a built-in type. */
export function encoderOf(type: string): ArgumentEncoder {
  return BY_NAME[type] ?? plainEncoder;
}

/** The encoder of arrays of a type. */
export function arrayEncoder(encode: ArgumentEncoder): ArgumentEncoder {
  return (value) => {
    // The text of an array, as it is.
    if (typeof value === "string") return value;
    if (Array.isArray(value)) return encodeArray(value, encode);
    if (isTypedArray(value)) return encodeArray([...value], encode);
    return refuse(value, "array", "an array");
  };
}

/**
 * The encoder of arrays of documents. An array in it is a document like any other, and not one more dimension: that could
 * not be told apart.
 */
export function documentArrayEncoder(encode: ArgumentEncoder): ArgumentEncoder {
  return (value) => {
    if (typeof value === "string") return value;
    if (Array.isArray(value)) return `{${value.map((item) => encodePlainItem(item, encode)).join(",")}}`;
    return refuse(value, "array", "an array");
  };
}

function isTypedArray(value: unknown): value is Iterable<number | bigint> {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

function encodeArray(items: ReadonlyArray<unknown>, encode: ArgumentEncoder): string {
  return `{${items.map((item) => encodeItem(item, encode)).join(",")}}`;
}

function encodeItem(item: unknown, encode: ArgumentEncoder): string {
  return Array.isArray(item) ? encodeArray(item, encode) : encodePlainItem(item, encode);
}

function encodePlainItem(item: unknown, encode: ArgumentEncoder): string {
  if (item === null) return "NULL";
  if (item === undefined) return refuse(item, "array", "null for NULL, as an item");
  const encoded = encode(item);
  if (encoded === null) return "NULL";
  return quoteItem(typeof encoded === "string" ? encoded : `\\x${Buffer.from(encoded).toString("hex")}`);
}

/** The classes of Temporal write what the server reads. */
function temporal(value: unknown): string | undefined {
  const tag = Object.prototype.toString.call(value);
  if (!tag.startsWith("[object Temporal.")) return undefined;
  // Its time zone in brackets is nothing the server knows.
  return String(value).replace(/\[.*$/, "");
}

/** The server would take it for the end of the text. */
function checkText(text: string, type: string): string {
  if (text.includes("\0"))
    throw new UnsuitableValue(text, type, "a string without U+0000, which PostgreSQL does not store");
  return text;
}

function refuse(value: unknown, type: string, wanted: string): never {
  throw new UnsuitableValue(value, type, wanted);
}
