// The header fields a caller gave, beside those that a call sends of its own.

import { badArgument } from "./checks.ts";
import type { RequestLine } from "./errors.ts";
import { type HeadersInput, mergeFields, NO_FIELDS } from "./request-headers.ts";

type Pairs = Extract<HeadersInput, Iterable<unknown>>;

/** A header field as a caller can give it. */
export type HeaderPair = Pairs extends Iterable<infer Pair> ? Pair : never;

/** What a call adds to the header fields of its caller. */
export interface OwnFields {
  /** Sent unless the caller gives others. */
  readonly defaults: Readonly<Record<string, string>>;
  /** Set by the call alone. */
  readonly reserved: ReadonlyArray<string>;
}

/** Checks the caller's fields, as a list that can be read more than once, and adds the defaults. */
export function headerPairs(
  input: HeadersInput = [],
  { defaults, reserved }: OwnFields,
  line: RequestLine,
): ReadonlyArray<HeaderPair> {
  const own = isIterable(input) ? [...input] : Object.entries(input);
  mergeFields(NO_FIELDS, own, line); // refuses what is no header field
  const names = new Set(own.map(([name]) => name.toLowerCase()));
  const refused = reserved.find((name) => names.has(name));
  if (refused !== undefined) throw badArgument(line, `headers.${refused}`, refused, "none: it is set by this call");
  return [...Object.entries(defaults).filter(([name]) => !names.has(name)), ...own];
}

function isIterable(input: HeadersInput): input is Pairs {
  return Symbol.iterator in input;
}
