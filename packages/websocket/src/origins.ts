// Which web pages may open a connection. A browser sends its cookies with a handshake from any page, and no rule of its own
// stops it: the header Origin is all that tells whose page it was (cross-site WebSocket hijacking).

import { badArgument } from "./checks.ts";

/**
 * Which origins may connect: that of the host the request goes to, any, or those listed, as texts like `https://example.com`
 * or patterns that match a whole origin.
 */
export type AllowedOrigins = "same-host" | "any" | ReadonlyArray<string | RegExp>;

/** Whether a request with these headers may have a connection. */
export type OriginRule = (origin: string | undefined, request: OriginRequest) => boolean;

/** What of a request the rule needs. */
interface OriginRequest {
  /** The header `Host`. */
  readonly host: string | undefined;
  /** Whether it came over TLS. */
  readonly isSecure: boolean;
  /** The address of the server it came to; undefined on a Unix socket, which no browser reaches by itself. */
  readonly localAddress: string | undefined;
}

const WANTED =
  '"same-host", "any", or an array of origins like "https://example.com" and patterns like /https:\\/\\/.*\\.example\\.com/';

/** Makes the rule. Whoever sends no Origin is no browser, and may. */
export function originRule(allowed: AllowedOrigins): OriginRule {
  if (allowed === "any") return () => true;
  if (allowed === "same-host") return (origin, request) => origin === undefined || isSameHost(origin, request);
  if (!Array.isArray(allowed)) throw badArgument("allowedOrigins", allowed, WANTED);
  const tests = allowed.map(testOf);
  return (origin) => origin === undefined || tests.some((test) => test(origin));
}

function testOf(allowed: string | RegExp): (origin: string) => boolean {
  if (allowed instanceof RegExp) {
    // Anchored: one that forgets it would let https://example.com.evil.test in. Without g and y, which remember.
    const whole = new RegExp(`^(?:${allowed.source})$`, allowed.flags.replaceAll(/[gym]/g, ""));
    return (origin) => whole.test(origin);
  }
  const url = typeof allowed === "string" ? URL.parse(allowed) : null;
  const isOfPages = url !== null && /^https?:$/.test(url.protocol);
  // No page has a host with a star: it was meant as a pattern.
  if (!isOfPages || url.hostname.includes("*")) throw badArgument("allowedOrigins", allowed, WANTED);
  return (origin) => URL.parse(origin)?.origin === url.origin;
}

/** A page without TLS may be anybody's on the way. Behind a proxy that ends TLS the scheme tells nothing. */
function isSameHost(origin: string, { host, isSecure, localAddress }: OriginRequest): boolean {
  const url = URL.parse(origin);
  if (url === null || url.origin === "null" || (isSecure && url.protocol !== "https:")) return false;
  if (host === undefined || /[/?#@\\]/.test(host)) return false;
  // Read with the scheme of the origin, so that its usual port may be there or not.
  if (URL.parse(`${url.protocol}//${host}`)?.host !== url.host) return false;
  // Whoever owns a name can have it lead to this machine (DNS rebinding): then its pages have the same host, and are not ours.
  return !isLoopback(localAddress) || isLoopbackName(url.hostname);
}

function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(?:127\.|::1$|::ffff:127\.)/i.test(address);
}

/** Names that lead here whatever a name server says. */
function isLoopbackName(hostname: string): boolean {
  return /^(?:127\.[\d.]+|\[::1\]|\[::ffff:7f[\da-f]{2}:[\da-f]{1,4}\]|(?:.+\.)?localhost)$/.test(hostname);
}
