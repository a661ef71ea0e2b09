// Who may set which cookie, and who gets it.

import { isIP } from "node:net";

import { type CookieInput, hasBadCharacters, type JarCookie } from "./cookie.ts";
import { toughCookie } from "./tough-cookie.ts";

/** What of the rules can be chosen. */
export interface CookieRules {
  readonly maxCookieBytes: number;
  readonly allowPublicSuffixes: boolean;
}

const MOST_MS = 400 * 24 * 60 * 60 * 1_000;
const LONGEST_DOMAIN = 255;

/**
 * What a jar keeps of a cookie that is set for `url`; a text says why it keeps nothing.
 *
 * @see {@link https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#section-5.7}
 */
export function admit(input: CookieInput, url: URL, rules: CookieRules, nowMs: number): JarCookie | string {
  const flaw = flawOf(input, rules.maxCookieBytes);
  if (flaw !== null) return flaw;
  const host = url.hostname;
  const domain = (input.domain ?? "").replace(/^\./, "").toLowerCase();
  // Its own name, of a host that can have no subdomains, or none it may speak for: as if there were no Domain.
  const isHostOnly = domain === "" || (domain === host && isAlone(domain, rules));
  if (!isHostOnly) {
    if (!isWithin(host, domain)) return "its Domain is not that of the host";
    if (isAlone(domain, rules)) return "its Domain is a public suffix";
  }
  const { name, value, path, secure: isSecure = false, httpOnly: isHttpOnly = false, sameSite, expires } = input;
  if (isSecure && !isTrustworthy(url)) return "it is Secure and did not come over https";
  const prefix = name.toLowerCase();
  if (prefix.startsWith("__secure-") && !isSecure) return "its name begins with __Secure- and it is not Secure";
  if (prefix.startsWith("__host-") && !(isSecure && domain === "" && path === "/")) {
    return "its name begins with __Host- and it is not Secure for one host and the path /";
  }
  const expiresAt = expires === undefined ? undefined : Math.min(expires.getTime(), nowMs + MOST_MS);
  const fullPath = path?.startsWith("/") === true ? path : toughCookie().defaultPath(url.pathname);
  const cookie = { name, value, domain: isHostOnly ? host : domain, path: fullPath, isHostOnly, isSecure, isHttpOnly };
  return { ...cookie, sameSite, expiresAt };
}

/** The same for a cookie that was kept before, in a file: it is believed no more than a server. */
export function admitAgain(cookie: JarCookie, rules: CookieRules, nowMs: number): JarCookie | string {
  const { name, value, path, isHostOnly, isSecure: secure, isHttpOnly: httpOnly, sameSite, expiresAt } = cookie;
  const domain = isHostOnly ? undefined : cookie.domain;
  const expires = expiresAt === undefined ? undefined : new Date(expiresAt);
  const url = new URL(`https://${cookie.domain}/`);
  return admit({ name, value, domain, path, expires, secure, httpOnly, sameSite }, url, rules, nowMs);
}

/** What makes a cookie one that cannot be sent; null if it can. */
function flawOf({ name, value, path = "" }: CookieInput, maxBytes: number): string | null {
  if (name === "") return "it has no name";
  if (/[=;\t]/.test(name) || /[;\t]/.test(value) || /[;\t]/.test(path))
    return "it has characters that separate cookies";
  if (name.trim() !== name || value.trim() !== value) return "it begins or ends with a blank";
  if ([name, value, path].some(hasBadCharacters)) return "it has control characters, or ones above U+00FF";
  return name.length + value.length > maxBytes ? "it is too long" : null;
}

/** Whether nobody but the host itself may be meant by its name. */
function isAlone(domain: string, { allowPublicSuffixes }: CookieRules): boolean {
  if (isAddress(domain)) return true;
  if (allowPublicSuffixes) return false;
  const isName = domain.length <= LONGEST_DOMAIN && domain.includes(".");
  return (
    !isName || toughCookie().getPublicSuffix(domain, { allowSpecialUseDomain: true, ignoreError: true }) === undefined
  );
}

function isAddress(host: string): boolean {
  return host.startsWith("[") || isIP(host) !== 0;
}

/** Whether `host` is `domain` or a subdomain of it. */
export function isWithin(host: string, domain: string): boolean {
  return host === domain || (host.endsWith(`.${domain}`) && !isAddress(host));
}

/** The names under which cookies for `host` are kept: its own first, then those of the domains above. */
export function domainsOf(host: string): string[] {
  const domains = [host];
  if (isAddress(host) || host.length > LONGEST_DOMAIN) return domains;
  for (let dot = host.indexOf("."); dot !== -1; dot = host.indexOf(".", dot + 1)) domains.push(host.slice(dot + 1));
  return domains;
}

/** Of a URL, what decides about the cookies for it. */
export interface CookiePlace {
  readonly host: string;
  readonly path: string;
  readonly isTrustworthy: boolean;
}

export function placeOf(url: URL): CookiePlace {
  return { host: url.hostname, path: url.pathname, isTrustworthy: isTrustworthy(url) };
}

/** Whether a request gets the cookie, which is one of `domainsOf(host)`. */
export function isFor(cookie: JarCookie, { host, path, isTrustworthy: isSafe }: CookiePlace, nowMs: number): boolean {
  if (cookie.isHostOnly && cookie.domain !== host) return false;
  if (cookie.isSecure && !isSafe) return false;
  return !isOver(cookie, nowMs) && coversPath(cookie.path, path);
}

export function isOver({ expiresAt }: JarCookie, nowMs: number): boolean {
  return expiresAt !== undefined && expiresAt <= nowMs;
}

export function coversPath(path: string, asked: string): boolean {
  if (!asked.startsWith(path)) return false;
  return asked.length === path.length || path.endsWith("/") || asked[path.length] === "/";
}

/** Whether nobody can listen: https, or this machine. */
export function isTrustworthy({ protocol, hostname }: URL): boolean {
  if (protocol === "https:" || hostname === "localhost" || hostname.endsWith(".localhost")) return true;
  return hostname === "[::1]" || (isIP(hostname) === 4 && hostname.startsWith("127."));
}
