// Where an answer leads that opens no connection, and what may come along.

import type { ConnectSettled } from "./connect-options.ts";
import type { RefusingAnswer } from "./errors.ts";
import { notFollowed } from "./handshake-failure.ts";
import { redactUrl } from "./redact.ts";
import { parseTarget, type Target } from "./target.ts";

/** One request of a chain of redirects. */
export interface Hop {
  readonly target: Target;
  /** How it is asked. */
  readonly settled: ConnectSettled;
  /** How many redirects have led here. */
  readonly count: number;
}

const STATUSES = new Set([301, 302, 303, 307, 308]);

/** What of `tls` says who this side is, or was meant for one server. */
const IDENTITY = [
  "cert",
  "clientCertEngine",
  "key",
  "passphrase",
  "pfx",
  "privateKeyEngine",
  "privateKeyIdentifier",
  "pskCallback",
  "secureContext",
  "servername",
  "session",
];

/**
 * The next request of the chain; null if the answer is no redirect. Another origin gets nothing of what was meant for the
 * first: no header fields, no `Origin`, and no certificate.
 *
 * @throws {@link HandshakeError} `MW_ERR_WS_REDIRECT` if it must not be followed
 */
export function nextHop(hop: Hop, answer: RefusingAnswer, limits: { most: number; stays: boolean }): Hop | null {
  const { location } = answer.headers;
  const { url, isSecure } = hop.target;
  if (!STATUSES.has(answer.status) || typeof location !== "string" || limits.most === 0) return null;
  if (hop.count >= limits.most) {
    const what = `it redirects more than ${limits.most} times; raise 'maxRedirects' if that is expected`;
    throw notFollowed(url, what, answer);
  }
  const target = targetOf(location, hop, answer);
  const to = redactUrl(target.url);
  if (isSecure && !target.isSecure) {
    throw notFollowed(url, `it redirects to ${to}, which is not secure; connect there yourself if that may be`, answer);
  }
  const isElsewhere = target.url.host !== url.host || target.isSecure !== isSecure;
  if (isElsewhere && limits.stays) {
    throw notFollowed(
      url,
      `it redirects to ${to}, which 'socketPath' does not lead to; connect there yourself`,
      answer,
    );
  }
  return { target, settled: isElsewhere ? asStranger(hop.settled) : hop.settled, count: hop.count + 1 };
}

function asStranger(settled: ConnectSettled): ConnectSettled {
  const tls = Object.fromEntries(Object.entries(settled.tls).filter(([name]) => !IDENTITY.includes(name)));
  return { ...settled, tls, fields: {}, origin: undefined };
}

function targetOf(location: string, { target: { url } }: Hop, answer: RefusingAnswer): Target {
  const base = new URL(url);
  base.protocol = url.protocol === "wss:" ? "https:" : "http:";
  const next = URL.parse(location, base);
  if (next !== null) {
    // A fragment is for browsers, and who we are is not for the server to say.
    next.hash = "";
    next.username = "";
    next.password = "";
    if (/^(https?|wss?):$/.test(next.protocol)) return parseTarget(next);
  }
  throw notFollowed(url, "it redirects to something that is no URL of a WebSocket", answer);
}
