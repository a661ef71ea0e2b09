// Cookies as JSON, and back.

import { type CookieInput, isSameSite, type JarCookie } from "./cookie.ts";

/** The content of a {@link CookieJar}, for `JSON.stringify`. It has the values of the cookies, which are secrets. */
export interface CookieJarJson {
  /** Of this format. */
  readonly version: 1;
  /** In the order in which they were used last. */
  readonly cookies: ReadonlyArray<JarCookie>;
}

const LONGEST_DOMAIN = 255;

/** The cookies of a parsed JSON text; a text says what is wrong with it. */
export function cookiesOf(json: unknown): JarCookie[] | string {
  if (!isRecord(json) || json["version"] !== 1 || !Array.isArray(json["cookies"])) {
    return "it is not the JSON of a cookie jar, of version 1";
  }
  const cookies: JarCookie[] = [];
  for (const [index, item] of json["cookies"].entries()) {
    const cookie = cookieOf(item);
    if (cookie === null) return `its cookie number ${index + 1} is damaged`;
    cookies.push(cookie);
  }
  return cookies;
}

function cookieOf(item: unknown): JarCookie | null {
  if (!isRecord(item)) return null;
  const { name, value, domain, path, isHostOnly, isSecure, isHttpOnly, sameSite, expiresAt } = item;
  if (typeof name !== "string" || typeof value !== "string" || typeof path !== "string") return null;
  if (typeof domain !== "string" || domain.length > LONGEST_DOMAIN || !isHost(domain) || !path.startsWith("/"))
    return null;
  if (typeof isHostOnly !== "boolean" || typeof isSecure !== "boolean" || typeof isHttpOnly !== "boolean") return null;
  if (sameSite !== undefined && !isSameSite(sameSite)) return null;
  if (expiresAt !== undefined && (typeof expiresAt !== "number" || !(Math.abs(expiresAt) <= 8.64e15))) return null;
  return { name, value, domain, path, isHostOnly, isSecure, isHttpOnly, sameSite, expiresAt };
}

/** Whether a URL can have it as its host, letter for letter. */
function isHost(domain: string): boolean {
  return /^(?:[a-z0-9._-]+|\[[0-9a-f:]+\])$/.test(domain) && URL.parse(`http://${domain}/`)?.hostname === domain;
}

/** Whether a value given by the caller has the types of a {@link CookieInput}. */
export function isCookieInput(input: unknown): input is CookieInput {
  if (!isRecord(input) || typeof input["name"] !== "string" || typeof input["value"] !== "string") return false;
  const { domain, path, expires, secure, httpOnly, sameSite } = input;
  if (![domain, path].every((text) => text === undefined || typeof text === "string")) return false;
  if (![secure, httpOnly].every((flag) => flag === undefined || typeof flag === "boolean")) return false;
  if (expires !== undefined && !(expires instanceof Date && Number.isFinite(expires.getTime()))) return false;
  return sameSite === undefined || isSameSite(sameSite);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
