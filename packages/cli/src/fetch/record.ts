// What is said about one URL: one line of JSON on stdout.

/** Why a URL failed: a closed list, and a promise to scripts. */
export type FailureCode =
  | "bad_url"
  | "bomb"
  | "cancelled"
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

/** One record. Fields that do not apply are left out. The order here is the order in the line. */
export interface FetchRecord {
  /** Number of the URL in the list, from 1; blank lines and comments do not count. */
  readonly index: number;
  /** As it stands in the list. */
  readonly url: string;
  /** Where redirects led. */
  readonly finalUrl?: string | undefined;
  /** HTTP status of the last answer. */
  readonly status?: number | undefined;
  readonly ok: boolean;
  /** Bytes of the body, after decompression. */
  readonly bytes: number;
  /** From the start of the last attempt to its last byte. */
  readonly ms: number;
  /** How often it was requested. */
  readonly attempts: number;
  /** Where the body was saved. */
  readonly file?: string | undefined;
  /** With `--body text`: the body as text. */
  readonly body?: string | undefined;
  /** With `--body base64`. */
  readonly bodyBase64?: string | undefined;
  readonly error?: Failure | undefined;
  /** The URLs that were asked before the final one. */
  readonly redirects?: readonly string[] | undefined;
}

/** A URL as a record shows it: what is sent as a password must not end up there. */
export function shownUrl(text: string): string {
  return text.includes("@") ? text.replace(/^([^/?#]*:\/\/)[^/?#]*@/, "$1***@") : text;
}
