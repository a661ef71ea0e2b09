// What is said about one URL: one record of the output.

import type { Outcome } from "./outcome.ts";
import type { Target } from "./target.ts";

/** Why a URL failed: a closed list, and a promise to scripts. */
export type FailureCode =
  | "bad_url"
  | "bomb"
  | "cancelled"
  | "checksum"
  | "connect"
  | "dns"
  | "http_4xx"
  | "http_5xx"
  | "incomplete"
  | "policy_blocked"
  | "protocol"
  | "rate_limited"
  | "redirect_blocked"
  | "redirect_loop"
  | "reset"
  | "stall"
  | "timeout"
  | "tls"
  | "too_large"
  | "write";

export interface Failure {
  readonly code: FailureCode;
  readonly message: string;
}

/**
 * Why a URL was not requested: an earlier run of the same journal has finished it, an earlier run knows nothing of it
 * (with `--only-failed`), the list has named it before, its file exists.
 */
export type SkipReason = "finished" | "new" | "duplicate" | "exists";

/** One record. Fields that do not apply are left out. The order here is the order in the line. */
export interface FetchRecord {
  /** Number of the URL in the list, from 1; blank lines and comments do not count. */
  readonly index: number;
  /** What a list of JSON lines calls it. */
  readonly id?: string | undefined;
  /** As it stands in the list. */
  readonly url: string;
  /** Where redirects led. */
  readonly finalUrl?: string | undefined;
  /** HTTP status of the last answer. */
  readonly status?: number | undefined;
  readonly ok: boolean;
  /** Set if it was not requested, and need not be. */
  readonly skipped?: SkipReason | undefined;
  /** Bytes of the body, after decompression. */
  readonly bytes: number;
  /** Bytes of the body as they came, before decompression. */
  readonly wireBytes?: number | undefined;
  /** From the start of the last attempt to its last byte. */
  readonly ms: number;
  /** From the start of the last attempt to the head of its answer. */
  readonly ttfbMs?: number | undefined;
  /** How often it was requested. */
  readonly attempts: number;
  /** Name and port of the URL of the list. */
  readonly host?: string | undefined;
  /** The address the answer came from, unless a proxy stands between. */
  readonly ip?: string | undefined;
  /** The media type the server calls it. */
  readonly type?: string | undefined;
  /** Where the body was saved. */
  readonly file?: string | undefined;
  /** How much of the file had come in an earlier attempt or run, in bytes. */
  readonly resumedFrom?: number | undefined;
  /** With `--sha256`: of the body, in hexadecimal digits. */
  readonly sha256?: string | undefined;
  /** With `--body text`: the body as text. */
  readonly body?: string | undefined;
  /** With `--body base64`. */
  readonly bodyBase64?: string | undefined;
  readonly error?: Failure | undefined;
  /** The URLs that were asked before the final one. */
  readonly redirects?: readonly string[] | undefined;
}

// With all the slashes, also none, that may stand before a name, and the white space that does not count.
const USERINFO = /^((?:[^/\\?#@:]*:)?[/\\\s]*)[^/\\?#]*@/;
const SECRET_KEY = /token|key|sig|password|passwd|pwd|secret|credential|auth/i;

/**
 * A URL as a record shows it: neither what is sent as a password nor the values of query keys that are called like a
 * secret may end up there. Places of secrets, like `{{KEY}}`, are shown.
 */
export function shownUrl(text: string): string {
  const open = text.includes("@") ? text.replace(USERINFO, "$1***@") : text;
  const query = open.indexOf("?");
  if (query === -1 || !SECRET_KEY.test(decoded(open.slice(query)))) return open;
  const fragment = open.indexOf("#");
  if (fragment !== -1 && fragment < query) return open;
  const end = fragment === -1 ? open.length : fragment;
  const pairs = open
    .slice(query + 1, end)
    .split("&")
    .map(shownPair);
  return `${open.slice(0, query)}?${pairs.join("&")}${open.slice(end)}`;
}

/** A URL without what is sent as a user's name and password. */
export function withoutUserinfo(text: string): string {
  return text.includes("@") ? text.replace(USERINFO, "$1") : text;
}

function shownPair(pair: string): string {
  const equals = pair.indexOf("=");
  if (equals === -1 || !SECRET_KEY.test(decoded(pair.slice(0, equals)))) return pair;
  return /^\{\{\w+\}\}$/.test(pair.slice(equals + 1)) ? pair : `${pair.slice(0, equals)}=***`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The record of a target that was requested. */
export function recordOf(target: Target, outcome: Outcome, ms: number): FetchRecord {
  const { index, text, attempts, host, request } = target;
  const { status, finalUrl, bytes, wireBytes, ttfbMs, ip, type, file, resumedFrom, sha256 } = outcome;
  const { body, bodyBase64, failure, redirects } = outcome;
  const url = shownUrl(text);
  // In the order of the fields in the line; JSON leaves out what is undefined.
  return {
    index,
    id: request.id,
    url,
    finalUrl: finalUrl === text ? url : finalUrl && shownUrl(finalUrl),
    status,
    ok: failure === undefined,
    bytes,
    wireBytes,
    ms: rounded(ms),
    ttfbMs: ttfbMs === undefined ? undefined : rounded(ttfbMs),
    attempts,
    host: host.name,
    ip,
    type,
    file,
    resumedFrom,
    sha256,
    body,
    bodyBase64,
    error: failure,
    redirects: redirects?.map(shownUrl),
  };
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}
