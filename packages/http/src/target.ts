// From what the caller calls a URL to where the request goes. Refused here, before anything is sent: what is no http
// URL, and control characters, which the URL parser would drop in silence.

import { badArgument, notSent } from "./checks.ts";
import { HttpError, type RequestLine } from "./errors.ts";
import type { ParamsInput } from "./options.ts";

/** Where a request goes. */
export interface Target {
  /** Without userinfo and fragment. */
  readonly url: URL;
  /** `Basic …`, made of the userinfo of the URL. */
  readonly authorization: string | undefined;
}

/** Checks and resolves the URL of a request. */
export function targetOf(
  url: string | URL,
  base: URL | undefined,
  params: ParamsInput | undefined,
  method: string,
): Target {
  const request = { method, url: String(url) };
  const parsed = parse(url, base, request);
  if (params !== undefined) addParams(parsed, params, request);
  // Also a bare # at the end. The setter costs more than the look.
  if (parsed.href.includes("#")) parsed.hash = "";
  if (parsed.username === "" && parsed.password === "") return { url: parsed, authorization: undefined };
  const authorization = basicAuth(parsed, request);
  parsed.username = "";
  parsed.password = "";
  return { url: parsed, authorization };
}

function parse(url: string | URL, base: URL | undefined, request: RequestLine): URL {
  if (typeof url !== "string" && !(url instanceof URL)) throw badArgument(request, "url", url, "a string or a URL");
  if (typeof url === "string" && hasControls(url)) throw badUrl(request, "the URL has control characters; remove them");
  // Not URL.parse(): its error, and that of the constructor, would carry the whole text.
  const parsed = URL.parse(url, base);
  if (parsed === null) {
    const hint = base === undefined ? "pass an absolute URL, or give the session a baseUrl" : "correct it";
    throw badUrl(request, `it is not a URL; ${hint}`);
  }
  if (!isHttp(parsed)) throw badUrl(request, "it is neither http nor https; no other scheme can be asked");
  return parsed;
}

/** Whether the URL is one that this client speaks. */
export function isHttp(url: URL): boolean {
  return url.protocol === "http:" || url.protocol === "https:";
}

/** Whether the text has characters that must not be in a URL or a header. */
export function hasControls(text: string): boolean {
  // oxlint-disable-next-line no-control-regex
  return /[\u0000-\u001f\u007f]/.test(text);
}

function badUrl(request: RequestLine, what: string): HttpError {
  return notSent(new HttpError("MW_ERR_HTTP_INVALID_URL", request, what));
}

function basicAuth(url: URL, request: RequestLine): string {
  try {
    const userinfo = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    return `Basic ${Buffer.from(userinfo).toString("base64")}`;
  } catch {
    throw badUrl(request, "its user name or password is not percent-encoded UTF-8; encode it");
  }
}

function addParams(url: URL, params: ParamsInput, request: RequestLine): void {
  const added = encodeParams(params, "params", request);
  if (added !== "") url.search += `${url.search === "" ? "" : "&"}${added}`;
}

function* pairsOf(input: object, name: string, request: RequestLine): Generator<readonly [string, unknown], void> {
  for (const pair of isIterable(input) ? input : Object.entries(input)) {
    if (!Array.isArray(pair) || typeof pair[0] !== "string") {
      throw badArgument(request, name, pair, "pairs of a name and a value");
    }
    yield [pair[0], pair[1]];
  }
}

function isIterable(input: object): input is Iterable<unknown> {
  return Symbol.iterator in input;
}

/** Encodes the parameters of a query or a form. */
export function encodeParams(params: ParamsInput, name: string, request: RequestLine): string {
  if (params instanceof URLSearchParams) return params.toString();
  if (typeof params !== "object" || params === null) {
    throw badArgument(request, name, params, "an object, a list of pairs or URLSearchParams");
  }
  const encoded = new URLSearchParams();
  for (const [key, values] of pairsOf(params, name, request)) {
    for (const value of Array.isArray(values) ? values : [values]) {
      if (value === undefined) continue;
      if (!/^(string|number|bigint|boolean)$/.test(typeof value)) {
        throw badArgument(request, `${name}.${key}`, value, "a string, number or boolean, or a list of them");
      }
      encoded.append(key, String(value));
    }
  }
  return encoded.toString();
}
