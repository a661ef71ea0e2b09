// Which handler a path leads to.

import { badArgument } from "./checks.ts";

/** What was found for a path. */
export interface Found<Handler> {
  readonly handler: Handler;
  /** What the pattern has caught, decoded. */
  readonly params: Readonly<Record<string, string>>;
}

const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze({});

export class Routes<Handler> {
  readonly #routes: ReadonlyArray<readonly [pattern: URLPattern, handler: Handler]>;
  // Takes what no pattern matches; null if nobody does.
  readonly #fallback: Handler | null;

  /** @throws {@link WebSocketError} `MW_ERR_WS_INVALID_ARGUMENT` for a bad pattern, or what is no function */
  constructor(fallback: Handler | null, patterns: Readonly<Record<string, Handler>>) {
    this.#fallback = fallback;
    this.#routes = Object.entries(patterns).map(([pathname, handler]) => {
      if (typeof handler !== "function")
        throw badArgument(`routes[${JSON.stringify(pathname)}]`, handler, "a function");
      return [patternOf(pathname), handler];
    });
  }

  /** The first that matches; null if none does. */
  find(pathname: string): Found<Handler> | null {
    const path = plain(pathname);
    for (const [pattern, handler] of this.#routes) {
      const groups = pattern.exec({ pathname: path })?.pathname.groups;
      if (groups !== undefined) return { handler, params: decoded(groups) };
    }
    return this.#fallback === null ? null : { handler: this.#fallback, params: NO_PARAMS };
  }
}

/** One way to write a path: of what is encoded only what has to be (RFC 3986, section 6.2.2). */
function plain(pathname: string): string {
  return pathname.replaceAll(/%[\da-f]{2}/gi, (code) => {
    const character = String.fromCharCode(Number.parseInt(code.slice(1), 16));
    return /[-.\w~]/.test(character) ? character : code.toUpperCase();
  });
}

function patternOf(pathname: string): URLPattern {
  try {
    if (pathname.startsWith("/")) return new URLPattern({ pathname });
  } catch {
    // Said below.
  }
  throw badArgument(`routes[${JSON.stringify(pathname)}]`, pathname, "the pattern of a path, like /rooms/:room");
}

/** What is not encoded as it should be stays as it is. */
function decoded(groups: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  const params: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(groups)) if (value !== undefined) params[name] = decode(value);
  return params;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
