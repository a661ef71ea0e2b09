// The header fields that go out. Checked here so that nothing can be smuggled into a request, whoever wrote the value.

import { badArgument, notSent } from "./checks.ts";
import { HttpError, type RequestLine } from "./errors.ts";
import { Secret } from "./secret.ts";

type HeaderValue = string | number | Secret | ReadonlyArray<string | Secret> | undefined;

/**
 * Header fields: an object, a list of pairs, or `Headers`. A list as a value sends the field several times; the value of a
 * {@link Secret} is not sent to another origin when a redirect leads there.
 */
export type HeadersInput = Readonly<Record<string, HeaderValue>> | Iterable<readonly [string, HeaderValue]>;

/** Lower-case names with their values, each value a field of its own. */
export type Fields = ReadonlyMap<string, ReadonlyArray<string>>;

const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
// oxlint-disable-next-line no-control-regex
const BAD_VALUE = /[^\t\x20-\x7e\x80-\xff]/;
// What frames the message is the client's business: a second opinion in here is how requests are smuggled.
const OURS = new Set(["connection", "expect", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"]);

/** What is sent with every request unless the caller says otherwise. */
export const NO_FIELDS: Fields = new Map();

/** The lists of values with a secret among them. */
const secretValues = new WeakSet<ReadonlyArray<string>>();

/** The fields that may go to anybody. */
export function withoutSecrets(fields: Fields): Fields {
  return new Map([...fields].filter(([, values]) => !secretValues.has(values)));
}

/** Checks `input` and puts it over `base`. A value of undefined takes the field away. */
export function mergeFields(base: Fields, input: HeadersInput | undefined, request: RequestLine): Fields {
  const merged = mergeProxyFields(base, input, request);
  // A server would get it: the client does not know which of its requests a proxy sees.
  if (input === undefined || !merged.has("proxy-authorization")) return merged;
  const what = "the header field 'proxy-authorization' is for a proxy; pass proxy: { url, headers } to the session";
  throw badHeader(request, what);
}

/** The same for what only a proxy gets. */
export function mergeProxyFields(base: Fields, input: HeadersInput | undefined, request: RequestLine): Fields {
  if (input === undefined) return base;
  if (typeof input !== "object" || input === null) {
    throw badArgument(request, "headers", input, "an object, a list of pairs or Headers");
  }
  const own = new Map<string, string[]>();
  for (const [name, value] of entriesOf(input)) addField(own, name, value, request);
  const merged = new Map(base);
  for (const [name, values] of own) {
    if (values.length === 0) merged.delete(name);
    else merged.set(name, values);
  }
  return merged;
}

function entriesOf(input: HeadersInput): Iterable<readonly [string, HeaderValue]> {
  return isIterable(input) ? input : Object.entries(input);
}

function isIterable(input: HeadersInput): input is Iterable<readonly [string, HeaderValue]> {
  return Symbol.iterator in input;
}

function addField(fields: Map<string, string[]>, name: unknown, value: unknown, request: RequestLine): void {
  const lower = typeof name === "string" ? name.toLowerCase() : "";
  if (!NAME.test(lower)) throw badHeader(request, "the name of a header field has characters that cannot be in one");
  if (OURS.has(lower)) throw badHeader(request, `the header field '${lower}' is set by the client; leave it out`);
  const values = fields.get(lower) ?? [];
  fields.set(lower, values);
  for (const one of Array.isArray(value) ? value : [value]) {
    if (one === undefined) continue;
    if (one instanceof Secret) {
      secretValues.add(values);
      values.push(checkValue(lower, one.reveal(), request));
      continue;
    }
    if (typeof one !== "string" && typeof one !== "number") {
      throw badArgument(request, `headers.${lower}`, one, "a string, a number or a list of strings");
    }
    values.push(checkValue(lower, String(one), request));
  }
}

/** Refuses what could end the field early, or cannot be sent as bytes. */
function checkValue(name: string, value: string, request: RequestLine): string {
  if (!BAD_VALUE.test(value)) return value;
  throw badHeader(request, `the value of the header field '${name}' has control characters or ones above U+00FF`);
}

function badHeader(request: RequestLine, what: string): HttpError {
  return notSent(new HttpError("MW_ERR_HTTP_INVALID_HEADER", request, what));
}

/** The form undici takes fastest: names and values in turn. */
export function flatten(fields: Fields): string[] {
  const flat: string[] = [];
  for (const [name, values] of fields) for (const value of values) flat.push(name, value);
  return flat;
}
