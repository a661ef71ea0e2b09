// Where a redirect leads, and what may come along.

import type { CookieJar } from "./cookie-jar.ts";
import { RedirectError, type RequestLine } from "./errors.ts";
import type { RawHeaders } from "./exchange-plan.ts";
import type { Settled } from "./options.ts";
import { isSpent, NO_PAYLOAD, type Payload } from "./request-body.ts";
import { type Fields, withoutSecrets } from "./request-headers.ts";
import { hasControls, isHttp } from "./target.ts";

/** One request of a chain of redirects. */
export interface Hop {
  readonly url: URL;
  readonly method: string;
  readonly fields: Fields;
  readonly payload: Payload;
  /** The URLs asked before this one, in order. */
  readonly redirects: ReadonlyArray<string>;
  /** Whether a redirect has led to another origin than the first one's. */
  readonly isCrossOrigin: boolean;
  /** Whether it may lead to public addresses only: a server of the public internet has chosen where it leads. */
  readonly isPublicOnly: boolean;
}

const STATUSES = new Set([301, 302, 303, 307, 308]);
/** What proves to one origin who we are is none of another's business. */
const CREDENTIALS = ["authorization", "cookie", "proxy-authorization", "host"];
const OF_THE_BODY = ["content-type", "content-length", "content-encoding", "content-language", "content-location"];

/**
 * The next request of the chain; null if the answer is no redirect, or none that is to be followed.
 *
 * @param cookies - who has kept those of the answer
 * @see {@link https://fetch.spec.whatwg.org/#http-redirect-fetch}
 */
export function nextHop(
  hop: Hop,
  status: number,
  headers: RawHeaders,
  settled: Settled,
  cookies: CookieJar | null = null,
): Hop | null {
  const location = headers["location"];
  if (!STATUSES.has(status) || location === undefined || settled.maxRedirects === 0) return null;
  const redirects = [...hop.redirects, hop.url.href];
  const url = resolve(location, hop, redirects, settled);
  const becomesGet = status === 303 ? hop.method !== "HEAD" : status <= 302 && hop.method === "POST";
  const method = becomesGet ? "GET" : hop.method;
  const isElsewhere = url.origin !== hop.url.origin;
  const payload = becomesGet ? NO_PAYLOAD : hop.payload;
  if (payload.content !== null && isElsewhere && !settled.allowCrossOriginBody) {
    throw refused(
      hop,
      redirects,
      `it redirects to ${url.origin}, which must not get the body; pass allowCrossOriginBody: true if it may`,
    );
  }
  if (isSpent(payload)) {
    throw refused(
      hop,
      redirects,
      "it redirects after the streamed body was sent, which cannot be sent again; pass bytes",
    );
  }
  // Any method but GET may rightly be asked to come back; what a GET finds where it has been, it will find again, unless it
  // brings a cookie that it did not have.
  const isChanged = cookies !== null && headers["set-cookie"] !== undefined;
  if (method === "GET" && hop.method === "GET" && !isChanged && redirects.includes(url.href)) {
    throw new RedirectError("MW_ERR_HTTP_REDIRECT_LOOP", lineOf(hop), "its redirects form a loop", redirects);
  }
  const open = isElsewhere ? forAnybody(hop.fields) : hop.fields;
  const fields = becomesGet ? without(open, OF_THE_BODY) : open;
  const isCrossOrigin = hop.isCrossOrigin || isElsewhere;
  return { url, method, payload, redirects, fields, isCrossOrigin, isPublicOnly: hop.isPublicOnly };
}

function resolve(location: string | string[], hop: Hop, redirects: ReadonlyArray<string>, settled: Settled): URL {
  if (hop.redirects.length >= settled.maxRedirects) {
    const what = `it redirects more than ${settled.maxRedirects} times; raise maxRedirects if that is expected`;
    throw new RedirectError("MW_ERR_HTTP_TOO_MANY_REDIRECTS", lineOf(hop), what, redirects);
  }
  // Header fields come as Latin-1; those beyond ASCII are UTF-8 in practice.
  const text = typeof location === "string" ? Buffer.from(location, "latin1").toString() : "";
  const url = hasControls(text) ? null : URL.parse(text, hop.url);
  if (url === null || typeof location !== "string") throw refused(hop, redirects, "it redirects to what is not a URL");
  if (!isHttp(url))
    throw refused(hop, redirects, `it redirects to a URL with ${url.protocol.slice(0, 20)}, which is not followed`);
  if (url.protocol === "http:" && hop.url.protocol === "https:" && !settled.allowDowngrade) {
    throw refused(hop, redirects, "it redirects from https to http; pass allowDowngrade: true to follow");
  }
  url.hash = "";
  // Not ours: a server must not choose who we log in as.
  url.username = "";
  url.password = "";
  return url;
}

function refused(hop: Hop, redirects: ReadonlyArray<string>, what: string): RedirectError {
  return new RedirectError("MW_ERR_HTTP_REDIRECT_REFUSED", lineOf(hop), what, redirects);
}

function lineOf(hop: Hop): RequestLine {
  return { method: hop.method, url: hop.url.href };
}

/** What may go to another origin. */
export function forAnybody(fields: Fields): Fields {
  return without(withoutSecrets(fields), CREDENTIALS);
}

function without(fields: Fields, names: ReadonlyArray<string>): Fields {
  if (!names.some((name) => fields.has(name))) return fields;
  return new Map([...fields].filter(([name]) => !names.includes(name)));
}
