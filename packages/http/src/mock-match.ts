// Which requests a route of a mocked network is for.

import { badArgument } from "./checks.ts";
import type { RequestLine } from "./errors.ts";
import type { MockRequest } from "./mock-request.ts";

/** Whether a text is the one meant. */
export type MockText = string | RegExp | ((text: string) => boolean);

/**
 * Which URL is meant: a text with the syntax of `URLPattern`, absolute, or beginning with a `/` for any origin; without a
 * query it stands for any query. Or a `URLPattern`, a regular expression for the whole URL, or a function.
 */
export type MockUrl = string | URL | URLPattern | RegExp | ((url: URL) => boolean);

/** Which requests are meant. What is left out may be anything. */
export interface MockMatch {
  /** Like `GET`, in any case. */
  readonly method?: string | undefined;
  /** Where it goes. */
  readonly url?: MockUrl | undefined;
  /** Fields that have to be there. */
  readonly headers?: Readonly<Record<string, MockText>> | undefined;
  /** The body as text; or a function that is given the request. */
  readonly body?: string | RegExp | ((request: MockRequest) => boolean) | undefined;
}

/** What a route is for, checked. */
export interface Matcher {
  /** As it is shown in errors. */
  readonly name: string;
  /** The parameters in the URL; null if the request is another one. */
  match(request: MockRequest): Readonly<Record<string, string>> | null;
}

type UrlMatch = (url: URL) => Readonly<Record<string, string>> | null;

const HERE: RequestLine = { method: "mock", url: "the network" };

/** Checks what is meant, and makes it one question. */
export function matcherOf({ method, url, headers = {}, body }: MockMatch): Matcher {
  const matchUrl = url === undefined ? () => ({}) : urlMatch(url);
  const wanted = Object.entries(headers);
  for (const [name, text] of wanted) checkText(`headers.${name}`, text);
  if (body !== undefined && typeof body !== "function") checkText("body", body);
  const name = `${method ?? "any method"} ${url === undefined ? "any URL" : showUrl(url)}`;
  return {
    name:
      wanted.length === 0 && body === undefined
        ? name
        : `${name} (with ${[...wanted.map(([field]) => field), ...(body === undefined ? [] : ["a body"])].join(", ")})`,
    match(request) {
      if (method !== undefined && method.toUpperCase() !== request.method.toUpperCase()) return null;
      const isMeant = wanted.every(([field, text]) => isText(request.headers.get(field), text));
      if (!isMeant || (body !== undefined && !isBody(request, body))) return null;
      return matchUrl(request.url);
    },
  };
}

function urlMatch(url: MockUrl): UrlMatch {
  if (url instanceof RegExp) return (asked) => (asked.href.search(url) === -1 ? null : {});
  if (typeof url === "function") return (asked) => (url(asked) ? {} : null);
  const pattern = typeof url === "string" || url instanceof URL ? patternOf(String(url)) : url;
  if (!(pattern instanceof URLPattern))
    throw badArgument(HERE, "url", url, "a string, URL, URLPattern, RegExp or function");
  return (asked) => {
    const found = pattern.exec(asked.href);
    return found === null ? null : paramsOf(found);
  };
}

function patternOf(text: string): URLPattern {
  try {
    if (!text.startsWith("/")) return new URLPattern(text);
    const [pathname = "", search] = text.split("?", 2);
    return new URLPattern(search === undefined ? { pathname } : { pathname, search });
  } catch (cause) {
    throw Object.assign(badArgument(HERE, "url", text, "an absolute URL, or a path that begins with '/'"), { cause });
  }
}

/** Those with a name; what stands for itself has a number. */
function paramsOf({ hostname, pathname, search }: URLPatternResult): Record<string, string> {
  const groups = [hostname, pathname, search].flatMap((part) => Object.entries(part.groups));
  return Object.fromEntries(
    groups.flatMap(([name, value]) => (value === undefined || /^\d/.test(name) ? [] : [[name, value]])),
  );
}

function isBody(request: MockRequest, body: NonNullable<MockMatch["body"]>): boolean {
  return typeof body === "function" ? body(request) : isText(request.text, body);
}

function isText(text: string | null, wanted: MockText): boolean {
  if (text === null) return false;
  if (typeof wanted === "function") return wanted(text);
  return typeof wanted === "string" ? text === wanted : text.search(wanted) !== -1;
}

function checkText(name: string, value: unknown): void {
  if (typeof value === "string" || typeof value === "function" || value instanceof RegExp) return;
  throw badArgument(HERE, name, value, "a string, a RegExp or a function");
}

function showUrl(url: MockUrl): string {
  if (typeof url === "function") return "a URL that a function chooses";
  return url instanceof URLPattern ? `${url.protocol}://${url.hostname}${url.pathname}` : String(url);
}
