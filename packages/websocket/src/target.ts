// The URL that a client is to connect to.

import { WebSocketError } from "./errors.ts";
import { redactUrl } from "./redact.ts";

/** A URL, taken apart. */
export interface Target {
  /** Without user name, password and fragment. */
  readonly url: URL;
  readonly isSecure: boolean;
  /** What it said of who we are, for the field `Authorization`; undefined if nothing. */
  readonly authorization: string | undefined;
}

/**
 * Takes a URL apart: `ws:` or `wss:`; `http:` and `https:` mean the same.
 *
 * @throws {@link WebSocketError} `MW_ERR_WS_INVALID_URL`
 */
export function parseTarget(input: unknown): Target {
  const url = input instanceof URL ? new URL(input) : URL.parse(typeof input === "string" ? input : "");
  if (url === null || url.host === "") throw badUrl('it is no URL with a host; pass one like "wss://host/path"');
  if (url.protocol === "http:" || url.protocol === "https:") url.protocol = url.protocol === "http:" ? "ws:" : "wss:";
  const isSecure = url.protocol === "wss:";
  if (!isSecure && url.protocol !== "ws:")
    throw badUrl(`${redactUrl(url)} is neither ws: nor wss:; pass one like "wss://host/path"`);
  if (url.hash !== "") throw badUrl(`${redactUrl(url)} has a fragment, which a server never sees; encode "#" as %23`);
  const authorization = authorizationOf(url);
  url.username = "";
  url.password = "";
  return { url, isSecure, authorization };
}

function authorizationOf(url: URL): string | undefined {
  if (url.username === "" && url.password === "") return undefined;
  try {
    const who = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    return `Basic ${Buffer.from(who).toString("base64")}`;
  } catch {
    throw badUrl(`the user name or password of ${redactUrl(url)} is not percent-encoded UTF-8; encode it`);
  }
}

/** Where its server listens. */
export function addressOf({ url, isSecure }: Target): { host: string; port: number } {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const usual = isSecure ? 443 : 80;
  return { host, port: url.port === "" ? usual : Number(url.port) };
}

function badUrl(what: string): WebSocketError {
  return new WebSocketError("MW_ERR_WS_INVALID_URL", `Cannot connect: ${what}`);
}
