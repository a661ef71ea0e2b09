// One cookie: as a program or a server asks for it, as a jar keeps it, and how the first is read from a header field.

import type { Cookie } from "tough-cookie";

import { toughCookie } from "./tough-cookie.ts";

/** To which requests a browser would limit a cookie. It is kept, and means nothing to a client that shows no pages. */
export type SameSite = "strict" | "lax" | "none";

/** A cookie to be kept. */
export interface CookieInput {
  /** Not empty; without `=`, `;` and control characters. */
  readonly name: string;
  /** Without `;`, control characters and ones above U+00FF, which have to be encoded. */
  readonly value: string;
  /** The host and its subdomains that get it. Default: only the host of the URL it is set for. */
  readonly domain?: string | undefined;
  /** The path, with all below, that gets it. Default: the directory of the URL it is set for. */
  readonly path?: string | undefined;
  /** When it ends; the jar keeps it for 400 days at most. Default: with the session. */
  readonly expires?: Date | undefined;
  /** Whether it is for https and this machine only. Default: `false`. */
  readonly secure?: boolean | undefined;
  /** Whether a browser would hide it from scripts. Default: `false`. */
  readonly httpOnly?: boolean | undefined;
  /** To which requests a browser would limit it. Default: none. */
  readonly sameSite?: SameSite | undefined;
}

/** A cookie in a {@link CookieJar}. */
export interface JarCookie {
  /** Its name. */
  readonly name: string;
  /** Its value, as it came. */
  readonly value: string;
  /** The host that gets it; lower case, without a dot in front. */
  readonly domain: string;
  /** The path that gets it, with all below. */
  readonly path: string;
  /** Whether the subdomains of `domain` do not get it. */
  readonly isHostOnly: boolean;
  /** Whether it goes only over https, or to this machine. */
  readonly isSecure: boolean;
  /** Whether a browser would hide it from scripts. */
  readonly isHttpOnly: boolean;
  /** To which requests a browser would limit it. */
  readonly sameSite?: SameSite | undefined;
  /** When it ends, in milliseconds since 1970; undefined if with the session. */
  readonly expiresAt?: number | undefined;
}

/** How long a line may be beyond the cookie itself: room for its attributes. */
const ATTRIBUTE_BYTES = 4_096;
const LONGEST_ATTRIBUTE = 1_024;

/**
 * Reads the value of a `Set-Cookie` field; a text says why it cannot be read. Linear in its length.
 *
 * @param maxBytes - of name and value
 * @see {@link https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#section-5.6}
 */
export function parseSetCookie(line: string, maxBytes: number, nowMs: number): CookieInput | string {
  if (line.length > maxBytes + ATTRIBUTE_BYTES) return "it is too long";
  // Not left to the parser: it would cut the value short at some of them.
  if (hasBadCharacters(line)) return "it has control characters";
  const parsed = toughCookie().Cookie.parse(line);
  if (parsed === undefined) return "it has no name";
  const { key, value, domain, path, secure, httpOnly, sameSite } = parsed;
  return {
    name: key,
    value,
    domain: domain ?? undefined,
    path: path !== null && path.length <= LONGEST_ATTRIBUTE ? path : undefined,
    expires: expiryOf(parsed, nowMs),
    secure,
    httpOnly,
    sameSite: isSameSite(sameSite) ? sameSite : undefined,
  };
}

/** Whether the text has what no cookie may have. A tab is let through where it separates things. */
export function hasBadCharacters(text: string): boolean {
  return /[^\t\x20-\x7e\u0080-\u00ff]/.test(text);
}

export function isSameSite(value: unknown): value is SameSite {
  return value === "strict" || value === "lax" || value === "none";
}

// `Max-Age` counts from now on. Left as it is, the parser's class would count it from the last time of use.
// What is beyond all numbers is given as the text of an infinity.
function expiryOf({ maxAge, expires }: Cookie, nowMs: number): Date | undefined {
  const seconds = typeof maxAge === "string" ? Number(maxAge) : maxAge;
  if (typeof seconds === "number") return new Date(seconds <= 0 ? 0 : nowMs + Math.min(seconds, 1e9) * 1_000);
  return expires instanceof Date ? expires : undefined;
}
