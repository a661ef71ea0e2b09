// What a worker is told of one request: everything it needs, and nothing that names a file or a secret of this machine.

import type { SessionOptions } from "@meanwhile/http";

import type { Header } from "../headers.ts";
import type { BodyStyle, FetchOptions } from "../options.ts";
import type { StatusSet } from "../statuses.ts";
import type { Target } from "../target.ts";

/** What all requests of a run have in common. */
export interface FarRun {
  readonly session: Pick<
    SessionOptions,
    "proxy" | "trustEnv" | "tls" | "dns" | "publicOnly" | "privateRedirects" | "http2"
  >;
  readonly timeoutMs: number | undefined;
  readonly connectMs: number;
  readonly idleMs: number;
  readonly minSpeed: number;
  readonly maxBytes: number;
  readonly retryMaxMs: number;
  readonly body: BodyStyle;
  readonly sha256: boolean;
  /** Like `100-399`. */
  readonly ok: string;
}

/** One request. */
export interface Order {
  readonly run: FarRun;
  readonly url: string;
  readonly method: string;
  readonly headers: readonly Header[];
  readonly body: string | Uint8Array | undefined;
  readonly checksum: string | undefined;
}

/** What all requests of a run have in common. */
export function farRun({ network, okStatuses, ...options }: FetchOptions): FarRun {
  const { timeoutMs, connectMs, idleMs, minSpeed, maxBytes, retryMaxMs, body, sha256 } = options;
  const limits = { timeoutMs, connectMs, idleMs, minSpeed, maxBytes, retryMaxMs };
  return { session: network.session, ...limits, body, sha256, ok: textOf(okStatuses) };
}

/** The request for a target. */
export function orderFor(run: FarRun, { plan, checksum }: FetchOptions, { text, request }: Target): Order {
  const own = request.headers ?? [];
  const named = new Set(own.map(([name]) => name));
  return {
    run,
    url: text,
    method: request.method ?? plan.method,
    // Those of the list count before those of the command line.
    headers: [...plan.shownHeaders.filter(([name]) => !named.has(name)), ...own],
    body: request.body ?? plan.body,
    checksum: request.checksum ?? checksum,
  };
}

/** The set as it could have been said. */
function textOf(statuses: StatusSet): string {
  const parts: string[] = [];
  for (let status = 100; status < 1_000; status++) {
    if (!statuses.has(status)) continue;
    const first = status;
    while (statuses.has(status + 1) && status < 999) status += 1;
    parts.push(`${first}-${status}`);
  }
  return parts.join(",");
}
