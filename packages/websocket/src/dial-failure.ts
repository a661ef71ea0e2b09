// What went wrong while a connection was made to where the handshake can begin. Becomes a ConnectError.

import type { WebSocketErrorCode } from "./errors.ts";

/** Never shown to a caller. Its text follows "Cannot connect to …: ". */
export class DialFailure extends Error {
  override readonly name = "DialFailure";
  readonly code: WebSocketErrorCode;
  /** The status that an HTTP proxy refused with. */
  readonly proxyStatus: number | undefined;

  /** Whether trying again cannot help. */
  readonly isLasting: boolean;

  constructor(
    code: WebSocketErrorCode,
    what: string,
    options?: ErrorOptions & { proxyStatus?: number | undefined; isLasting?: boolean },
  ) {
    super(what, options);
    this.code = code;
    this.proxyStatus = options?.proxyStatus;
    this.isLasting = options?.isLasting ?? false;
  }
}

/** No address, or nobody there. */
export function unreachable(cause: Error): DialFailure {
  const code = codeOf(cause);
  if (/^(ENOTFOUND|ENODATA|EAI_\w+)$/.test(code)) {
    const when = code === "EAI_AGAIN" ? "cannot be looked up now" : "has no address";
    return new DialFailure("MW_ERR_WS_DNS", `its host ${when} (${code})`, { cause });
  }
  return new DialFailure("MW_ERR_WS_CONNECT", `the connection cannot be made (${code}); is a server listening there?`, {
    cause,
  });
}

/** The server has not proved who it is, or does not speak TLS. */
export function insecure(cause: Error): DialFailure {
  const code = codeOf(cause);
  if (/^E[A-Z]+$/.test(code) && code !== "EPROTO") return unreachable(cause);
  const what = `TLS with its server failed (${code}); if its certificate is not of a public authority, pass 'tls.ca'`;
  return new DialFailure("MW_ERR_WS_TLS", what, { cause, isLasting: true });
}

/** The other side closed the connection. `proxy` is the name of the one it goes through. */
export function hungUp(proxy: string | undefined): DialFailure {
  const what = "closed the connection while it was being made";
  if (proxy === undefined) return new DialFailure("MW_ERR_WS_CONNECT", `the other side ${what}`);
  return new DialFailure("MW_ERR_WS_PROXY", `its proxy ${proxy}, or the server behind it, ${what}`);
}

/** Something failed on the way to a proxy. `name` must not hold its credentials. */
export function proxyFailed(name: string, cause: Error): DialFailure {
  const isOurs = cause instanceof DialFailure;
  const why = isOurs ? cause.message : codeOf(cause);
  const isLasting = isOurs && cause.isLasting;
  return new DialFailure("MW_ERR_WS_PROXY", `its proxy ${name} cannot be used: ${why}`, { cause, isLasting });
}

/** The code of an error of Node; of several attempts, that of the last. */
export function codeOf(error: Error): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors.at(-1));
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}
