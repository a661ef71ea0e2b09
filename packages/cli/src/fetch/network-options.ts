// How connections are made: through what, to whom, and whom to believe.

import { isIP } from "node:net";
import { domainToASCII } from "node:url";

import { CookieJar, type SessionOptions } from "@meanwhile/http";

import { startError, usageError } from "../errors.ts";
import { readSmallFile } from "./headers.ts";
import type { Values } from "./read-options.ts";

export interface NetworkOptions {
  /** For the session. */
  readonly session: Pick<
    SessionOptions,
    "proxy" | "trustEnv" | "tls" | "dns" | "publicOnly" | "privateRedirects" | "http2"
  >;
  /** What was said of the version of HTTP. Without a word it is HTTP/1.1, too. */
  readonly httpVersion: "1.1" | "2" | undefined;
  /** The file cookies are kept in between runs. */
  readonly cookieJar: string | undefined;
  /** The file of the authorities to believe. */
  readonly cacert: string | undefined;
  /** Whether any certificate is believed. */
  readonly isInsecure: boolean;
}

const PROXIES = /^(https?|socks4a?|socks5h?):\/\/[^/]/i;

/** @throws {@link CommandError} with exit code 2, or with 3 for a file that cannot be read */
export function readNetworkOptions(values: Values): NetworkOptions {
  const { proxy, cacert, insecure, http1, http2, "cookie-jar": cookieJar } = values;
  if (proxy !== undefined && (!PROXIES.test(proxy) || !URL.canParse(proxy))) {
    throw usageError("--proxy needs a URL like http://host:3128 or socks5h://host:1080");
  }
  if (insecure && cacert !== undefined) throw usageError("use either --insecure or --cacert, not both");
  if (http1 && http2) throw usageError("use either --http1 or --http2, not both");
  if (cookieJar === "") throw usageError("--cookie-jar needs the name of a file");
  const ca = cacert === undefined ? undefined : readSmallFile(cacert);
  return {
    session: {
      ...(proxy === undefined ? {} : { proxy }),
      ...(values["trust-env"] ? { trustEnv: true } : {}),
      ...(insecure ? { tls: { rejectUnauthorized: false } } : {}),
      ...(ca === undefined ? {} : { tls: { ca } }),
      ...(values.resolve === undefined ? {} : { dns: { resolve: readResolve(values.resolve) } }),
      ...(values["public-only"] ? { publicOnly: true } : {}),
      privateRedirects: values["allow-private-redirects"],
      http2,
    },
    httpVersion: httpVersionOf(values),
    cookieJar,
    cacert,
    isInsecure: insecure,
  };
}

function httpVersionOf({ http1, http2 }: Values): NetworkOptions["httpVersion"] {
  if (http1) return "1.1";
  return http2 ? "2" : undefined;
}

/** `host:address`, or `host:port:address`; an address of IPv6 may stand in brackets. */
function readResolve(texts: readonly string[]): Record<string, string> {
  const known: Record<string, string> = {};
  for (const text of texts) {
    const [, host = "", given = ""] = /^([^:]+(?::\d{1,5})?):(.+)$/.exec(text) ?? [];
    const address = given.replace(/^\[(.*)\]$/, "$1");
    if (isIP(address) === 0)
      throw usageError(`--resolve "${text}" is not possible; pass host:address or host:port:address`);
    known[hostKey(host, text)] = address;
  }
  return known;
}

/** A name, with its port if it has one, as URLs have it: in small letters, and in ASCII. */
function hostKey(host: string, text: string): string {
  const [, name = "", port = ""] = /^([^:]+)((?::\d+)?)$/.exec(host) ?? [];
  const ascii = domainToASCII(name);
  if (ascii === "") throw usageError(`--resolve "${text}" is not possible: "${name}" is no name of a host`);
  return ascii + port;
}

/**
 * The cookies of the last run; undefined without `--cookie-jar`.
 *
 * Cancellation: nothing is lost.
 *
 * @throws {@link CommandError} with exit code 3 if the file is damaged or cannot be read
 */
export async function loadCookies({ cookieJar }: NetworkOptions): Promise<CookieJar | undefined> {
  if (cookieJar === undefined) return undefined;
  try {
    return await CookieJar.load(cookieJar);
  } catch (error) {
    throw startError(`cannot read the cookies of "${cookieJar}"`, error);
  }
}

/**
 * Keeps the cookies for the next run.
 *
 * Cancellation: the file is as it was, or complete.
 *
 * @throws {@link CommandError} with exit code 3 if the file cannot be written
 */
export async function saveCookies({ cookieJar }: NetworkOptions, jar: CookieJar | undefined): Promise<void> {
  if (cookieJar === undefined || jar === undefined) return;
  try {
    await jar.save(cookieJar, { sessionCookies: true });
  } catch (error) {
    throw startError(`cannot write the cookies to "${cookieJar}"`, error);
  }
}
